"""What ``discover`` prints, and the search that ``init`` shares with it."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote

import attrs

from agent.config import Config, load
from agent.config.source import find
from agent.console.progress import ProgressLine
from agent.console.table import printable, table, terminal_columns
from agent.devices import KINDS
from agent.discovery import OWN_NETWORKS, Finding, Result, Search, Searched, Surroundings, Wish
from agent.discovery.known import NOT_ASKED, marked
from agent.discovery.search import Kinds
from agent.discovery.targets import is_searchable
from agent.errors import ConfigError

GROUPS = (
    ("This machine", ("local",)),
    ("Serial ports", ("serial",)),
    ("Network", ("tcp", "broadcast")),
)


def discover_report(
    wish: Wish,
    file: Path | None,
    *,
    as_json: bool,
    kinds: Kinds = KINDS,
    surroundings: Surroundings | None = None,
) -> tuple[str, bool]:
    """What was found, and whether the search came to its end.

    Raises:
        ConfigError: The wish is none that can be granted.
    """
    surroundings = surroundings or Surroundings()
    result, config = searched(wish, file, kinds, surroundings)
    if as_json:
        return _as_json(result), result.searched.is_complete
    lines = [*_groups(result.findings)]
    if not result.findings:
        lines += ["Nothing was found.", ""]
    lines += [printable(f"warning: {text}") for text in result.warnings]
    lines += [""] if result.warnings else []
    lines.append(looked_at(result.searched))
    lines += ["", *_next_steps(wish, result, config, surroundings)]
    return "\n".join(lines).rstrip(), result.searched.is_complete


def searched(
    wish: Wish, file: Path | None, kinds: Kinds, surroundings: Surroundings
) -> tuple[Result, Config | None]:
    """The search, with progress shown; findings that a configuration has already are marked.

    Args:
        file: The configuration; ``None`` for that which the other commands take.
    """
    config, warning = _configured(file, kinds)
    devices = config.devices if config is not None else ()
    search = Search(kinds, wish, surroundings, devices=devices)
    progress = ProgressLine()
    try:
        result = search.run(progress.tell)
    finally:
        progress.clear()
    if config is not None:
        singles = frozenset(name for name in kinds if kinds[name]().is_single)
        resolve = surroundings.resolve if wish.is_networked else None
        found = marked(result.findings, config.devices, singles, resolve)
        result = attrs.evolve(result, findings=found)
    if warning:
        result = attrs.evolve(result, warnings=[*result.warnings, warning])
    return result, config


def looked_at(searched: Searched) -> str:
    """A sentence on what a search has looked at."""
    parts = ["this machine"] if searched.is_local else []
    serial = searched.serial_ports
    if serial:
        parts.append(f"{_count(len(serial), 'serial port')} ({', '.join(serial)})")
    elif searched.is_serial:
        parts.append("its serial ports (none with a USB id that is known)")
    if searched.addresses:
        networks = f" ({', '.join(searched.networks)})" if searched.networks else ""
        at = f" at the ports {', '.join(map(str, searched.ports))}" if searched.ports else ""
        parts.append(f"{_count(searched.addresses, 'address', 'es')}{networks}{at}")
    what = ", ".join(parts[:-1]) + (" and " if parts[1:] else "") + (parts or ["nothing"])[-1]
    cut = "" if searched.is_complete else "Interrupted. "
    return printable(f"{cut}Looked at {what}, in {searched.seconds:g} s.")


def command_words(wish: Wish) -> str:
    """What to type behind a command for the same search."""
    words = [quote(address) for address in wish.addresses]
    words += ["--subnet" if each == OWN_NETWORKS else quote(each) for each in wish.subnets]
    words += [f"--port {quote(port)}" for port in wish.ports]
    words += [f"--kind {kind}" for kind in wish.kinds]
    words += ["--public"] if wish.is_public else []
    words += ["--large"] if wish.is_large else []
    return "".join(f" {word}" for word in words)


def _configured(file: Path | None, kinds: Kinds) -> tuple[Config | None, str]:
    """The configuration, if there is a sound one, and else what is to be said about it."""
    try:
        return load(file, kinds), ""
    except ConfigError:
        named = file or find()
        if named is None or (file is not None and not file.exists()):
            return None, ""
        why = "it has faults, see: agent check"
        return None, f"{named}: devices that stand in it can't be marked or spared: {why}"


def _groups(findings: Sequence[Finding]) -> Iterator[str]:
    for title, ways in GROUPS:
        group = [each for each in findings if each.way in ways]
        if not group:
            continue
        yield title
        boards = [each for each in group if each.way == "serial" and _is_board(each)]
        for number, each in enumerate(boards, 1):
            yield printable(board_line(number, each))
            if each.device:
                yield f"   configured as {each.device!r}"
        others = [each for each in group if each not in boards]
        if others:
            yield _table(others)
        for each in group:
            is_done = each.device and each.found.note != NOT_ASKED  # by who configured it
            if each.found.note and not is_done:
                yield printable(f"{each.found.where}: {each.found.note}")
        yield ""


def _is_board(finding: Finding) -> bool:
    return bool({"uid", "firmware"} & set(finding.found.facts))


def board_line(number: int, finding: Finding) -> str:
    """A board at a serial port, as users of the BENCHLAB logger know it."""
    facts = finding.found.facts
    uid, firmware = facts.get("uid") or "unknown", facts.get("firmware") or "unknown"
    return f"{number}: Port: {finding.found.where}  UID: {uid}  FW: {firmware}"


def _table(findings: Sequence[Finding]) -> str:
    rows = []
    for each in findings:
        facts = "; ".join(f"{key} {value}" for key, value in each.found.facts.items())
        rows.append([each.found.where, each.kind, each.device or "", facts])
    header = ["where", "kind", "in agent.toml", "what it says"]
    if not any(each.device for each in findings):
        header.pop(2)
        rows = [[where, kind, facts] for where, kind, _, facts in rows]
    return table(header, rows, columns=terminal_columns())


def _next_steps(
    wish: Wish, result: Result, config: Config | None, surroundings: Surroundings
) -> Iterator[str]:
    if not wish.is_networked:
        networks = [
            f"{each.network} ({each.name})"
            for each in surroundings.interfaces()
            if is_searchable(each)
        ]
        yield "The network was not searched, nothing was sent. To search it:"
        yield f"  agent discover --subnet          {', '.join(networks) or 'all own networks'}"
        yield "  agent discover 192.168.1.20      one address, name or range"
    new = [each for each in result.findings if each.device is None]
    words = command_words(wish)
    if new and config is None:
        yield "To write an agent.toml with what was found:"
        yield printable(f"  agent init{words}")
    elif new:
        these = "one is" if len(new) == 1 else f"{len(new)} are"
        yield f"{these.capitalize()} not in {config.source if config else ''} yet. To get tables:"
        yield printable(f"  agent init{words} --output new.toml")
    elif result.findings and config is not None:
        yield f"All of it is in {config.source} already."


def _as_json(result: Result) -> str:
    facts = {
        "found": [each.facts for each in result.findings],
        "warnings": list(result.warnings),
        "searched": attrs.asdict(result.searched),
    }
    return json.dumps(facts, indent=1, ensure_ascii=False)


def _count(number: int, thing: str, more: str = "s") -> str:
    """A number of things.

    >>> _count(1, "address", "es"), _count(254, "address", "es")
    ('1 address', '254 addresses')
    """
    return f"{number:,} {thing}{more if number != 1 else ''}"
