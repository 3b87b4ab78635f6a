"""The power fails while the file gets holes: it is whole, and all is there that was said to be."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.store import Reader
from tests.agent_process import wait_for
from tests.proofs.cut_disk import CutDisk, missing_disk
from tests.proofs.stored import is_sound
from tests.store.filled import DEVICES
from tests.store.stored import EVER

ROOT = Path(__file__).parent.parent.parent
PAUSE_S = 1.0  # at most, between two cuts
ROUNDS = 40  # before the first


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[CutDisk]:
    if why := missing_disk(tmp_path):
        pytest.skip(f"no disk can be made here: {why}")
    with CutDisk(tmp_path) as found:
        yield found


@contextmanager
def writing(folder: Path, told: Path) -> Iterator[None]:
    """Somebody stores, deletes and makes holes there; what it told lies in a file elsewhere."""
    command = [sys.executable, "-m", "tests.store.holes_for_ever", str(folder), "1"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with told.open("wb") as out:
        process = subprocess.Popen(command, env=environ, stdout=out)
        try:
            yield
            assert process.poll() is None
        finally:
            process.kill()
            process.wait()


def rounds(told: Path) -> list[tuple[int, int]]:
    """The number of the newest sample, and the bytes that were given back, after each round."""
    whole = told.read_text("ascii").rpartition("\n")[0]
    found = (line.partition(" ") for line in whole.splitlines())
    return [(int(number), int(given)) for number, _, given in found]


def newest(path: Path) -> int:
    """The number of the newest sample that is there; all that is there can be read."""
    with Reader(path) as reader:
        texts = [
            str(sample.values["noise"])
            for device in DEVICES
            for sample in reader.samples(device, *EVER)
        ]
        assert reader.damaged == []
    return max(int(text) for text in texts if len(text) < 10 and text.isdecimal())


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "cuts", [pytest.param(3, id="short"), pytest.param(100, id="long", marks=pytest.mark.slow)]
)
def test_a_power_cut_finds_the_file_whole(cuts: int, disk: CutDisk, tmp_path: Path) -> None:
    chance = random.Random(cuts)
    told = tmp_path / "told"
    with writing(disk.folder, told):
        wait_for(lambda: len(rounds(told)) >= ROUNDS, 120, "rounds")
        for _ in range(cuts):
            time.sleep(chance.uniform(0, PAUSE_S))
            number, _ = rounds(told)[-1]
            with disk.cut() as found:
                assert is_sound(found / "telemetry.db")
                assert newest(found / "telemetry.db") >= number
        _, given = rounds(told)[-1]

    assert given > 0
