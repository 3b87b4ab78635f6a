"""The text of a first ``agent.toml``: what was found, and how to add what was not."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from agent.config import from_tables
from agent.config.options import decimal
from agent.config.schema import BUILT_IN_NAMES, DEVICE_NAME, RESERVED_NAMES
from agent.console import toml
from agent.console.examples import EXAMPLES
from agent.console.table import printable
from agent.devices.contract import Kind
from agent.discovery import Finding
from agent.discovery.known import NOT_ASKED
from agent.discovery.search import Kinds
from agent.errors import ConfigError

COMMENT_AT = 32  # column
HEAD = """\
## What the agent polls and where it keeps it. Lines that begin with "# " are options that are
## off, with their defaults; take the "# " away to use one. Check changes with:  agent check

[agent]
{data_dir}
# timezone = "local"            # "local" or a name such as "Europe/Berlin"; for reports
# log_level = "info"            # "debug", "info", "warning" or "error"

[store]
# flush_interval_s = 10.0       # s: at most so much is lost in a power cut; 0: every poll is synced
# retention_days = 365          # days, samples are deleted after so long; 0: never

[reports]
# time = "07:00"                # local time at which the CSV files of a day and a week are made
# daily = true
# weekly = true
# keep_days = 30                # days, older ones are deleted; 0: never
"""
NAME_COMMENT = "how it is called in every table and file"
COMMENTS = {
    ("host", str): "address or name",
    ("port", int): "TCP port",
    ("port", str): "serial port",
    ("uid", str): "the board's own number: it is found at any port",
    ("rack", int): "of the CPU in the hardware configuration",
    ("slot", int): "S7-1200/1500 1, S7-300 2, S7-400 mostly 3",
    ("processes", int): "how many of the busiest processes, 0 to 100",
    ("power_supply", str): '"auto": the first battery; "none"; or a name of one',
}
LINKED_KEYS = ("name", "kind")  # written first, whatever a probe says


@attrs.frozen
class Named:
    """A device that goes into the configuration, or is left out because of ``fault``."""

    name: str
    finding: Finding
    fault: str = ""


def named(findings: Iterable[Finding], kinds: Kinds) -> Sequence[Named]:
    """Each finding with a name of its own; one that is configured already keeps its name."""
    findings = list(findings)
    taken = {each.device.lower() for each in findings if each.device}
    singles: set[str] = set()
    made = []
    for each in findings:
        name = each.device or _free_name(each.kind, taken)
        taken.add(name.lower())
        fault = "" if each.kind not in singles else "there may be one enabled device of its kind"
        if kinds[each.kind]().is_single:
            singles.add(each.kind)
        made.append(Named(name, each, fault or _fault(name, each, kinds)))
    return made


def head(data_dir: str = "") -> str:
    """The sections of the agent itself; without a ``data_dir`` all their options are off."""
    name, value = ("data_dir", data_dir) if data_dir else ("# data_dir", "data")
    comment = "folder of the store and the reports; a relative one starts here"
    return HEAD.format(data_dir=_line(name, value, comment))


def config_text(devices: Sequence[Named], kinds: Kinds, data_dir: str = "") -> str:
    """The whole file."""
    parts = [head(data_dir)]
    parts += ["\n".join(_table(each, kinds[each.finding.kind]())) + "\n" for each in devices]
    there = {each.finding.kind for each in devices if not each.fault}
    parts += [text for kind, text in EXAMPLES.items() if kind in kinds and kind not in there]
    return "\n".join(parts)


def _table(device: Named, kind: Kind) -> Iterator[str]:
    found = device.finding.found
    facts = "; ".join(f"{key} {value}" for key, value in found.facts.items())
    yield f"## {printable(found.where)}{f': {printable(facts)}' if facts else ''}"
    if found.note and found.note != NOT_ASKED:  # of this search, and not of the device
        yield f"## {printable(found.note)}"
    if device.fault:
        yield f"## It is left out: {printable(device.fault)}"
    off = "# " if device.fault else ""
    for line in _lines(device, kind):
        yield f"{off}{line}".rstrip() if line or off else ""


def _lines(device: Named, kind: Kind) -> Iterator[str]:
    options = device.finding.found.options
    tables = {key: each for key, each in options.items() if _is_tables(each)}
    yield "[[device]]"
    yield _line("name", device.name, NAME_COMMENT)
    yield _line("kind", device.finding.kind)
    for key, value in options.items():
        if key not in tables and key not in LINKED_KEYS and value is not None:
            yield _line(key, value, COMMENTS.get((key, type(value)), ""))
    least = f"s between two polls, at least {decimal(kind.min_interval_s)}"
    if "interval_s" not in options:
        yield _line("# interval_s", kind.interval_s, least)
    if "timeout_s" not in options:
        yield _line("# timeout_s", kind.timeout_s, "s that one poll may take")
    for key, those in tables.items():
        for each in those:
            yield ""
            yield f"[[device.{toml.key(key)}]]"
            yield from (_line(name, value) for name, value in each.items() if value is not None)


def _line(key: str, value: Any, comment: str = "") -> str:
    key = key if key.startswith("# ") else toml.key(key)
    line = f"{key} = {toml.value(value)}"
    return f"{line.ljust(COMMENT_AT - 2)}  # {comment}" if comment else line


def _is_tables(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(each, Mapping) for each in value)
    )


def _free_name(kind: str, taken: set[str]) -> str:
    """The kind's word, with a number from the second device on."""
    name, number = kind if _is_name(kind) else f"{kind}1", 1
    while name.lower() in taken:
        number += 1
        name = f"{kind}_{number}" if _is_name(f"{kind}_{number}") else f"{kind}{number}"
    return name


def _is_name(name: str) -> bool:
    is_free = name.lower() not in RESERVED_NAMES and not BUILT_IN_NAMES.fullmatch(name)
    return is_free and DEVICE_NAME.fullmatch(name) is not None


def _fault(name: str, finding: Finding, kinds: Kinds) -> str:
    """Why the configuration would not take the device; empty when it does."""
    options = {key: value for key, value in finding.found.options.items() if value is not None}
    table = {**options, "name": name, "kind": finding.kind}
    try:
        from_tables({"device": [table]}, "", Path(), kinds, {})
    except ConfigError as exc:
        return str(exc).replace("\n", "; ").removeprefix(": ")
    return ""
