"""A disk that fails to sync: what its log has all the same is stored once."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.store import Reader
from agent.store.waiting import Known, WaitingRow
from agent.store.witness import Witness
from agent.store.writer import Writer
from tests.fakes import FakeClock
from tests.store.journaled import memory_folder, needs_memory
from tests.store.stored import EVER

HERE = Path(__file__).parent
COMPILER = shutil.which("gcc")
needs_compiler = pytest.mark.skipif(
    COMPILER is None, reason="gcc is not installed: apt-get install gcc"
)
pytestmark = [needs_memory, needs_compiler, pytest.mark.timeout(600)]

FAILURES = 20  # at least so many lives with a sync that failed
FAULTS_SHOWN = 10


@pytest.fixture
def memory() -> Iterator[Path]:
    with memory_folder() as folder:
        yield folder


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library that makes syncs fail."""
    made = tmp_path / "failing_sync.so"
    words = ["-shared", "-fPIC", "-o", made, HERE / "failing_sync.c", "-ldl"]
    subprocess.run([str(COMPILER), *map(str, words)], check=True, timeout=60)
    return made


@pytest.mark.parametrize("act", ["go on", "go on without a journal", "overflow", "stop", "inherit"])
def test_whichever_syncs_fail_all_is_stored_once(memory: Path, library: Path, act: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.store.fail_each_sync", str(memory), act],
        cwd=HERE.parent.parent,
        env={**os.environ, "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["faults"][:FAULTS_SHOWN] == []
    assert found["failures"] > FAILURES


def test_what_is_found_in_the_log_is_in_the_file_itself_before_it_counts_as_stored(
    tmp_path: Path, clock: FakeClock
) -> None:
    path, alone = tmp_path / "telemetry.db", tmp_path / "alone.db"
    writer = Writer(path, clock, "1", clock.now_ms(), print)
    marks: list[Witness] = []
    row = WaitingRow("press", clock.stamp(), ("level",), "[1]")
    writer.commit([row], {}, {"press": Known("s7", 1.0)}, (), marks.append)

    assert writer.holds(marks[0])

    shutil.copy(path, alone)
    writer.close()
    with Reader(alone) as reader:
        assert [dict(one.values) for one in reader.samples("press", *EVER)] == [{"level": 1}]
