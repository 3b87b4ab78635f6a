"""Samples of the past go straight into blocks, and come back as they went in."""

import random
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import StoreError
from agent.model import Metric, Stamp, Value
from agent.store import Reader
from agent.store.history import SAMPLES, Fate, History, parts
from agent.store.making import SPAN_MS, VALUES
from agent.store.series import buckets
from tests.fakes import NOON_MS, FakeClock
from tests.store.stored import EVER, Stored

START_MS = 1_718_000_000_000
HOUR_MS = 3_600_000
STORED, KNOWN, IN_CONFLICT = Fate.STORED, Fate.KNOWN, Fate.IN_CONFLICT


class Sample(NamedTuple):
    ts_ms: int
    names: tuple[str, ...]
    values: Sequence[Value]


def sample(ts_ms: int, **values: Value) -> Sample:
    return Sample(START_MS + ts_ms, tuple(values), [*values.values()])


class Told:
    """A history that is opened for each write."""

    def __init__(self, path: Path, device: str = "press", kind: str = "s7") -> None:
        self.path = path
        self._device = device
        self._kind = kind

    def write(self, *samples: Sample, by_second: bool = False) -> list[Fate]:
        history = History(
            self.path, FakeClock(), self._device, self._kind, {"level": Metric("level", "mm")},
            plain=self._kind == "host", by_second=by_second,
        )  # fmt: skip
        try:
            return history.write(samples)
        finally:
            history.close()

    def read(self) -> list[tuple[int, dict[str, Value]]]:
        with Reader(self.path) as reader:
            found = reader.samples(self._device, *EVER)
            return [(each.stamp.ts_ms - START_MS, dict(each.values)) for each in found]

    def sql(self, text: str, *values: object) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.path)
        try:
            return connection.execute(text, values).fetchall()
        finally:
            connection.close()


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path / "telemetry.db")


def test_values_come_back_exactly(told: Told) -> None:
    values: list[Value] = [1, 1.0, True, None, "", "ä", -0.0, 1e300, 2**70, False, "1"]

    told.write(*(sample(number, level=value) for number, value in enumerate(values)))

    assert [repr(row["level"]) for _, row in told.read()] == [*map(repr, values)]


def test_what_is_not_offered_stays_apart_from_what_is_nothing(told: Told) -> None:
    told.write(sample(1, a=1), sample(2, a=None, b=2), sample(3, b=None))

    assert told.read() == [(1, {"a": 1}), (2, {"a": None, "b": 2}), (3, {"b": None})]


def test_a_new_metric_has_the_unit_that_it_is_described_with(told: Told) -> None:
    told.write(sample(1, level=1, other=2))

    with Reader(told.path) as reader:
        assert reader.metrics("press") == [
            (0, Metric("level", "mm")), (1, Metric("other"))
        ]  # fmt: skip


def test_times_stand_for_themselves_on_a_clock_of_their_own(told: Told) -> None:
    told.write(sample(5, a=1))
    told.write(sample(9, a=2))

    with Reader(told.path) as reader:
        stamps = [each.stamp for each in reader.samples("press", *EVER)]
    assert stamps == [Stamp(START_MS + 5, START_MS + 5), Stamp(START_MS + 9, START_MS + 9)]
    assert told.sql("SELECT boot_id, synchronised FROM clock") == [("import", 1)]


def test_keys_rise_within_a_millisecond_and_a_second(tmp_path: Path) -> None:
    for kind, second in (("s7", 1_000_000), ("host", 1)):
        told = Told(tmp_path / f"{kind}.db", "x", kind)
        told.write(sample(0, a=1), sample(1, a=2), sample(1500, a=3))
        with Reader(told.path) as reader:
            (segment,) = reader.segments("x", *EVER)
            first = START_MS // 1000 * second
            wanted = [0, 1000, 1_500_000] if kind == "s7" else [0, 1, 2]
            keys = segment.keys()
            assert [key - first for key in keys] == wanted


def test_samples_need_not_be_in_order(told: Told) -> None:
    fates = told.write(sample(3, a=3), sample(1, a=1), sample(2, a=2), sample(1, a=9))

    assert fates == [STORED, STORED, STORED, IN_CONFLICT]
    assert told.read() == [(1, {"a": 1}), (2, {"a": 2}), (3, {"a": 3})]


@pytest.mark.parametrize(
    ("new", "fate"),
    [
        (sample(1, level=1.5), KNOWN),
        (sample(1, level=1.5, mode="auto"), KNOWN),
        (sample(1, mode="auto", level=1.5), KNOWN),
        (sample(1, level=1.5, mode="auto", more=None), KNOWN),
        (sample(1, level=1.5, mode="auto", more=1), IN_CONFLICT),
        (sample(1, level=1.6), IN_CONFLICT),
        (sample(1, level=None), IN_CONFLICT),
        (sample(2, level=1.5), STORED),
    ],
)
def test_what_becomes_of_a_sample_beside_a_stored_one(told: Told, new: Sample, fate: Fate) -> None:
    told.write(sample(1, level=1.5, mode="auto"))

    assert told.write(new) == [fate]


def test_by_the_second_another_millisecond_is_the_same_time(told: Told) -> None:
    told.write(sample(345, a=1), sample(1345, a=2))

    fates = told.write(sample(0, a=1), sample(1000, a=3), sample(2000, a=4), by_second=True)

    assert fates == [KNOWN, IN_CONFLICT, STORED]


def test_what_was_polled_is_compared_in_whatever_form_it_lies(tmp_path: Path) -> None:
    clock = FakeClock(START_MS)
    stored = Stored(tmp_path / "telemetry.db", clock)
    for number in range(3):
        stored.put(level=number)
        stored.put("host", load1=number)
        clock.advance(5)
    stored.store.flush()
    stored.close()
    rows = [sample(5000 * number, level=number) for number in range(3)]
    hosts = [sample(5000 * number, load1=number + number // 2) for number in range(3)]

    fates = Told(stored.path).write(*rows)
    of_host = Told(stored.path, "host", "host").write(*hosts)

    assert fates == [KNOWN, KNOWN, KNOWN]
    assert of_host == [KNOWN, KNOWN, IN_CONFLICT]


def test_a_block_takes_no_more_than_it_may(told: Told) -> None:
    told.write(*(sample(60_000 * number, a=number) for number in range(5000)))

    blocks = told.sql("SELECT first_ms, last_ms, count FROM block ORDER BY first_ms")
    assert len(blocks) == 4
    assert all(last - first <= SPAN_MS for first, last, _ in blocks)
    assert sum(count for *_, count in blocks) == 5000


def test_parts_are_cut_at_each_limit() -> None:
    def sizes(samples: list[Sample]) -> list[int]:
        return [len(part) for part in parts(samples)]

    wide = tuple(f"m{number}" for number in range(1000))
    assert sizes([sample(n, a=1) for n in range(SAMPLES + 5)]) == [SAMPLES, 5]
    assert sizes([Sample(n, wide, [0] * 1000) for n in range(VALUES // 1000 + 7)]) == [1000, 7]
    assert sizes([sample(0, a=1), sample(SPAN_MS, a=1), sample(SPAN_MS + 1, a=1)]) == [2, 1]
    assert sizes([]) == []


def test_what_blocks_come_to_is_right_also_where_they_overlap(told: Told) -> None:
    noise = random.Random(1)
    numbers = [*range(0, 200_000, 10)]
    for _ in range(3):
        chosen = sorted(noise.sample(numbers, 2000))
        told.write(*(sample(1000 * n, a=noise.randint(0, 999)) for n in chosen))
    first_ms = START_MS // HOUR_MS * HOUR_MS
    wanted: dict[int, list[Value]] = {}
    for ts_ms, row in told.read():
        start_ms = (START_MS + ts_ms) // HOUR_MS * HOUR_MS
        wanted.setdefault(start_ms, []).append(row["a"])

    with Reader(told.path) as reader:
        found = buckets(reader, "press", "a", first_ms, first_ms + 60 * HOUR_MS, HOUR_MS)

    assert [(each.start_ms, each.count, each.sum, each.first, each.last) for each in found] == [
        (start_ms, len(cells), sum(map(int, map(str, cells))), cells[0], cells[-1])
        for start_ms, cells in sorted(wanted.items())
    ]


def test_the_agent_goes_on_behind_the_past(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    Told(path).write(sample(0, level=1), Sample(NOON_MS - 1, ("level",), [2]))
    stored = Stored(path, FakeClock())

    stored.put(level=3)
    stored.store.flush()

    assert [row["level"] for row in stored.values()] == [1, 2, 3]
    stored.close()


def test_nothing_is_written_when_a_write_fails(told: Told) -> None:
    told.write(sample(0, a=1))
    connection = sqlite3.connect(told.path)
    connection.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreError, match="another program has locked it"):
        told.write(sample(1, a=2))

    connection.close()
    assert told.read() == [(0, {"a": 1})]


VALUE = st.sampled_from([1, 1.5, True, None, "auto"])
WRITES = st.lists(
    st.lists(st.tuples(st.integers(0, 12), VALUE), min_size=1, max_size=12), min_size=1, max_size=6
)


@settings(max_examples=25)
@given(writes=WRITES)
def test_any_writes_leave_the_first_sample_of_each_time(
    tmp_path_factory: pytest.TempPathFactory, writes: list[list[tuple[int, Value]]]
) -> None:
    told = Told(tmp_path_factory.mktemp("x") / "telemetry.db")
    there: dict[int, Value] = {}

    for write in writes:
        fates = told.write(*(sample(ts_ms, level=value) for ts_ms, value in write))
        assert fates == [*expected(there, write)]

    wanted = [(ts_ms, {"level": value}) for ts_ms, value in sorted(there.items())]
    assert repr(told.read()) == repr(wanted)


def expected(there: dict[int, Value], write: list[tuple[int, Value]]) -> Iterator[Fate]:
    """What becomes of samples that come one after the other."""
    for ts_ms, value in write:
        if ts_ms not in there:
            there[ts_ms] = value
            yield STORED
        else:
            yield KNOWN if there[ts_ms] == value else IN_CONFLICT
