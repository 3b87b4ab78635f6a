"""``kill -9`` while blocks are sealed, merged and given their true times loses nothing at all."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent_process import wait_for
from tests.proofs.lives import Lives
from tests.proofs.stored import is_sound
from tests.proofs.writing import RIGHT, SET, WRONG, last_said
from tests.store.journaled import memory_folder, needs_memory

LIVES_S = 0.8  # at most, once it writes
CLOCKS_OF_A_BOOT = (WRONG, SET, RIGHT, RIGHT, RIGHT)  # in the later ones times are repaired


@pytest.fixture
def memory() -> Iterator[Path]:
    with memory_folder() as folder:
        yield folder


@needs_memory
@pytest.mark.timeout(3600)  # a kill takes a second
@pytest.mark.parametrize(
    "kills", [pytest.param(50, id="short"), pytest.param(500, id="long", marks=pytest.mark.slow)]
)
def test_a_writer_killed_while_it_seals_loses_nothing_and_doubles_nothing(
    kills: int, memory: Path, tmp_path: Path
) -> None:
    lives = Lives(tmp_path / "telemetry.db", tmp_path / "said", memory)
    chance = random.Random(kills)

    for number in range(kills):
        live_and_be_killed(lives, chance, CLOCKS_OF_A_BOOT[number % len(CLOCKS_OF_A_BOOT)])
        if number % len(CLOCKS_OF_A_BOOT) == len(CLOCKS_OF_A_BOOT) - 1:
            lives.inherit()  # what waits at the end of a boot is lost with it
            assert is_sound(lives.path)
            assert lives.lost_and_doubled() == ([], [])
            lives.reboot()

    assert lives.complaints() == []
    assert lives.have_merged()
    assert lives.have_moved()
    assert list(memory.iterdir()) == []


def live_and_be_killed(lives: Lives, chance: random.Random, clock: str) -> None:
    """A life that ends at any time; one in eight perhaps before its first sample."""
    before = last_said(lives.said).taken
    with lives.start(clock) as process:
        if chance.random() < 1 / 8:
            time.sleep(chance.uniform(0, LIVES_S))
        else:
            wait_for(lambda: last_said(lives.said).taken > before or process.poll() is not None)
            time.sleep(chance.uniform(0, LIVES_S))
        assert process.poll() is None, lives.complaints()
        process.kill()
