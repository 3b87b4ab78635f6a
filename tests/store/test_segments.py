"""Samples of many places in the order of their keys, however the places overlap."""

from collections.abc import Sequence

import attrs
from hypothesis import given
from hypothesis import strategies as st

from agent.store.chunks import Chunk, Rows, StoredRow
from agent.store.segments import Place, Segment, segments

LAYOUTS = {1: (0,), 2: (0, 1)}
PATHS = {0: (0,), 1: (1,)}
EVER = (0, 1_000_000)


@attrs.frozen
class Lying:
    """Places with samples, and which of them were opened."""

    places: Sequence[Place]
    opened: list[int]


def lying(*places: Sequence[StoredRow]) -> Lying:
    """Places in the order of their first keys; their rank is their number here."""
    rows = Rows(LAYOUTS, PATHS)
    opened: list[int] = []

    def place(number: int, found: Sequence[StoredRow]) -> Place:
        def open_() -> Chunk:
            opened.append(number)
            return Chunk(found, rows)

        return Place(found[0][0], found[-1][0], (0, number), open_)

    made = [place(number, found) for number, found in enumerate(places)]
    return Lying(sorted(made, key=lambda each: each.first_key), opened)


def rows(*keys: int) -> list[StoredRow]:
    """Rows whose times are their keys."""
    return [(key, key, 1, 1, f"[{key}]") for key in keys]


def texts(found: Segment) -> list[str]:
    return [*found.lines([0])]


def test_places_that_do_not_overlap_come_one_after_the_other_as_they_are() -> None:
    made = lying(rows(7, 8), rows(1, 2, 3))

    found = [texts(each) for each in segments(made.places, *EVER)]

    assert found == [["1", "2", "3"], ["7", "8"]]


def test_a_place_is_opened_when_those_before_it_were_read() -> None:
    made = lying(rows(1), rows(2), rows(3))
    found = segments(made.places, *EVER)

    next(found)

    assert made.opened == [0]


def test_places_whose_keys_overlap_are_put_in_order() -> None:
    made = lying(rows(1, 4, 6), rows(2, 3, 9), rows(10))

    found = [texts(each) for each in segments(made.places, *EVER)]

    assert found == [["1", "2", "3", "4", "6", "9"], ["10"]]


def test_of_equal_keys_that_of_the_lesser_rank_is_first() -> None:
    first, second, third = rows(5, 7, 7), rows(1, 7), rows(7)
    made = lying(*([(*row[:4], f'["{name}"]') for row in each]
                   for name, each in zip("abc", (first, second, third), strict=True)))  # fmt: skip

    (found,) = segments(made.places, *EVER)

    assert found.keys() == [1, 5, 7, 7, 7, 7]
    assert texts(found) == ["b", "a", "a", "a", "b", "c"]


def test_where_many_places_overlap_not_all_are_held_at_once() -> None:
    made = lying(*(rows(*range(start, start + 15)) for start in range(0, 100, 10)))

    opened = [len(made.opened) for _ in segments(made.places, *EVER, at_once=60)]

    assert opened == [2, 4, 6, 8, 10]


def test_layouts_are_those_of_all_that_lies_there_together() -> None:
    made = lying([(1, 1, 1, 1, "[1]")], [(1, 1, 2, 1, "[2,3]")])

    (found,) = segments(made.places, *EVER)

    assert found.positions == LAYOUTS
    assert found.layouts() == [1, 2]
    assert found.cells(1, absent="no") == ["no", 3]


@st.composite
def stored(draw: st.DrawFn) -> list[list[StoredRow]]:
    """Places with rising keys, and times in any order; each sample has a text of its own."""
    found: list[list[StoredRow]] = []
    for number in range(draw(st.integers(1, 5))):
        keys = sorted(draw(st.lists(st.integers(0, 20), min_size=1, max_size=12)))
        times = draw(st.lists(st.integers(0, 9), min_size=len(keys), max_size=len(keys)))
        stamped = enumerate(zip(keys, times, strict=True))
        found.append(
            [(key, ts, 1, number, f'["{number}.{index}"]') for index, (key, ts) in stamped]
        )
    return found


@given(places=stored(), start=st.integers(0, 9), length=st.integers(0, 10), at_once=st.integers(1))
def test_all_samples_of_a_stretch_come_in_the_order_of_key_place_and_number(
    places: list[list[StoredRow]], start: int, length: int, at_once: int
) -> None:
    end = start + length

    found = [*segments(lying(*places).places, start, end, at_once=at_once % 40)]

    wanted = [row for place in places for row in place if start <= row[1] < end]
    wanted.sort(key=lambda row: row[0])
    got = [
        (*stamped, f'["{text}"]')
        for each in found
        for *stamped, text in zip(
            each.keys(), each.times(), each.layouts(), each.clocks(), each.lines([0]), strict=True
        )
    ]
    assert got == wanted
    assert [each.cells(0) for each in found] == [texts(each) for each in found]
    assert [each.count for each in found] == [len(each.keys()) for each in found]
