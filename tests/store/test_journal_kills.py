"""A store that is killed anywhere: nothing is lost, nothing doubled; and a journal that is damaged.

Each life and each heir is a process that ends by ``SIGKILL`` at a chosen call.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.journaled import (
    Journaled,
    has_device,
    leave,
    memory_folder,
    needs_memory,
    put,
    samples,
)
from tests.store.killed import account_of

pytestmark = [needs_memory, pytest.mark.timeout(1200)]

PLENTY = 1_000_000  # bytes that may wait
LITTLE = 60_000


@pytest.fixture
def memory() -> Iterator[Path]:
    with memory_folder() as folder:
        yield folder


@pytest.mark.parametrize(
    ("stride", "waiting_bytes", "refusals", "rounds", "count", "kills"),
    [
        pytest.param(61, PLENTY, 0, 3, 3, 60, id="short"),
        pytest.param(251, PLENTY, 2, 3, 9, 20, id="short, the file can't be written at first"),
        pytest.param(701, LITTLE, 2, 2, 60, 25, id="short, more waits than is allowed"),
        pytest.param(1, PLENTY, 0, 3, 3, 4000, id="each call", marks=pytest.mark.slow),
        pytest.param(
            7, PLENTY, 2, 3, 9, 900, id="the file can't be written at first", marks=pytest.mark.slow
        ),
        pytest.param(
            29, LITTLE, 2, 2, 60, 800, id="more waits than is allowed", marks=pytest.mark.slow
        ),
    ],
)
def test_a_kill_at_any_call_loses_nothing_and_doubles_nothing(
    memory: Path,
    stride: int,
    waiting_bytes: int,
    refusals: int,
    rounds: int,
    count: int,
    kills: int,
) -> None:
    found = account_of("kill_each_step", memory, stride, waiting_bytes, refusals, rounds, count)

    assert found["kills"] > kills


@pytest.mark.parametrize(
    "rounds", [pytest.param(60, id="short"), pytest.param(2000, id="long", marks=pytest.mark.slow)]
)
def test_of_a_damaged_journal_only_what_is_whole_is_stored_and_no_start_fails(
    journaled: Journaled, rounds: int, tmp_path: Path
) -> None:
    chance = random.Random(rounds)
    for number in range(rounds):
        one = Journaled(tmp_path / f"{number}.db", journaled.memory, journaled.clock)
        left = leave(one, count=5)
        [part] = one.parts()
        damage(part, chance)
        store = one.store()
        new = put(store, one.clock, number=99)

        assert store.flush()
        store.close()

        *old, last = samples(one)
        assert last == new
        assert old == [sample for sample in left if sample in old]
        for path in one.memory.glob("journal-*/*"):  # one that could not be read was set aside
            path.unlink()


def damage(part: Path, chance: random.Random) -> None:
    """Bytes that are changed, cut off, zeroed or added."""
    data = bytearray(part.read_bytes())
    start = chance.randrange(len(data))
    end = min(len(data), start + chance.choice([1, 8, 200]))
    match chance.randrange(4):
        case 0:
            data[start:end] = chance.randbytes(end - start)
        case 1:
            del data[start:]
        case 2:
            data[start:end] = bytes(end - start)
        case _:
            data += chance.randbytes(chance.randrange(1, 100))
    part.write_bytes(data)


def test_a_part_without_a_head_was_never_written_to_and_is_no_damage(
    journaled: Journaled, caplog: pytest.LogCaptureFixture
) -> None:
    leave(journaled)
    [part] = journaled.parts()
    part.write_bytes(b"")
    caplog.clear()

    store = journaled.store()
    store.close()

    assert not has_device(journaled)
    assert caplog.messages == []
    assert list(journaled.memory.iterdir()) == []
