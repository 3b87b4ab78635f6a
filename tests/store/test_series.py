"""What a metric comes to over stretches of time, whatever form its samples lie in."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import StoreError
from agent.model import Value
from agent.store import Reader
from agent.store.aggregates import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS
from agent.store.series import Bucket, buckets, min_max, periods
from tests.fakes import NOON_MS, FakeClock
from tests.store.test_aggregates import fields_by_hand
from tests.store.upkept import Sealed

EVEN_MS = NOON_MS // DAY_MS * DAY_MS


@pytest.fixture
def upkept(tmp_path: Path, clock: FakeClock) -> Iterator[Sealed]:
    made = Sealed(tmp_path / "telemetry.db", clock)
    yield made
    made.close()


def by_hand(upkept: Sealed, metric: str, edges: Sequence[int]) -> list[Bucket]:
    """Of all samples that were put in."""
    found: dict[int, list[Value]] = {}
    for ts_ms, values in upkept.sent["press"]:
        if edges[0] <= ts_ms < edges[-1] and values.get(metric) is not None:
            found.setdefault(edges[bisect_right(edges, ts_ms) - 1], []).append(values[metric])
    return [Bucket(start, *fields_by_hand(cells)) for start, cells in sorted(found.items())]  # type: ignore[arg-type]


@pytest.mark.parametrize("metric", ["level", "temperature", "mode"])
@pytest.mark.parametrize(
    "edges",
    [
        [NOON_MS, NOON_MS + 30 * HOUR_MS],
        [*range(NOON_MS, NOON_MS + 30 * HOUR_MS, HOUR_MS)],
        [*range(NOON_MS - HOUR_MS, NOON_MS + 30 * HOUR_MS, 3 * QUARTER_MS)],
        [*range(NOON_MS + 26 * HOUR_MS + 7 * MINUTE_MS, NOON_MS + 30 * HOUR_MS, MINUTE_MS)],
        [*range(NOON_MS + 26 * HOUR_MS + 12_345, NOON_MS + 30 * HOUR_MS, 7_777)],
        [NOON_MS + 1, *range(NOON_MS + HOUR_MS, NOON_MS + 29 * HOUR_MS, HOUR_MS), EVEN_MS + 10**8],
        [NOON_MS + 1, NOON_MS + 2],
        [EVEN_MS - 9 * DAY_MS, EVEN_MS - 3 * DAY_MS],
        [EVEN_MS, EVEN_MS + DAY_MS, EVEN_MS + 2 * DAY_MS, EVEN_MS + 3 * DAY_MS],
    ],
    ids=["all", "hours", "quarters", "minutes", "any", "ends", "nothing", "before", "days"],
)
def test_periods_are_as_counted_by_hand(
    day: Callable[[], Sealed], edges: list[int], metric: str
) -> None:
    upkept = day()

    with Reader(upkept.path) as reader:
        found = periods(reader, "press", metric, edges)

    assert found == by_hand(upkept, metric, edges)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Sealed]]:
    """27 h by the minute and 3 h each 5 s: blocks with minutes and without, and batches."""
    made = Sealed(tmp_path_factory.mktemp("day") / "telemetry.db", FakeClock())
    made.keep_up(27 * 3600, every_s=60)
    made.keep_up(3 * 3600, every_s=5)
    yield lambda: made
    made.close()


def test_the_day_has_all_forms(day: Callable[[], Sealed]) -> None:
    upkept = day()

    spans = {span for (span,) in upkept.sql("SELECT span_ms FROM aggregate")}

    assert upkept.count("block") > 5
    assert upkept.count("batch") > 10
    assert spans == {MINUTE_MS, QUARTER_MS, HOUR_MS}


@pytest.mark.parametrize("points", [1, 7, 100, 499])
@pytest.mark.parametrize(
    ("start", "length"), [(0, 30 * HOUR_MS), (27 * HOUR_MS + 123_456, 2 * HOUR_MS + 777)]
)
def test_points_are_at_most_so_many_and_cover_all(
    day: Callable[[], Sealed], points: int, start: int, length: int
) -> None:
    upkept = day()
    start_ms, end_ms = NOON_MS + start, NOON_MS + start + length

    with Reader(upkept.path) as reader:
        found = min_max(reader, "press", "level", start_ms, end_ms, points)

    edges = [*(bucket.start_ms for bucket in found), end_ms]
    assert found == by_hand(upkept, "level", edges)
    assert points / 4 < len(found) <= points
    assert sum(bucket.count for bucket in found) == (length // 5000 if start else 27 * 60 + 2160)


def test_rows_of_plain_devices_count_too(tmp_path: Path, clock: FakeClock) -> None:
    upkept = Sealed(tmp_path / "telemetry.db", clock, plain=True, plain_days=1)
    for _ in range(60):
        upkept.poll(200, every_s=10)
        upkept.clock.advance(3400)
        upkept.run_upkeep()

    with Reader(upkept.path) as reader:
        found = buckets(reader, "press", "level", EVEN_MS, EVEN_MS + 5 * DAY_MS, HOUR_MS)

    assert upkept.count("row") > 0
    assert upkept.count("block") > 0
    assert found == by_hand(upkept, "level", [*range(EVEN_MS, EVEN_MS + 5 * DAY_MS + 1, HOUR_MS)])
    upkept.close()


@pytest.mark.parametrize("span_ms", [MINUTE_MS, QUARTER_MS, HOUR_MS])
def test_aggregates_that_are_damaged_or_gone_are_counted_again(
    upkept: Sealed, span_ms: int
) -> None:
    upkept.keep_up(3 * 3600, every_s=5)
    upkept.execute(
        f"UPDATE aggregate SET data = zeroblob(99) WHERE span_ms >= {span_ms} AND start_ms % 7 > 3;"
        f"DELETE FROM aggregate WHERE span_ms >= {span_ms} AND start_ms % 7 <= 3"
    )
    edges = [*range(NOON_MS, NOON_MS + 3 * HOUR_MS + 1, span_ms)]

    with Reader(upkept.path) as reader:
        found = periods(reader, "press", "level", edges)

    assert found == by_hand(upkept, "level", edges)


def test_a_block_that_is_damaged_costs_itself(
    upkept: Sealed, caplog: pytest.LogCaptureFixture
) -> None:
    upkept.keep_up(3 * 3600, every_s=5)
    upkept.execute("UPDATE block SET data = zeroblob(99) WHERE id = 1; DELETE FROM aggregate")
    [lost] = [number for (number,) in upkept.sql("SELECT count FROM block WHERE id = 1")]

    with Reader(upkept.path) as reader:
        [bucket] = periods(reader, "press", "level", [NOON_MS, NOON_MS + DAY_MS])
        damaged = reader.damaged

    assert bucket.count == len(upkept.sent["press"]) - int(str(lost))
    assert len(damaged) == 1
    assert "agent store repair" in caplog.text


def test_the_mean_of_texts_is_nothing() -> None:
    assert Bucket(0, 2, None, None, None, "a", "b").mean is None
    assert Bucket(0, 2, 1, 4, 5, 1, 4).mean == 2.5


def test_a_metric_or_device_that_is_not_there_is_an_error(upkept: Sealed) -> None:
    upkept.poll(10)

    with Reader(upkept.path) as reader:
        with pytest.raises(StoreError, match="no metric 'wrong'"):
            buckets(reader, "press", "wrong", 0, 10, 1)
        with pytest.raises(StoreError, match="no device 'wrong'"):
            buckets(reader, "wrong", "level", 0, 10, 1)


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.integers(1, 40), st.sampled_from([1, 7, 60, 1000])), min_size=1, max_size=40
    ),
    set_back_s=st.lists(st.integers(0, 5000), max_size=3),
    span_ms=st.sampled_from([MINUTE_MS, QUARTER_MS, HOUR_MS, 777_777]),
    start_ms=st.sampled_from([0, 1, 60_000, 1_234_567]),
)
def test_counts_and_bounds_are_right_also_when_the_clock_is_set_back(
    steps: list[tuple[int, int]],
    set_back_s: list[int],
    span_ms: int,
    start_ms: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    upkept = Sealed(tmp_path_factory.mktemp("any") / "telemetry.db", FakeClock())
    for count, pause_s in steps:
        for number in range(count):
            upkept.put(level=number)
            upkept.clock.advance(pause_s)
        if set_back_s:
            upkept.clock.set_wall(upkept.clock.now_ms() - set_back_s.pop() * 1000)
        upkept.store.flush()
        upkept.run_upkeep()
    times = [ts_ms for ts_ms, _ in upkept.sent["press"]]
    first_ms = min(times) // HOUR_MS * HOUR_MS + start_ms
    edges = [*range(first_ms, max(times) + span_ms + 1, span_ms)]
    if len(edges) < 2:
        edges.append(first_ms + span_ms)

    with Reader(upkept.path) as reader:
        found = periods(reader, "press", "level", edges)

    wanted = by_hand(upkept, "level", edges)
    assert [(b.start_ms, b.count, b.min, b.max, b.sum) for b in found] == [
        (b.start_ms, b.count, b.min, b.max, b.sum) for b in wanted
    ]
    upkept.close()
