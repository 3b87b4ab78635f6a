"""What ``agent doctor`` does: look, show, and write the report where one is wanted."""

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from agent.console.progress import ProgressLine
from agent.console.table import terminal_columns
from agent.devices import KINDS
from agent.discovery.search import Kinds
from agent.doctor.case import gather
from agent.doctor.checkup import check_up
from agent.doctor.machine import Machine
from agent.doctor.report import report_text
from agent.doctor.show import as_json as findings_as_json
from agent.doctor.show import as_text, is_well
from agent.errors import AgentError, ConfigError
from agent.files import sync_folder
from agent.zones import zone_of

NAMES = 100  # reports of one second


def doctor_report(
    file: Path | None,
    *,
    report: str | None,
    is_without_hosts: bool,
    as_json: bool,
    machine: Machine | None = None,
    kinds: Kinds = KINDS,
) -> tuple[str, bool]:
    """What to print, and whether nothing is a problem.

    Args:
        report: Where to write the file to send; empty for a name with the time in it, ``None``
            for no file.

    Raises:
        ConfigError: The file of the report is there already.
        AgentError: It can't be written.
    """
    machine = machine or Machine()
    target = _target(machine, report) if report is not None else None
    case = gather(machine, file, kinds)
    line = ProgressLine()
    try:
        findings = check_up(case, _progress(line))
    finally:
        line.clear()
    text = findings_as_json(findings) if as_json else as_text(findings, terminal_columns())
    if target is not None:
        path = _write(target, report_text(case, findings, is_without_hosts=is_without_hosts))
        text += "" if as_json else f"\n\n{_written(path, is_without_hosts=is_without_hosts)}"
    return text, is_well(findings)


def _progress(line: ProgressLine) -> Callable[[int, int, float], None]:
    def tell(done: int, total: int, seconds: float) -> None:
        line.say(seconds, f"reading devices: {done} of {total} done, {seconds:.0f} s")

    return tell


def _written(path: Path, *, is_without_hosts: bool) -> str:
    hosts = "" if is_without_hosts else " Hosts are in it (--hide-hosts replaces them)."
    return (
        f"Written to {path}, for you alone to read.{hosts}\n"
        "Passwords and tokens were removed; read it before you send it."
    )


def _target(machine: Machine, report: str) -> list[Path]:
    """The names that the file may have, the first that is free is taken."""
    if report:
        path = Path(report).expanduser()
        if os.path.lexists(path):
            raise ConfigError(
                f"--report: found {report!r}, which is there already, allowed: a new file"
            )
        if not path.parent.is_dir():
            raise ConfigError(
                f"--report: found {report!r}, but there is no folder {str(path.parent)!r}, "
                "make it first"
            )
        return [path]
    try:
        zone = zone_of("local")
    except ConfigError:
        zone = zone_of("UTC")
    now = datetime.fromtimestamp(machine.clock.now_ms() / 1000, zone)
    stem = f"agent-report-{now:%Y%m%d-%H%M%S}"
    return [Path(f"{stem}{f'-{n}' if n > 1 else ''}.txt") for n in range(1, NAMES)]


def _write(names: Sequence[Path], text: str) -> Path:
    for path in names:
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            continue
        except OSError as exc:
            raise AgentError(
                f"cannot write {path}: {exc.strerror}; name a file that this user may write"
            ) from exc
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(text.encode("utf-8", "replace"))
                stream.flush()
                os.fsync(stream.fileno())
            sync_folder(path.parent)
        except OSError as exc:
            path.unlink(missing_ok=True)
            raise AgentError(f"cannot write {path}: {exc.strerror}") from exc
        return path.absolute()
    raise ConfigError(f"--report: {names[0]} is there already")
