"""The store is kept below its size: the oldest of all devices goes, and what went is said."""

import logging
import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.store.query import open_to_read
from agent.store.space import SLICE_MS
from tests.fakes import NOON_MS, FakeClock
from tests.store.filled import DAY_MS, DEVICES, HOUR_MS, Filled, gap_of, run

MIB = 1 << 20
# Device, hours before noon at which a block begins, samples in it, and hours that it covers.
BLOCKS = st.lists(
    st.tuples(
        st.sampled_from(DEVICES),
        st.integers(0, 40 * 24),
        st.integers(1, 1500),
        st.integers(1, 24),
    ),
    min_size=1,
    max_size=60,
)


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Filled]:
    filled = Filled(tmp_path / "telemetry.db", FakeClock())
    yield filled
    filled.close()


def test_a_store_that_is_small_enough_is_left_alone(filled: Filled) -> None:
    filled.fill(3)
    before = [filled.times(device) for device in DEVICES]

    step = filled.keep_small(100)

    assert (run(step), step.texts) == (0, [])
    assert [filled.times(device) for device in DEVICES] == before


def test_the_oldest_of_all_devices_goes_and_the_file_takes_less_of_the_disk(filled: Filled) -> None:
    filled.fill(100)
    taken = filled.on_disk()

    run(filled.keep_small(3))

    first = [filled.times(device)[0] for device in DEVICES]
    assert taken > 5 * MIB
    assert 1 * MIB < filled.on_disk() <= 3 * MIB
    assert max(first) - min(first) <= DAY_MS + HOUR_MS
    assert filled.is_sound()


def test_what_went_is_one_gap_of_each_device_that_grows(filled: Filled) -> None:
    filled.fill(100)
    start_ms, samples = filled.times("press")[0], len(filled.times("press"))

    run(filled.keep_small(4))
    before = gap_of(filled, "press")
    run(filled.keep_small(3))

    ((first_ms, end_ms, detail),) = gap_of(filled, "press")
    left = filled.times("press")
    assert first_ms == start_ms == before[0][0]
    assert before[0][1] is not None
    assert end_ms is not None
    assert before[0][1] < end_ms < left[0]
    assert detail == (
        f"{samples - len(left)} samples deleted, the last of them because "
        "the store had reached max_size_mb = 3"
    )


def test_what_went_and_why_is_said_once(filled: Filled, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    filled.fill(100)
    step = filled.keep_small(3)

    for _ in range(5):
        run(step)
        filled.clock.advance(60)

    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert said[0].endswith("max_size_mb is 3: the oldest samples are deleted")
    assert said[1].startswith("deleted, because the store had reached max_size_mb = 3: ")
    assert " of press from 2026-08-11T12:00:00+00:00 to 2026-" in said[1]
    assert step.texts[0].endswith("max_size_mb is 3: the oldest samples are deleted")


def test_at_its_limit_a_store_that_grows_stays_below_it(filled: Filled) -> None:
    filled.fill(30)
    step = filled.keep_small(3)
    sizes = []

    for _ in range(40):
        for number, device in enumerate(DEVICES):
            filled.put_block(device, filled.clock.now_ms() + number * HOUR_MS)
        filled.clock.advance(DAY_MS / 1000)
        filled.put("press", level=1)
        filled.store.flush()
        run(step)
        sizes.append(filled.on_disk())

    assert max(sizes) <= 3 * MIB
    assert filled.is_sound()


def test_the_newest_day_stays_even_if_it_alone_is_too_much(filled: Filled) -> None:
    filled.put_blocks(("press", NOON_MS - DAY_MS // 2 + n * 60_000, 100, 1) for n in range(200))
    filled.fill(5)
    newest = [ms for ms in filled.times("press") if ms > NOON_MS - DAY_MS]
    step = filled.keep_small(3)

    run(step)

    assert filled.on_disk() > 3 * MIB
    assert [ms for ms in filled.times("press") if ms > NOON_MS - DAY_MS] == newest
    assert filled.times("oven") == [NOON_MS]
    assert step.texts[0].endswith(": only the newest day is left, which is kept")


def test_a_sample_of_a_far_future_keeps_nothing_else_from_going_and_today_from_staying(
    filled: Filled,
) -> None:
    filled.put_block("press", NOON_MS + 400 * DAY_MS, 10)
    filled.fill(100)
    filled.put_block("oven", NOON_MS - 3 * HOUR_MS, 100)

    run(filled.keep_small(3))

    assert filled.on_disk() <= 3 * MIB
    assert len(filled.times("oven")) >= 101


def test_rows_and_batches_go_as_blocks_do(filled: Filled) -> None:
    filled.clock.set_wall(NOON_MS - 60 * DAY_MS)
    noise = random.Random(3)
    for number in range(120):
        filled.put("host", load1=1, text=noise.randbytes(10_000).hex())
        filled.put("press", level=1, text=noise.randbytes(10_000).hex())
        if number % 4 == 3:
            filled.store.flush()
        filled.clock.advance(5 * 3600)
    filled.clock.set_wall(NOON_MS)
    filled.put("host", load1=2)
    filled.store.flush()
    filled.empty_log()

    run(filled.keep_small(2))

    assert filled.on_disk() <= 2 * MIB
    for device in ("host", "press"):
        ((start_ms, end_ms, _),) = gap_of(filled, device)
        assert end_ms is not None
        assert start_ms <= end_ms < filled.times(device)[0]
    assert filled.is_sound()


def test_whoever_reads_an_older_state_is_waited_for(filled: Filled) -> None:
    filled.fill(100)
    step = filled.keep_small(3)

    with closing(open_to_read(filled.path)) as reader:
        before = reader.execute("SELECT sum(length(data)) FROM block").fetchone()
        run(step)
        filled.clock.advance(60)
        run(step)
        meanwhile = filled.on_disk()
        after = reader.execute("SELECT sum(length(data)) FROM block").fetchone()
        check = reader.execute("PRAGMA integrity_check").fetchone()
    filled.clock.advance(60)
    run(step)

    assert before == after
    assert check == ("ok",)
    assert meanwhile > 3 * MIB >= filled.on_disk()


@given(blocks=BLOCKS, size_mb=st.integers(2, 4))
@settings(max_examples=15, deadline=None)
def test_what_is_left_of_each_device_is_its_newest_stretch(
    blocks: Sequence[tuple[str, int, int, int]], size_mb: int
) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        filled = Filled(folder / "telemetry.db", FakeClock())
        stack.callback(filled.close)
        ends = dict.fromkeys(DEVICES, 0)
        found = []
        for device, hours, samples, length in sorted(blocks, key=lambda block: -block[1]):
            start_ms = max(NOON_MS - (hours + 48) * HOUR_MS, ends[device])
            every_ms = max(1, length * HOUR_MS // samples)
            ends[device] = start_ms + samples * every_ms
            found.append((device, start_ms, samples, every_ms))
        filled.put_blocks(found)
        before = {device: filled.times(device) for device in DEVICES}

        run(filled.keep_small(size_mb))

        left = {device: filled.times(device) for device in DEVICES}
        gone = {device: set(before[device]) - set(left[device]) for device in DEVICES}
        for device in DEVICES:
            assert left[device] == before[device][len(gone[device]) :]
            gaps = gap_of(filled, device)
            assert [(start, end) for start, end, _ in gaps] == (
                [(min(gone[device]), max(gone[device]))] if gone[device] else []
            )
            assert all(detail.startswith(f"{len(gone[device])} ") for _, _, detail in gaps)
        # Of what could have gone nothing is older than what went, but within a slice or a block.
        newest_gone = max((max(times) for times in gone.values() if times), default=0)
        oldest_left = min(times[0] for times in left.values())
        assert newest_gone <= oldest_left + DAY_MS + SLICE_MS
