"""The power goes at any moment: what had been flushed is there, once, and the store starts."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent_process import wait_for
from tests.proofs.cut_disk import CutDisk, missing_disk
from tests.proofs.lives import Lives
from tests.proofs.stored import is_sound
from tests.proofs.writing import SET, counted, last_said

PAUSE_S = 0.5  # at most, between two cuts
LIFE = 10  # cuts; then the power is back, and another process goes on
LEFT_BY_A_STORE = {"telemetry.db", "telemetry.db-wal", "telemetry.db-shm", "lost+found"}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[CutDisk]:
    if why := missing_disk(tmp_path):
        pytest.skip(f"no disk can be made here: {why}")
    with CutDisk(tmp_path) as found:
        yield found


@pytest.mark.timeout(3600)  # a cut takes a second
@pytest.mark.parametrize(
    "cuts", [pytest.param(20, id="short"), pytest.param(300, id="long", marks=pytest.mark.slow)]
)
def test_a_power_cut_loses_nothing_that_was_flushed_and_doubles_nothing(
    cuts: int, disk: CutDisk, tmp_path: Path
) -> None:
    lives = Lives(disk.folder / "telemetry.db", tmp_path / "said")
    chance = random.Random(cuts)

    for number in range(0, cuts, LIFE):
        live_through(lives, disk, min(LIFE, cuts - number), chance)
        lives.reboot()

    assert lives.complaints() == []
    assert lives.have_merged()
    assert lives.have_moved()


def live_through(lives: Lives, disk: CutDisk, cuts: int, chance: random.Random) -> None:
    """One process writes on while the power is cut again and again."""
    before = last_said(lives.said).flushed
    with lives.start(SET) as process:
        try:
            wait_for(lambda: last_said(lives.said).flushed > before or process.poll() is not None)
            for _ in range(cuts):
                time.sleep(chance.uniform(0, PAUSE_S))
                cut_and_check(lives, disk)
            assert process.poll() is None, lives.complaints()
        finally:
            process.kill()


def cut_and_check(lives: Lives, disk: CutDisk) -> None:
    """What was flushed before the cut began is on the disk, each sample once."""
    flushed = flushed_numbers(lives.said)
    with disk.cut() as found:
        path = found / "telemetry.db"
        lives.start_on(path)

        assert is_sound(path)
        there = counted(path)
        assert sorted(flushed - set(there)) == []
        assert [number for number, times in there.items() if times > 1] == []
        assert {each.name for each in found.iterdir()} <= LEFT_BY_A_STORE  # nothing set aside


def flushed_numbers(said: Path) -> set[int]:
    """What went in before a flush that worked, in the life of the same process.

    A killed process took along what it had not flushed: there is no journal here.
    """
    found: set[int] = set()
    waiting: list[int] = []
    for line in said.read_text("ascii").split("\n")[:-1]:
        word, number = line.split()
        if word == "s":
            waiting.append(int(number))
            continue
        if word == "f":
            found.update(waiting)
        if word in "fb":
            waiting = []
    return found
