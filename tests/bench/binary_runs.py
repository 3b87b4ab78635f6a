"""Programs that are measured while they run: their memory, CPU and time to start."""

import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import attrs

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
WAIT_S = 60.0
LOOK_EVERY_S = 0.002
END_S = 10.0


@attrs.frozen
class Usage:
    """What a program held at one time, and used from there to another; all its processes."""

    resident_mb: float  # of its largest process, as "ps" shows it
    pss_mb: float  # its share of what others use as well
    uss_mb: float  # what would be free without it
    cpu_pct: float  # of one core


@contextmanager
def started(
    words: Sequence[str], folder: Path, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A program in a session of its own, ended in order."""
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=dict(os.environ if env is None else env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(END_S)


def until(condition: Callable[[], object], what: str) -> float:
    """Wait for it; ``time.monotonic()`` of when it was.

    Raises:
        TimeoutError: It never was.
    """
    end_s = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > end_s:
            raise TimeoutError(f"not within {WAIT_S:g} s: {what}")
        time.sleep(LOOK_EVERY_S)
    return time.monotonic()


def usage_of(leader: int, seconds: float, meanwhile: Callable[[], object] | None = None) -> Usage:
    """Of a session, over so many seconds; ``meanwhile`` is called every second of them."""
    before_s = _cpu_s(leader)
    began_s = time.monotonic()
    for second in range(round(seconds)):
        if meanwhile is not None:
            meanwhile()
        time.sleep(max(0.0, began_s + second + 1 - time.monotonic()))
    took_s = time.monotonic() - began_s
    cpu_pct = 100 * (_cpu_s(leader) - before_s) / took_s
    rollups = [_rollup(pid) for pid in session_of(leader)]
    return Usage(
        max(each["Rss"] for each in rollups),
        sum(each["Pss"] for each in rollups),
        sum(each["Private_Clean"] + each["Private_Dirty"] for each in rollups),
        cpu_pct,
    )


def session_of(leader: int) -> list[int]:
    """The processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(_stat(path)[3]) == leader:
                found.append(int(path.parent.name))
    return found


def unpacked_in(leader: int) -> float:
    """MiB of the folder that a one file has unpacked itself in."""
    found = set()
    for pid in session_of(leader):
        for line in Path(f"/proc/{pid}/maps").read_text("utf-8", "replace").splitlines():
            before, mark, after = line.rpartition("/_MEI")
            if mark:
                found.add(Path("/" + before.partition("/")[2], "_MEI" + after.split("/")[0]))
    files = [path for folder in found for path in folder.rglob("*") if path.is_file()]
    return sum(path.stat().st_blocks * 512 for path in files) / 2**20


def page(url: str) -> bytes:
    """A page of a program here; nothing while it does not answer."""
    try:
        with urllib.request.urlopen(url, timeout=WAIT_S) as answer:
            content: bytes = answer.read()
            return content
    except OSError:
        return b""


def _cpu_s(leader: int) -> float:
    fields = [_stat(Path(f"/proc/{pid}/stat")) for pid in session_of(leader)]
    return sum(int(each[11]) + int(each[12]) for each in fields) / TICKS_PER_S


def _stat(path: Path) -> list[str]:
    return path.read_text("ascii", "replace").rpartition(")")[2].split()


def _rollup(pid: int) -> dict[str, float]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()[1:]
    return {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines}
