"""Samples of devices that are not kept as rows: a batch for each in a commit, exact, in order."""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.model import Reason, Value
from agent.store.batches import SAMPLES, SPAN_MS, VALUES, Batches, Reading
from agent.store.codec import Block, Piece
from agent.store.writer import Writer
from tests.fakes import NOON_MS, FakeClock
from tests.store.stored import Stored
from tests.store.test_exactness import READINGS, exact

DAY_MS = 86_400_000
STEPS_MS = (0, 0, 0, 0, -1, 1, 700, -3_600_000, 3_600_000, -NOON_MS, 60 * 365 * DAY_MS)


@pytest.fixture
def plain() -> bool:
    return False


def samples_of(stored: Stored, block: Block) -> Iterator[tuple[int, dict[str, Value]]]:
    """Time and values of each sample of a batch."""
    found = stored.sql("SELECT position, name FROM metric WHERE device = ?", block.device)
    names: Mapping[int, str] = dict(found)  # type: ignore[arg-type]
    cells = {position: block.cells(position) for position in names}
    for number, (ts_ms, layout) in enumerate(zip(block.times(), block.layouts(), strict=True)):
        offered = block.positions[layout]
        yield ts_ms, {names[position]: cells[position][number] for position in offered}


def test_a_commit_has_one_batch_of_each_device_and_no_row(stored: Stored) -> None:
    stored.store.add_device("pump", "s7", 1.0)
    for number in range(3):
        stored.clock.advance(1)
        stored.put(level=number)
        stored.put("pump", flow=number)
    stored.store.flush()
    stored.put(level=3)

    stored.store.flush()

    assert stored.sql("SELECT count(*) FROM row") == [(0,)]
    assert [(block.device, block.count) for _, block in stored.batches()] == [
        (1, 3),
        (2, 3),
        (1, 1),
    ]


def test_the_number_of_a_batch_is_its_first_key_and_keys_rise_over_rows_and_batches(
    stored: Stored,
) -> None:
    stored.store.add_device("old", "s7", 1.0, plain=True)
    for device in ("press", "old", "press", "old"):
        stored.put(device)

    stored.store.flush()

    key = NOON_MS * 1000
    ((id_, block),) = stored.batches()
    assert (id_, block.keys()) == (key, [key, key + 2])
    assert stored.sql("SELECT id FROM row ORDER BY id") == [(key + 1,), (key + 3,)]


def test_a_host_that_is_not_plain_counts_seconds_in_batches_as_in_rows(stored: Stored) -> None:
    stored.put("host", load1=1)
    stored.store.flush()
    stored.store.add_device("host", "host", 5.0, plain=False)
    stored.put("host", load1=2)
    stored.put()
    stored.store.flush()
    stored.restart(in_order=True)

    stored.put("host", load1=3)
    stored.put()
    stored.store.flush()

    ours, press, new = stored.batches()
    second = NOON_MS // 1000
    assert (ours[0], ours[1].keys()) == (NOON_MS * 1000, [second + 1])
    assert press[0] == NOON_MS * 1000 + 1
    assert new[0] == NOON_MS * 1000 + 2
    assert stored.sql("SELECT ts FROM host_row") == [(second,), (second + 2,)]


@pytest.mark.parametrize("step_ms", [SPAN_MS + 1, -SPAN_MS - 1])
def test_a_batch_is_cut_where_its_times_would_span_more_than_a_day(
    stored: Stored, step_ms: int
) -> None:
    stored.put(level=1)
    stored.clock.set_wall(NOON_MS + (SPAN_MS if step_ms > 0 else -SPAN_MS))
    stored.put(level=2)
    stored.clock.set_wall(NOON_MS + step_ms)
    stored.put(level=3)

    stored.store.flush()

    assert [block.count for _, block in stored.batches()] == [2, 1]


def test_a_batch_is_cut_where_its_keys_would_span_more_than_a_day(stored: Stored) -> None:
    stored.put(level=1)
    stored.clock.set_wall(NOON_MS + 2 * DAY_MS)
    stored.put("host", load1=1)
    stored.store.add_device("pump", "s7", 1.0)
    stored.put("pump", level=1)  # drags the keys of all along
    stored.clock.set_wall(NOON_MS)
    stored.put(level=2)

    stored.store.flush()

    assert [(block.device, block.count) for _, block in stored.batches()] == [
        (1, 1),
        (3, 1),
        (1, 1),
    ]


def test_a_batch_has_no_more_samples_and_values_than_a_reader_expects(stored: Stored) -> None:
    for _ in range(SAMPLES + 1):
        stored.put(level=1)
    stored.store.add_device("pump", "s7", 1.0)
    wide: dict[str, Value] = {f"m{number}": number for number in range(1000)}
    for _ in range(VALUES // 1000 + 1):
        stored.put_values("pump", wide)

    stored.store.flush()

    counts = [(block.device, block.count) for _, block in stored.batches()]
    assert counts == [(1, SAMPLES), (1, 1), (2, VALUES // 1000), (2, 1)]


def test_a_sample_without_any_value_is_a_sample(stored: Stored) -> None:
    stored.put_values("press", {})
    stored.put(level=None)

    stored.store.flush()

    ((_, block),) = stored.batches()
    assert [values for _, values in samples_of(stored, block)] == [{}, {"level": None}]


def test_a_sample_in_a_batch_ends_a_gap_and_a_restart_begins_after_the_newest_one(
    stored: Stored,
) -> None:
    stored.put()
    stored.store.flush()
    stored.store.open_gap("press", NOON_MS, Reason.TIMEOUT)
    stored.clock.advance(7)
    stored.put()
    stored.store.flush()
    stored.restart()
    stored.clock.advance(60)
    stored.restart()
    stored.put()

    stored.store.flush()

    gaps = [(gap.start_ms - NOON_MS, gap.end_ms and gap.end_ms - NOON_MS) for gap in stored.gaps()]
    assert gaps == [(0, 7000), (7000, 67_000)]


def test_samples_that_can_not_be_encoded_are_stored_as_rows(
    stored: Stored, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(piece: Piece) -> bytes:
        raise ValueError("too odd")

    def write(writer: Writer) -> None:
        batches = Batches(writer.connection, said.append, refuse)
        entry = writer.book.entry("press", "s7", plain=False)
        for number in (7, 8):
            places = writer.book.places(entry, ("level", "mode"), {})
            key = writer.next_key("batch", NOON_MS)
            batches.add(entry, Reading(key, key, NOON_MS, 1, places, f'[{number},"on"]'))
        batches.write()

    said: list[str] = []
    stored.put(level=6)
    stored.store.flush()
    stored.store.transact(write)

    assert stored.values() == [
        {"level": 6}, {"level": 7, "mode": "on"}, {"level": 8, "mode": "on"}
    ]  # fmt: skip
    assert said == [
        "press: samples are stored as rows, which nothing is lost by, since they can't be "
        "encoded: too odd; please report this"
    ]


@settings(max_examples=80, deadline=None)  # each example syncs a file
@given(
    readings=READINGS,
    steps=st.lists(st.tuples(st.floats(0, 10), st.sampled_from(STEPS_MS)), min_size=6, max_size=6),
    per_flush=st.integers(1, 4),
    restarts=st.sets(st.integers(0, 5)),
)
def test_any_readings_at_any_times_come_out_of_batches_as_they_went_in(
    readings: list[dict[str, Value]],
    steps: list[tuple[float, int]],
    per_flush: int,
    restarts: set[int],
) -> None:
    with TemporaryDirectory() as folder:
        stored = Stored(Path(folder) / "telemetry.db", FakeClock(), plain=False)
        put = []
        for number, (values, (passed_s, step_ms)) in enumerate(zip(readings, steps, strict=False)):
            stored.clock.advance(passed_s)
            stored.clock.set_wall(stored.clock.now_ms() + step_ms)
            stored.put_values("press", values)
            put.append((stored.clock.now_ms(), values))
            if number % per_flush == 0:
                stored.store.flush()
            if number in restarts:
                stored.restart(in_order=True)

        stored.close()

        blocks = stored.batches() if put else []
        found = [sample for _, block in blocks for sample in samples_of(stored, block)]
        keys = list(chain.from_iterable(block.keys() for _, block in blocks))
        assert [ts_ms for ts_ms, _ in found] == [ts_ms for ts_ms, _ in put]
        assert exact([values for _, values in found]) == exact([values for _, values in put])
        assert keys == sorted(set(keys))
