"""One file with all that helps to understand a fault, and without secrets."""

import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from datetime import UTC, datetime
from typing import Final

from agent.config.faults import FaultyConfigError
from agent.config.source import SECRET
from agent.console.status import status_report
from agent.console.table import printable, size_text
from agent.console.version import version_report
from agent.doctor.bounded import Call
from agent.doctor.broken import shown_lines
from agent.doctor.case import Case
from agent.doctor.finding import Finding
from agent.doctor.hosts import HostMask
from agent.doctor.masking import Mask
from agent.doctor.mounts import mounts
from agent.doctor.network import host_of
from agent.doctor.secrets import (
    Tables,
    every_text,
    referenced,
    referenced_in,
    secrets_in,
    variables,
)
from agent.doctor.service import unit_text
from agent.doctor.show import SIGNS, one_line
from agent.doctor.versions import os_release
from agent.store.check import summary
from agent.words import counted

SECTION_S: Final = 15.0
SUMMARY_S: Final = 8.0
JOURNAL_LINES: Final = 200
NAMED_LENGTH: Final = 6  # characters of a variable that sounds secret and may not be one
TEXT_LIMIT: Final = 2_000_000  # characters of one section
OF_KERNEL: Final = frozenset(
    {"proc", "sysfs", "cgroup", "cgroup2", "mqueue", "debugfs", "tracefs", "bpf", "securityfs"}
)
CONFIG_LIMIT: Final = 1 << 20
SHOWN_VARIABLES: Final = (
    "TZ", "LANG", "LC_ALL", "TMPDIR", "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR", "container",
    "SUDO_USER",
)  # fmt: skip
HEAD: Final = """\
Report of agent doctor, {time} UTC
Passwords, tokens and the like were removed and read ***; MAC addresses and UIDs are cut.
{hosts}
Please read it before you send it: only you know what else is nobody's business.
"""

Section = tuple[str, Callable[[], str], bool]  # title, text, whether the agent itself wrote it


def report_text(case: Case, findings: Sequence[Finding], *, is_without_hosts: bool) -> str:
    """The whole file."""
    configuration, environment, secrets = _own(case)
    mask = Mask(secrets)
    hide: Callable[[str], str] = HostMask(_hosts(case)) if is_without_hosts else str
    now = datetime.fromtimestamp(case.machine.clock.now_ms() / 1000, UTC)
    named = (
        "Hosts are replaced by host-1 and so on."
        if is_without_hosts
        else ("Addresses and names of hosts are in it; --hide-hosts replaces them.")
    )
    parts = [HEAD.format(time=f"{now:%Y-%m-%d %H:%M:%S}", hosts=named)]
    for title, text, is_ours in _sections(case, findings, configuration, environment):
        content = mask(_content(text), is_ours=is_ours)
        lines = (printable(line.expandtabs()) for line in content.split("\n"))
        # Again: a text that a program had escaped may read otherwise now.
        masked = hide(mask("\n".join(lines), is_ours=is_ours)).strip("\n")
        parts.append(f"{'=' * 10} {title}\n\n{masked or 'nothing'}\n")
    return "\n".join(parts)


def _own(case: Case) -> tuple[str, dict[str, object], list[str]]:
    """The configuration, the variables that act on it, and what is secret in both."""
    tables = Tables(case.kinds)
    try:
        configuration = _configuration(case, tables)
        environment = dict(variables(case, tables))
    except Exception as exc:  # noqa: BLE001 - nothing of either is shown then
        configuration, environment = f"could not be had: {type(exc).__name__}: {exc}", {}
        values = (v for k, v in case.machine.environ.items() if k.startswith("AGENT_"))
        tables.found += [*every_text(case.raw), *values]
    named = (
        value
        for name, value in case.machine.environ.items()
        if SECRET.search(name) and len(value) >= NAMED_LENGTH
    )
    return (
        configuration,
        environment,
        [*tables.found, *secrets_in(case.config), *referenced(case), *named],
    )


def _sections(
    case: Case, findings: Sequence[Finding], configuration: str, environment: dict[str, object]
) -> Iterator[Section]:
    yield "findings", lambda: _findings(findings), True
    yield "versions", lambda: version_report(as_json=True), True
    yield "configuration", lambda: configuration, True
    yield "environment", lambda: _environment(case, environment), True
    yield "agent status --json", lambda: _status(case), True
    yield "store", lambda: _store(case), True
    yield from _of_service(case)
    yield "system", lambda: _system(case), True
    yield "mounts", lambda: _mounts(case), True
    yield "serial ports", _serial_ports, True


def _of_service(case: Case) -> Iterator[Section]:
    machine, option = case.machine, ["--user"] if case.unit.is_user else []
    if not case.unit.has_systemd:
        return
    journal = ["journalctl", *option, "-u", "agent", "-n", str(JOURNAL_LINES)]
    status = ["systemctl", *option, "status", "agent", "-n", "0", "-l", "--no-pager"]

    def said(words: list[str]) -> Callable[[], str]:
        def text() -> str:
            output = machine.run(words, 10.0)
            return f"{output.text}\n{output.error}"

        return text

    yield "systemctl status", said(status), False
    yield "unit", lambda: unit_text(case.unit), False
    yield "journal", said([*journal, "-o", "short-iso", "--no-pager"]), False


def _content(text: Callable[[], str]) -> str:
    """What a section says; a section that fails says that."""
    try:
        found = Call(text, "section of the report").answer(SECTION_S)
    except Exception as exc:  # noqa: BLE001 - the rest of the report is worth having
        return f"could not be had: {type(exc).__name__}: {exc}"
    return found if len(found) <= TEXT_LIMIT else f"{found[:TEXT_LIMIT]}\n(cut)"


def _findings(findings: Sequence[Finding]) -> str:
    lines = []
    for each in findings:
        lines.append(f"{SIGNS[each.level]:4}  {each.area}: {one_line(each.text)}")
        lines += [f"      -> {one_line(each.fix)}"] if each.fix else []
        lines += [f"      {one_line(detail)}" for detail in each.details if detail]
    return "\n".join(lines)


def _configuration(case: Case, tables: Tables) -> str:
    if case.file is None and case.config is None:
        return "there is none"
    head = f"{case.file or 'environment'}, without comments"
    if isinstance(case.error, FaultyConfigError):
        head += ", with faults"
    if case.raw or case.file is None:
        return f"{head}\n{json.dumps(tables.configuration(case.raw), indent=1, default=str)}"
    try:
        with case.file.open("rb") as stream:
            text = stream.read(CONFIG_LIMIT).decode("utf-8", "replace")
    except OSError as exc:
        return f"{head}: {exc.strerror}"
    lines, hidden = shown_lines(text, case.kinds)
    tables.found += [*hidden, *referenced_in(text, case)]
    return "\n".join([f"{head}; it is no TOML", *lines])


def _environment(case: Case, ours: dict[str, object]) -> str:
    environ = case.machine.environ
    lines = [f"{name}={json.dumps(value, default=str)}" for name, value in ours.items()]
    names = [*SHOWN_VARIABLES, "AGENT_CONFIG"]
    lines += [f"{name}={environ[name]}" for name in names if name in environ]
    lines.append(f"arguments: {' '.join(sys.argv[1:])}")
    return "\n".join(lines)


def _status(case: Case) -> str:
    if case.config is None:
        return "not without a configuration"
    said = io.StringIO()
    try:
        with redirect_stdout(said):  # what it has to say beside an error, it prints
            return status_report(case.config, as_json=True)
    except SystemExit:
        return said.getvalue()


def _store(case: Case) -> str:
    if case.store is None:
        return "not without a configuration"
    folder = case.store.parent
    if not folder.is_dir():
        return f"{folder} is not there yet"
    lines = [
        f"{each.name}: {size_text(each.stat().st_size)}, mode {each.stat().st_mode & 0o7777:o}, "
        f"owner {each.stat().st_uid}:{each.stat().st_gid}"
        for each in sorted(folder.iterdir())
        if each.is_file()
    ]
    found = summary(case.store, SUMMARY_S)
    lines.append(
        f"format {found.version}, {found.pages} pages of {found.page_bytes} bytes, "
        f"{found.free_pages} of them free, journal mode {found.journal_mode}"
    )
    if found.contents is None:
        lines.append(f"samples were not counted: no end within {SUMMARY_S:g} s")
    for each in found.contents or ():
        span = " to ".join(_time(ms) for ms in (each.first_ms, each.last_ms) if ms is not None)
        lines.append(f"{each.device} ({each.kind}): {counted(each.rows, 'sample')} {span}")
    return "\n".join([*lines, "", *found.schema])


def _time(ts_ms: int) -> str:
    try:
        return f"{datetime.fromtimestamp(ts_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return str(ts_ms)


def _system(case: Case) -> str:
    machine = case.machine
    lines = [f"{key}={value}" for key, value in os_release(machine).items()]
    wanted = ("model name", "Model", "Hardware", "Revision")
    cpu = [
        line
        for line in machine.text("/proc/cpuinfo").splitlines()
        if line.partition(":")[0].strip() in wanted
    ]
    lines += [*dict.fromkeys(cpu), machine.text("/proc/version")]
    lines.append(f"up {machine.text('/proc/uptime').partition(' ')[0]} s")
    lines.append(f"load {machine.text('/proc/loadavg')}")
    lines += machine.text("/proc/meminfo").splitlines()[:5]
    return "\n".join(lines)


def _mounts(case: Case) -> str:
    return "\n".join(
        f"{mount.point}: {mount.type} of {mount.source}"
        f"{', read-only' if mount.is_read_only else ''}{_space(case, mount.point)}"
        for mount in mounts(case.machine)
        if mount.type not in OF_KERNEL
    )


def _space(case: Case, point: str) -> str:
    try:
        space = case.machine.space(case.machine.at(point))
    except OSError:
        return ""
    return f", {size_text(space.free)} of {size_text(space.total)} free" if space.total else ""


def _serial_ports() -> str:
    from serial.tools.list_ports import comports

    return "\n".join(
        f"{port.device}: {port.description}, {port.manufacturer or 'maker unknown'}, "
        f"{f'{port.vid:04x}:{port.pid:04x}' if port.vid and port.pid else 'no USB'}"
        for port in sorted(comports())
    )


def _hosts(case: Case) -> list[str]:
    found = [host_of(device.options) for device in case.config.devices] if case.config else []
    sources = [mount.source for mount in mounts(case.machine)]
    found += [each[2:].partition("/")[0] for each in sources if each.startswith("//")]
    found += [host for each in sources if (host := each.partition(":/")[0]) != each]
    return [each for each in found if each]
