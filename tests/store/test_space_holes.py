"""Holes in the file: only where nothing is, whoever reads or writes meanwhile."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.store.deleted import Deletions
from agent.store.holes import STEP_BYTES, Holes
from agent.store.query import open_to_read
from agent.store.writer import Writer
from tests.fakes import NOON_MS, FakeClock
from tests.store.filled import DAY_MS, DEVICES, Filled

EVERYTHING = 1 << 40
# What is done: days are deleted, or blocks of so many samples come, or holes are made.
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("delete"), st.integers(1, 10)),
        st.tuples(st.just("put"), st.integers(1, 300)),
        st.tuples(st.just("give back"), st.sampled_from([1, 100_000, EVERYTHING])),
    ),
    max_size=25,
)


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Filled]:
    filled = Filled(tmp_path / "telemetry.db", FakeClock())
    filled.fill(40)
    yield filled
    filled.close()


@pytest.fixture
def holes(filled: Filled) -> Holes:
    return Holes(filled.path, filled.store.transact)


def delete(filled: Filled, days: int) -> None:
    filled.store.delete_before(NOON_MS - days * DAY_MS, Deletions("of a test"))


def free_bytes(filled: Filled) -> int:
    ((pages, size),) = filled.sql(
        "SELECT freelist_count, page_size FROM pragma_freelist_count, pragma_page_size"
    )
    assert isinstance(pages, int)
    assert isinstance(size, int)
    return pages * size


def taken(filled: Filled) -> int:
    return filled.path.stat().st_blocks * 512


def test_what_is_free_goes_back_and_the_file_keeps_its_length(filled: Filled, holes: Holes) -> None:
    delete(filled, 20)
    free, length, before = free_bytes(filled), filled.path.stat().st_size, taken(filled)

    gave = holes.give_back(EVERYTHING, 0)

    assert gave is not None
    assert 0.9 * free < gave == before - taken(filled)
    assert filled.path.stat().st_size == length
    assert holes.give_back(EVERYTHING, 0) == 0
    assert filled.is_sound()


def test_no_more_goes_back_than_is_wanted_at_once_but_for_a_hole(
    filled: Filled, holes: Holes
) -> None:
    delete(filled, 20)

    gave = holes.give_back(50_000, 0)

    assert gave is not None
    assert 50_000 <= gave < free_bytes(filled) // 2
    assert gave < STEP_BYTES


def test_what_is_to_be_used_next_is_left_alone(filled: Filled, holes: Holes) -> None:
    delete(filled, 20)
    kept = free_bytes(filled) // 3

    gave = holes.give_back(EVERYTHING, kept)

    assert gave is not None
    assert gave <= free_bytes(filled) - kept


def test_with_nothing_free_nothing_goes_back(filled: Filled, holes: Holes) -> None:
    assert holes.give_back(EVERYTHING, 0) == 0
    assert filled.is_sound()


def test_room_that_went_back_is_used_again(filled: Filled, holes: Holes) -> None:
    delete(filled, 20)
    holes.give_back(EVERYTHING, 0)
    length = filled.path.stat().st_size

    filled.put_blocks((device, NOON_MS + n * DAY_MS, 50, 1) for device in DEVICES for n in range(5))

    assert filled.path.stat().st_size == length
    assert filled.is_sound()


def test_a_reader_of_an_older_state_is_waited_for(filled: Filled, holes: Holes) -> None:
    with closing(open_to_read(filled.path)) as reader:
        reader.execute("SELECT count(*) FROM block").fetchone()
        delete(filled, 20)
        before = taken(filled)

        assert holes.give_back(EVERYTHING, 0) is None
        assert taken(filled) == before
        assert reader.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_what_somebody_writes_meanwhile_is_waited_for(filled: Filled) -> None:
    delete(filled, 20)

    def others_first(work: object) -> object:
        with closing(sqlite3.connect(filled.path)) as connection, connection:
            connection.execute("CREATE TABLE mine(x)")
        return filled.store.transact(work)  # type: ignore[arg-type]

    holes = Holes(filled.path, others_first)  # type: ignore[arg-type]

    assert holes.give_back(EVERYTHING, 0) is None


def test_a_file_that_is_not_open_is_left_alone(filled: Filled, holes: Holes) -> None:
    delete(filled, 20)
    filled.store.close()

    assert holes.give_back(EVERYTHING, 0) is None


def test_the_locks_of_the_store_on_its_file_stay(filled: Filled, holes: Holes) -> None:
    delete(filled, 20)
    holes.give_back(EVERYTHING, 0)
    log = filled.path.with_name(f"{filled.path.name}-wal")
    filled.put("press", noise="")
    filled.store.flush()

    # Who holds the file for unused when leaving removes its log: that would lose the sample.
    connect = f"import sqlite3; c = sqlite3.connect({str(filled.path)!r})"
    filled.in_process(f"{connect}; c.execute('SELECT count(*) FROM block').fetchone(); c.close()")

    assert log.stat().st_size > 0
    assert filled.sql("SELECT count(*) FROM batch") == [(4,)]


@given(acts=ACTS)
@settings(max_examples=20, deadline=None)
def test_whatever_is_done_all_is_there_that_was_not_deleted(
    acts: Sequence[tuple[str, int]],
) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        filled = Filled(folder / "telemetry.db", FakeClock())
        stack.callback(filled.close)
        holes = Holes(filled.path, filled.store.transact)
        start_ms = next_ms = NOON_MS - 1000 * DAY_MS
        wanted: list[int] = []
        for act, number in [("put", 200), *acts]:
            if act == "put":
                filled.put_block("oven", next_ms, number)
                wanted += range(next_ms, next_ms + number * 1000, 1000)
                next_ms += DAY_MS
            elif act == "delete":
                start_ms += number * DAY_MS // 4
                filled.store.delete_before(start_ms, Deletions("of a test"))
            else:
                holes.give_back(number, number // 10)
        left = filled.times("oven")
        sound = filled.is_sound()

    assert left == [*wanted, NOON_MS][-len(left) :]
    assert all(ms < start_ms + DAY_MS for ms in wanted[: len(wanted) + 1 - len(left)])
    assert sound


def test_a_file_that_is_no_database_any_more_gets_no_holes(filled: Filled, holes: Holes) -> None:
    def replaced(work: object) -> object:
        def inside(writer: Writer) -> object:
            filled.path.rename(filled.path.with_suffix(".moved"))
            filled.path.write_bytes(b"something else" * 1000)
            try:
                return work(writer)  # type: ignore[operator]
            finally:
                filled.path.with_suffix(".moved").replace(filled.path)

        return filled.store.transact(inside)

    delete(filled, 20)

    assert Holes(filled.path, replaced).give_back(EVERYTHING, 0) is None  # type: ignore[arg-type]
    assert holes.give_back(EVERYTHING, 0)
