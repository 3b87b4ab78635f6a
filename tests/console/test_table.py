"""Tables and words for a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.console.table import (
    NARROWEST,
    duration_text,
    printable,
    size_text,
    table,
    value_text,
    width,
)


def test_columns_are_as_wide_as_they_need() -> None:
    text = table(["name", "n"], [["a", "10"], ["bcdef", "9"]], right=[1])

    assert text.splitlines() == ["name    n", "a      10", "bcdef   9"]


def test_wide_characters_take_two_columns() -> None:
    text = table(["a", "b"], [["温度", "x"], ["e\u0301", "y"]])

    assert text.splitlines() == ["a     b", "温度  x", "e\u0301     y"]


def test_nothing_is_cut_where_there_is_no_terminal() -> None:
    assert table(["a"], [["x" * 500]]).splitlines()[1] == "x" * 500


@pytest.mark.parametrize(
    ("text", "shown"),
    [("x" * 17, "x" * 17), ("x" * 18, "x" * 16 + "…"), ("温" * 9, "温" * 8 + "…")],
)
def test_the_last_cell_is_cut_to_the_terminal(text: str, shown: str) -> None:
    lines = table(["a", "b"], [["ab", text]], columns=21).splitlines()

    assert lines[1] == f"ab  {shown}"


@given(st.lists(st.text(), min_size=2, max_size=2), st.integers(0, 40))
def test_a_line_is_as_wide_as_the_terminal_at_most(cells: list[str], columns: int) -> None:
    first = width(printable(cells[0]))

    lines = table(["", ""], [cells], columns=columns).split("\n")

    assert max(map(width, lines)) <= max(columns, first + 2 + NARROWEST)


def test_a_long_cell_leaves_room_for_the_last_one() -> None:
    lines = table(["a", "b"], [["y" * 100, "x" * 100]], columns=80).splitlines()

    assert lines[1] == "y" * 39 + "…  " + "x" * 37 + "…"


def test_numbers_are_never_cut() -> None:
    assert table(["a"], [["1234567890"]], right=[0], columns=9).splitlines()[1] == "1234567890"


@given(st.text())
def test_no_text_steers_the_terminal(text: str) -> None:
    shown = printable(text)

    assert shown.isprintable()
    assert width(shown) >= 0


@given(st.lists(st.text(), min_size=1, max_size=3))
def test_a_row_is_one_line_whatever_its_cells_hold(cells: list[str]) -> None:
    text = table([""] * len(cells), [cells])

    assert len(text.split("\n")) == 2


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (10, "10 s"),
        (59.6, "1 min"),
        (3599, "59 min 59 s"),
        (3600, "1 h"),
        (90_000, "1 d 1 h"),
        (86_400 * 400, "400 d"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (123_456, "123 kB"), (5.5e9, "5.5 GB")],
)
def test_a_size_has_a_unit(size: float, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (False, "false"), (1.0, "1.0"), (1, "1"), ("", "")]
)
def test_a_value_reads_as_it_is(value: object, text: str) -> None:
    assert value_text(value) == text
