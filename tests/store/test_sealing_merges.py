"""Small blocks of a device that become large ones, each sample once."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.store.aggregates import MINUTE_MS
from agent.store.making import SAMPLES
from agent.store.merging import OVER_S
from agent.store.planning import Extent, groups
from tests.fakes import FakeClock
from tests.store.upkept import Sealed

HOUR_S, DAY_S = 3600, 86_400


@pytest.fixture
def upkept(tmp_path: Path, clock: FakeClock) -> Iterator[Sealed]:
    made = Sealed(tmp_path / "telemetry.db", clock)
    yield made
    made.close()


def counts(upkept: Sealed) -> list[int]:
    return [row.count for row in upkept.blocks()]


def test_blocks_of_a_day_are_merged_when_the_next_does_not_fit(upkept: Sealed) -> None:
    upkept.keep_up(23 * HOUR_S, every_s=300)
    assert len(counts(upkept)) > 15

    upkept.keep_up(4 * HOUR_S, every_s=300)

    first, *others = counts(upkept)
    assert 23 * 12 < first <= 24 * 12
    assert max(others) < 16
    assert upkept.has_all()


def test_a_merged_block_is_not_written_again(upkept: Sealed) -> None:
    upkept.keep_up(26 * HOUR_S, every_s=300)
    [merged, *_] = upkept.blocks()

    for _ in range(2):
        upkept.restart(in_order=True)
        upkept.keep_up(HOUR_S, every_s=60)

    assert upkept.sql("SELECT count(*) FROM meta WHERE key LIKE 'merged %'") == [(1,)]
    assert upkept.blocks()[0].id == merged.id
    assert upkept.blocks()[0].block.times() == merged.block.times()


def test_minutes_are_those_of_the_merged_block(upkept: Sealed) -> None:
    upkept.keep_up(3 * HOUR_S, every_s=5)
    upkept.clock.advance(2 * DAY_S)
    upkept.keep_up(2 * HOUR_S, every_s=5)

    kept = upkept.sql("SELECT block FROM aggregate WHERE span_ms = ?", MINUTE_MS)

    assert counts(upkept)[0] == 2160
    assert kept == [(row.id,) for row in upkept.blocks()]


def test_what_a_device_gave_last_is_merged_when_it_is_silent(upkept: Sealed) -> None:
    upkept.keep_up(3 * HOUR_S, every_s=60)
    for _ in range(2):
        upkept.clock.advance(2 * HOUR_S)
        upkept.run_upkeep()
    assert len(counts(upkept)) == 4

    upkept.clock.advance(OVER_S + 1)
    upkept.run_upkeep()

    assert counts(upkept) == [180]
    assert upkept.has_all()


def test_a_block_that_is_damaged_stays_and_the_others_are_merged(
    upkept: Sealed, caplog: pytest.LogCaptureFixture
) -> None:
    upkept.keep_up(8 * HOUR_S, every_s=60)
    upkept.execute("UPDATE block SET data = zeroblob(50) WHERE id = 4")
    upkept.clock.advance(DAY_S + 100)
    caplog.clear()

    upkept.keep_up(2 * HOUR_S, every_s=60)

    texts = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert len([text for text in texts if "number 4 of table block" in text]) == 1
    sizes = upkept.sql("SELECT id, count FROM block WHERE length(data) > 50 ORDER BY count")
    assert int(str(sizes[-1][1])) > 300
    assert upkept.sql("SELECT id FROM block WHERE length(data) = 50") == [(4,)]


def test_a_layout_that_changed_for_good_is_not_merged_with_the_one_before(upkept: Sealed) -> None:
    upkept.keep_up(5 * HOUR_S, every_s=60)
    for _ in range(30):
        for _ in range(10):
            upkept.put(level=len(upkept.sent["press"]))
            upkept.clock.advance(60)
        upkept.store.flush()
        upkept.run_upkeep()
    upkept.clock.advance(2 * DAY_S)
    upkept.keep_up(2 * HOUR_S, every_s=60)

    assert counts(upkept)[:2] == [300, 300]
    assert upkept.has_all()


def extent(count: int = 1, values: int = 1, first_ms: int = 0, *layouts: int) -> Extent:
    numbers = frozenset((number, 1) for number in layouts or (1,))
    return Extent(count, values, first_ms, first_ms, numbers)


@pytest.mark.parametrize(
    ("extents", "wanted"),
    [
        ([], []),
        ([extent()], [range(1)]),
        ([extent(SAMPLES - 1), extent(), extent()], [range(2), range(2, 3)]),
        ([extent(1, 600_000), extent(1, 400_000), extent()], [range(2), range(2, 3)]),
        ([extent(2 * SAMPLES), extent()], [range(1), range(1, 2)]),
        (
            [extent(), extent(1, 1, DAY_S * 1000 + 1), extent()],
            [range(1), range(1, 2), range(2, 3)],
        ),
        ([extent(1, 1, 0, 1), extent(1, 1, 0, 1, 2), extent(1, 1, 0, 2)], [range(1), range(1, 3)]),
        ([extent(1, 1, 0, number) for number in range(9)], [range(9)]),
        ([extent(1, 1, 0, number) for number in range(99)], [range(99)]),
    ],
    ids=["none", "one", "count", "values", "too large", "time", "life", "habit", "always new"],
)
def test_as_many_are_grouped_as_fit(extents: list[Extent], wanted: list[range]) -> None:
    assert groups(extents) == wanted
