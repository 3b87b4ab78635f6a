"""What the agent wrote to disks: since its start, and since midnight."""

import os
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.written import Written
from tests.fakes import NOON_MS, FakeClock

BERLIN = ZoneInfo("Europe/Berlin")
HOUR_S = 3600


class Counters:
    """A file as the kernel has it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count(1000)

    def count(self, written: int) -> None:
        self.path.write_text(f"rchar: 5\nwchar: 9999999\nwrite_bytes: {written}\n", "ascii")


@pytest.fixture
def counters(tmp_path: Path) -> Counters:
    return Counters(tmp_path / "io")


def test_what_was_written_before_the_start_does_not_count(counters: Counters) -> None:
    written = Written(FakeClock(), BERLIN, counters.path)
    counters.count(1500)

    assert written.state() == {
        "today_bytes": 500,
        "today_since_ms": NOON_MS,
        "since_start_bytes": 500,
    }


def test_a_day_begins_at_local_midnight(counters: Counters) -> None:
    clock = FakeClock()
    written = Written(clock, BERLIN, counters.path)
    counters.count(1500)
    clock.advance(11 * HOUR_S)  # 24:00 in Berlin
    before = written.state()
    counters.count(1700)

    assert before == {
        "today_bytes": 0,
        "today_since_ms": clock.now_ms(),
        "since_start_bytes": 500,
    }
    assert written.state() == before | {"today_bytes": 200, "since_start_bytes": 700}


@pytest.mark.parametrize("text", ["", "write_bytes:\n", "write_bytes: x\n", "read_bytes: 5\n"])
def test_where_the_kernel_counts_nothing_there_is_nothing_to_tell(
    counters: Counters, text: str
) -> None:
    counters.path.write_text(text, "ascii")

    assert Written(FakeClock(), BERLIN, counters.path).state() is None


def test_where_it_may_not_be_read_there_is_nothing_to_tell(tmp_path: Path) -> None:
    assert Written(FakeClock(), BERLIN, tmp_path / "missing").state() is None


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="the kernel does not count here")
def test_what_this_process_writes_and_syncs_is_counted(tmp_path: Path) -> None:
    written = Written(FakeClock(), BERLIN)
    with (tmp_path / "file").open("wb") as file:
        file.write(bytes(1_000_000))
        file.flush()
        os.fsync(file.fileno())

    state = written.state()

    assert state is not None
    in_memory = os.statvfs(tmp_path).f_fsid == 0
    assert in_memory or state["since_start_bytes"] >= 1_000_000
