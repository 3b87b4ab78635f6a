"""Upkeep that is killed anywhere: nothing is lost, nothing doubled, and the next one goes on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
FAULTS_SHOWN = 10


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("stride", "kills"),
    [
        pytest.param(37, 10, id="some calls"),
        pytest.param(1, 400, id="each call", marks=pytest.mark.slow),
    ],
)
def test_a_kill_at_any_call_of_sqlite_loses_nothing_and_doubles_nothing(
    tmp_path: Path, stride: int, kills: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.store.kill_upkeep", str(tmp_path), str(stride)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["faults"][:FAULTS_SHOWN] == []
    assert found["kills"] > kills
    assert len(found["forms"]) == 4  # batches sealed, rows sealed, blocks merged, or nothing yet
