"""A kill at any moment while samples get their true time: the next run goes on with it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(1200)

ROOT = Path(__file__).parent.parent.parent
FAULTS_SHOWN = 10


@pytest.mark.parametrize("start", ["from 1970", "forward", "back"])
@pytest.mark.parametrize(
    ("stride", "kills"),
    [
        pytest.param(401, 10, id="short"),
        pytest.param(7, 600, id="long", marks=pytest.mark.slow),
    ],
)
def test_whenever_it_is_killed_each_sample_is_there_once_and_true(
    tmp_path: Path, start: str, stride: int, kills: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.store.kill_true_time", str(tmp_path), str(stride), start],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["faults"][:FAULTS_SHOWN] == []
    assert found["kills"] >= kills
