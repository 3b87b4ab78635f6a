"""What blocks come to by the minute and by the hour: as counted by hand."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.model import Value
from agent.store.aggregates import (
    DAY_MS,
    FIELDS,
    HOUR_MS,
    MINUTE_MS,
    QUARTER_MS,
    Buckets,
    Grouping,
    combine,
    fields_of,
    pack,
    unpack,
    within,
)
from agent.store.codec import Block
from agent.store.sealing import SealBatches
from tests.fakes import FakeClock
from tests.store.upkept import Sealed

DECIMALS = st.decimals(-1000, 1000, places=2).map(float)
CELLS = st.one_of(st.none(), DECIMALS, st.integers(-1000, 1000), st.booleans())
TEXTS = st.one_of(CELLS, st.text(max_size=2))
Sample = tuple[int, Value]
NOTHING: list[Value] = [None] * FIELDS


def by_hand(samples: Sequence[Sample], span_ms: int) -> dict[int, list[Value]]:
    """The six fields of each bucket that has a sample."""
    found: dict[int, list[Value]] = {}
    for ts_ms, value in samples:
        found.setdefault(ts_ms // span_ms * span_ms, []).append(value)
    return {start: fields_by_hand(cells) for start, cells in sorted(found.items())}


def fields_by_hand(cells: Sequence[Value]) -> list[Value]:
    valid = [int(cell) if isinstance(cell, bool) else cell for cell in cells if cell is not None]
    if not valid:
        return [0, None, None, None, None, None]
    first, last = valid[0], valid[-1]
    numbers = [cell for cell in valid if not isinstance(cell, str)]
    if len(numbers) < len(valid):
        return [len(valid), None, None, None, first, last]
    total = float(sum(Decimal(repr(cell)) for cell in numbers))
    return [len(valid), min(numbers), max(numbers), total, first, last]


def listed(buckets: Buckets, position: int) -> dict[int, list[Value]]:
    columns = buckets.fields[position]
    return {
        start: [column[number] for column in columns] for number, start in enumerate(buckets.starts)
    }


def made(samples: Sequence[Sample], span_ms: int) -> Buckets:
    grouping = Grouping.of([ts_ms for ts_ms, _ in samples], span_ms)
    fields = fields_of([value for _, value in samples], grouping)
    return Buckets(grouping.starts(span_ms), {0: fields})


@given(st.lists(st.tuples(st.integers(0, 10**6), TEXTS), min_size=1, max_size=60))
def test_fields_are_as_counted_by_hand(samples: list[Sample]) -> None:
    assert listed(made(samples, MINUTE_MS), 0) == by_hand(samples, MINUTE_MS)


@given(st.lists(st.tuples(st.integers(0, 10**7), CELLS), min_size=1, max_size=60))
def test_minutes_come_to_the_same_hours_as_samples(samples: list[Sample]) -> None:
    samples = sorted(samples, key=lambda sample: sample[0])
    half = len(samples) // 2
    parts = [made(each, MINUTE_MS) for each in (samples[:half], samples[half:]) if each]

    hours = combine(parts, HOUR_MS)

    assert listed(hours, 0) == by_hand(samples, HOUR_MS)


def test_a_text_leaves_no_sum_in_the_hour_that_it_is_in() -> None:
    parts = [made([(0, 1), (1, "x")], MINUTE_MS), made([(MINUTE_MS, 5), (HOUR_MS, 7)], MINUTE_MS)]

    hours = combine(parts, HOUR_MS)

    assert listed(hours, 0) == {
        0: [3, None, None, None, 1, 5],
        HOUR_MS: [1, 7, 7, 7, 7, 7],
    }


def test_a_metric_that_came_later_has_nothing_before() -> None:
    old = Buckets([0], {0: ([1], [1], [1], [1], [1], [1])})
    new = Buckets([MINUTE_MS], {1: ([2], [1], [3], [4], [1], [3])})

    hours = combine([old, new], HOUR_MS)

    assert listed(hours, 0) == {0: [1, 1, 1, 1, 1, 1]}
    assert listed(hours, 1) == {0: [2, 1, 3, 4, 1, 3]}


def test_sums_too_large_for_a_number_are_left_out() -> None:
    hours = combine([made([(0, 1.5e308), (1, 1.5e308), (MINUTE_MS, 1.0)], MINUTE_MS)], HOUR_MS)

    assert listed(hours, 0) == {0: [3, 1.0, 1.5e308, None, 1.5e308, 1.0]}


@given(st.lists(st.tuples(st.integers(0, 10**7), TEXTS), min_size=1, max_size=60))
def test_what_is_packed_comes_back(samples: list[Sample]) -> None:
    buckets = made(samples, MINUTE_MS)
    two = Buckets(buckets.starts, {3: buckets.fields[0], 7: buckets.fields[0]})

    back = unpack(Block(pack(5, two)))

    assert [*back.starts] == [*buckets.starts]
    assert listed(back, 3) == listed(back, 7) == listed(buckets, 0)
    assert listed(unpack(Block(pack(5, two)), [7]), 7) == listed(buckets, 0)


def test_a_metric_that_was_never_there_comes_back_as_nothing() -> None:
    buckets = made([(0, 1)], MINUTE_MS)

    assert listed(unpack(Block(pack(5, buckets)), [9]), 9) == {0: [None] * FIELDS}


def test_within_leaves_out_what_starts_elsewhere() -> None:
    buckets = made([(n * MINUTE_MS, n) for n in range(5)], MINUTE_MS)

    assert [*within(buckets, MINUTE_MS, 3 * MINUTE_MS).starts] == [MINUTE_MS, 2 * MINUTE_MS]
    assert [*within(buckets, 9 * MINUTE_MS, DAY_MS).starts] == []


@pytest.fixture
def upkept(tmp_path: Path, clock: FakeClock) -> Iterator[Sealed]:
    made = Sealed(tmp_path / "telemetry.db", clock, plain_days=1)
    yield made
    made.close()


def kept(upkept: Sealed, span_ms: int, device: int = 1) -> dict[int, dict[int, list[Value]]]:
    """What is kept of each metric, by bucket."""
    found: dict[int, dict[int, list[Value]]] = {}
    sql = "SELECT data FROM aggregate WHERE device = ? AND span_ms = ? ORDER BY start_ms"
    for (data,) in upkept.sql(sql, device, span_ms):
        assert isinstance(data, bytes)
        buckets = unpack(Block(data))
        for position in buckets.fields:
            found.setdefault(position, {}).update(listed(buckets, position))
    return found


def sealed_by_hand(
    upkept: Sealed, span_ms: int, metrics: Sequence[str]
) -> dict[int, dict[int, list[Value]]]:
    """The same of all that lies in blocks."""
    sealed = sum(row.count for row in upkept.blocks())
    samples: Sequence[tuple[int, Mapping[str, Value]]] = upkept.sent["press"][:sealed]
    return {
        position: by_hand([(ts_ms, values.get(name)) for ts_ms, values in samples], span_ms)
        for position, name in enumerate(metrics)
    }


def test_hours_are_kept_of_all_that_is_sealed(upkept: Sealed) -> None:
    upkept.keep_up(30 * 3600, every_s=60)

    assert upkept.count("block") > 3
    for span_ms in (QUARTER_MS, HOUR_MS):
        wanted = sealed_by_hand(upkept, span_ms, ["level", "temperature", "mode"])
        assert kept(upkept, span_ms) == wanted
    days = upkept.sql("SELECT start_ms FROM aggregate WHERE span_ms > ?", MINUTE_MS)
    assert all(int(str(day)) % DAY_MS == 0 for (day,) in days)


def test_minutes_are_kept_where_they_are_fewer_than_samples(upkept: Sealed) -> None:
    upkept.keep_up(80 * 60, every_s=5)
    [row] = upkept.blocks()

    found = kept(upkept, MINUTE_MS)

    assert found == sealed_by_hand(upkept, MINUTE_MS, ["level", "temperature", "mode"])
    sql = "SELECT start_ms, block FROM aggregate WHERE span_ms = ?"
    assert upkept.sql(sql, MINUTE_MS) == [(row.first_ms // MINUTE_MS * MINUTE_MS, row.id)]


def test_of_seldom_samples_no_minutes_are_kept(upkept: Sealed) -> None:
    upkept.keep_up(2 * 3600, every_s=20)

    assert kept(upkept, MINUTE_MS) == {}


def test_hours_are_right_where_old_rows_are_sealed_after_newer_batches(
    tmp_path: Path, clock: FakeClock
) -> None:
    upkept = Sealed(tmp_path / "telemetry.db", clock, plain=True)
    upkept.poll(7200, every_s=60)
    upkept.plain = False
    upkept.restart(in_order=True)
    upkept.poll(7200, every_s=60)
    [batches] = [step for step in upkept.upkeep.steps if isinstance(step, SealBatches)]
    batches()
    sealed_first = upkept.blocks()[0]

    upkept.run_upkeep()

    assert sealed_first.first_ms > upkept.blocks()[0].last_ms
    assert upkept.count("row") == 0
    wanted = sealed_by_hand(upkept, QUARTER_MS, ["level", "temperature", "mode"])
    assert kept(upkept, QUARTER_MS) == wanted
    upkept.close()


@settings(max_examples=40, deadline=None)
@given(
    readings=st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from("abc"), CELLS, min_size=1),
            st.sampled_from([1, 20, 700, 5000, 40_000]),
        ),
        min_size=1,
        max_size=60,
    ),
    is_plain=st.booleans(),
)
def test_hours_are_as_counted_by_hand_whatever_was_put_in(
    readings: list[tuple[dict[str, Value], int]],
    is_plain: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("any") / "telemetry.db"
    upkept = Sealed(path, FakeClock(), plain=is_plain, plain_days=1)
    upkept.put(a=1, b=1, c=1)  # so that positions are known
    for values, pause_s in readings:
        upkept.put_values("press", values)
        upkept.clock.advance(pause_s)
        upkept.store.flush()
        upkept.run_upkeep()

    for span_ms in (QUARTER_MS, HOUR_MS):
        found, wanted = kept(upkept, span_ms), sealed_by_hand(upkept, span_ms, "abc")
        for position, buckets in wanted.items():
            had = {start: found[position].get(start, NOTHING) for start in buckets}
            assert {s: [f[0] or 0, *f[1:]] for s, f in had.items()} == buckets
    upkept.close()
