"""A stretch of samples as the cells of a table, and what is asked before one is made."""

import pytest

from agent.model import Value
from agent.store import Reader
from tests.fakes import NOON_MS
from tests.store.stored import Stored

HOUR_MS = 3_600_000


def rows(stored: Stored, device: str = "press") -> tuple[list[str], list[tuple[int, str]]]:
    """Names of the columns, and the rows, of an hour."""
    with Reader(stored.path) as reader:
        table = reader.table(device, NOON_MS, NOON_MS + HOUR_MS)
        return [metric.name for metric in table.metrics], list(table.rows)


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        ({"a": 1.5, "b": True, "c": None, "d": False}, "1.5,1,,0"),
        ({"a": "x,y", "b": "true", "c": '"', "d": "null"}, '"x,y",true,"""",null'),
        ({"a": "auto", "b": " led ", "c": "\\", "d": "a\nb"}, 'auto," led ",\\,"a\nb"'),
        ({"a": "false", "b": None, "c": "", "d": True}, "false,,,1"),
        ({"a": 1e-07, "b": -(2**63), "c": 1e22, "d": 0.1}, "1e-07,-9223372036854775808,1e+22,0.1"),
    ],
)
def test_a_row_is_the_text_of_its_cells(
    stored: Stored, values: dict[str, Value], cells: str
) -> None:
    stored.put_values("press", values)
    stored.store.flush()

    assert rows(stored) == (["a", "b", "c", "d"], [(NOON_MS, cells)])


def test_columns_are_those_of_the_stretch_and_cells_that_a_row_lacks_are_empty(
    stored: Stored,
) -> None:
    stored.put(a=1, gone=2)
    stored.clock.set_wall(NOON_MS + HOUR_MS)
    stored.put(later=3)
    stored.store.flush()
    stored.clock.set_wall(NOON_MS + 1000)
    stored.put(a=4)
    stored.store.flush()

    assert rows(stored) == (["a", "gone"], [(NOON_MS, "1,2"), (NOON_MS + 1000, "4,")])


def test_cores_and_processes_of_a_host_are_cells_of_one_row(stored: Stored) -> None:
    values: dict[str, Value] = {"cpu_total": 1.5, "core0_usage": 2.5, "process1_name": "init"}
    stored.put_values("host", values)
    stored.store.flush()

    assert rows(stored, "host") == (list(values), [(NOON_MS, "1.5,2.5,init")])


def test_a_command_line_of_a_host_may_have_any_sign(stored: Stored) -> None:
    values: dict[str, Value] = {
        "core0_usage": None,
        "process1_cmdline": 'sh -c "a,b" \\',
        "up": True,
    }
    stored.put_values("host", values)
    stored.store.flush()

    assert rows(stored, "host") == (list(values), [(NOON_MS, ',"sh -c ""a,b"" \\",1')])


def test_without_samples_a_table_has_the_columns_of_all_that_is_known(stored: Stored) -> None:
    stored.clock.set_wall(NOON_MS - 1)
    stored.put(level=1.5, name="x")
    stored.store.flush()

    assert rows(stored) == (["level", "name"], [])


@pytest.mark.parametrize("device", ["press", "host"])
def test_whether_there_is_data_is_known_to_the_millisecond(stored: Stored, device: str) -> None:
    stretches = (NOON_MS - 9, NOON_MS), (NOON_MS, NOON_MS + 1), (NOON_MS + 1, 10**13)
    stored.put(device)
    stored.store.flush()

    with Reader(stored.path) as reader:
        found = [(reader.first_ms(device, *each), reader.has_data(*each)) for each in stretches]

    assert found == [(None, False), (NOON_MS, True), (None, False)]
