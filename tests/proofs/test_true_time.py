"""A real agent on a board without a clock chip: what it read before it knew the time is true."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.model import Sample, Stamp
from agent.store import Reader, Store
from agent.store.moved import Moved
from hw_sim.s7 import S7Simulator
from tests.agent_process import (
    AgentProcess,
    host_device,
    plcs,
    s7_device,
    wait_for,
    write_config,
)
from tests.proofs.fake_wall import ProcessWall, SettableClock, berlin_ms, libfaketime
from tests.proofs.stored import Row, gaps_of, is_sound, rows_of, run_starts

pytestmark = pytest.mark.timeout(300)  # the first upkeep comes after half a minute

PLC_S, HOST_S = 0.2, 1.0
NEVER_SET_MS = 5000
OFF_MS = 3_600_000  # so long it was without power, as far as its clock can tell
LATE_MS = 5000  # the machine may be busy with the other tests
DEVICES = ("plc", "host")
OLD = 20  # samples of each
EVER = (-(10**14), 10**14)
LIBRARY = libfaketime()
COMPILER = shutil.which("gcc")
needs_both = pytest.mark.skipif(
    LIBRARY is None or COMPILER is None,
    reason="libfaketime or gcc is not installed: apt install libfaketime gcc",
)


@pytest.fixture
def plc() -> Iterator[S7Simulator]:
    with plcs(1) as [simulator]:
        yield simulator


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    """A library by which the kernel is asked whether it knows the time."""
    made = tmp_path / "told_kernel.so"
    source = Path(__file__).with_name("told_kernel.c")
    words = ["-shared", "-fPIC", "-o", made, source]
    subprocess.run([str(COMPILER), *map(str, words)], check=True, timeout=60)
    return made


@needs_both
@pytest.mark.parametrize("said_ms", [NEVER_SET_MS, None], ids=["1970", "where it was switched off"])
def test_all_times_are_true_once_the_clock_is_set(
    said_ms: int | None, plc: S7Simulator, kernel: Path, tmp_path: Path
) -> None:
    assert LIBRARY is not None
    wall = ProcessWall(tmp_path, LIBRARY)
    synchronised = tmp_path / "synchronised"
    env = {
        **wall.env,
        "LD_PRELOAD": f"{LIBRARY} {kernel}",
        "SYNCHRONISED_FILE": str(synchronised),
    }
    plc_table = s7_device("plc", plc.port, interval_s=PLC_S)
    config = write_config(tmp_path, [plc_table, host_device(HOST_S)])
    path = tmp_path / "data" / "telemetry.db"
    end_ms = put_old_data(path)

    wall.set(said_ms or end_ms + 1000)
    with AgentProcess(config, env=env) as agent:
        wait_for(lambda: len(rows(path, "host")) > OLD + 4, what="rows at a wrong time")
        wall.set(end_ms + OFF_MS)
        wait_for(lambda: agent.lines("the clock was set"), what="the true time")
        synchronised.touch()
        wait_for(lambda: len(moved(path)) == len(DEVICES), 120.0, what="true times")
        wait_for(lambda: len(agent.lines("true time now")) == len(DEVICES), what="the log")
        status = agent.status()
        code, _ = agent.stop()

    assert code == 0
    assert is_sound(path)
    for device in DEVICES:
        assert f"samples of {device}" in status
        assert_times_run_on(path, device, end_ms)


def put_old_data(path: Path) -> int:
    """What a run stored that knew the time; when that was, at the end."""
    clock = SettableClock(berlin_ms("2026-11-20 12:00:00"))
    store = Store(path, clock)
    for device, kind, interval_s in (("plc", "s7", PLC_S), ("host", "host", HOST_S)):
        store.add_device(device, kind, interval_s)
        for number in range(OLD):
            stamp = clock.stamp()
            later_ms = number * 1000
            stamp = Stamp(stamp.ts_ms + later_ms, stamp.monotonic_ms + later_ms)
            store.append(Sample(device, stamp, {"counter": number}))
    store.close()
    return max(row.ts_ms for device in DEVICES for row in rows(path, device))


def rows(path: Path, device: str) -> list[Row]:
    """What is stored of a device."""
    return rows_of(path, device, "host_row" if device == "host" else "row")


def moved(path: Path) -> dict[str, Moved]:
    """What was moved of each device."""
    with Reader(path) as reader:
        found = {device: reader.moved(device, *EVER) for device in DEVICES}
    return {device: each[0] for device, each in found.items() if each}


def assert_times_run_on(path: Path, device: str, end_ms: int) -> None:
    """After the pause, the wall clock says what the other one says, from the first sample on."""
    found = rows(path, device)
    behind = found[OLD:]
    offsets = {row.ts_ms - row.monotonic_ms for row in behind}
    assert max(offsets) - min(offsets) <= 100
    assert [row.ts_ms for row in behind] == sorted(row.ts_ms for row in behind)
    assert behind[0].ts_ms < end_ms + OFF_MS <= behind[-1].ts_ms
    [down] = [gap for gap in gaps_of(path, device) if gap.reason in ("agent down", "clock")]
    assert (down.start_ms, down.end_ms) == (end_ms, run_starts(path)[-1])
    assert 0 <= behind[0].ts_ms - run_starts(path)[-1] <= LATE_MS
