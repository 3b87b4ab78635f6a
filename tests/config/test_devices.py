"""The names and kinds of devices, and tables that are none."""

import sqlite3
from pathlib import Path

import pytest

from agent.config.schema import RESERVED_NAMES
from agent.store.schema import migrate
from agent.store.views import HOST_VIEWS
from tests.config.kinds import faults, loaded

NAME = "a letter, then letters, digits, - and _, at most 48"


def device(name: str, kind: str = "lamp") -> str:
    return f'[[device]]\nname = "{name}"\nkind = "{kind}"\n'


@pytest.mark.parametrize("name", ["a", "A", "plc-2", "plc_2", "host", "json", "x" * 48])
def test_a_name_is_a_letter_and_some_more(tmp_path: Path, name: str) -> None:
    config = loaded(tmp_path, device(name))

    assert config.devices[0].name == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", "''"),
        ("2", "'2'"),
        ("-a", "'-a'"),
        ("a b", "'a b'"),
        ("a/b", "'a/b'"),
        ("..", "'..'"),
        ("ä", "'ä'"),
        ("a\\n", r"'a\n'"),
        ("a\\u001b[2J", r"'a\x1b[2J'"),
        ("x" * 49, f"'{'x' * 49}'"),
    ],
)
def test_another_name_is_a_fault(tmp_path: Path, name: str, shown: str) -> None:
    found = faults(tmp_path, device(name))

    assert found == [f"agent.toml: device {shown}: name: found {shown}, allowed: {NAME}"]


INSIDE = """row Gap meta system_sample sqlite_x json_each JSON_TREE jsonb_each pragma_table_info
    fts5vocab FTS3tokenize rtree_i32 dbstat bytecode Tables_Used block journal cursor sink aggregate
"""


@pytest.mark.parametrize("name", INSIDE.split())
def test_names_inside_the_store_are_taken(tmp_path: Path, name: str) -> None:
    assert faults(tmp_path, device(name)) == [
        f"agent.toml: device {name!r}: name: found {name!r}, allowed: another, this is a name "
        "inside the store"
    ]


def test_every_name_inside_the_store_is_known_to_the_configuration() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, "in memory")

    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    connection.close()

    inside = {name for name in tables if not name.startswith("sqlite_")} | set(HOST_VIEWS)
    assert inside <= RESERVED_NAMES


def test_names_that_differ_in_case_only_are_a_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, device("lamp") + device("Lamp")) == [
        "agent.toml: device 'Lamp': name: found 'Lamp', allowed: a name that no other device has, "
        "however its letters are cased"
    ]


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        ("prss", ", did you mean 'press'?"),
        ("LAMP", ", did you mean 'lamp'?"),
        ("modbus", ", this version has the kinds press, lamp, sun"),
        ("", ", this version has the kinds press, lamp, sun"),
    ],
)
def test_an_unknown_kind_has_a_hint(tmp_path: Path, kind: str, hint: str) -> None:
    found = faults(tmp_path, device("a", kind))

    assert found == [f"agent.toml: device 'a': kind: found {kind!r}{hint}"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("device = 5", ["device: found 5, allowed: tables [[device]], in double brackets"]),
        ("device = true", ["device: found true, allowed: tables [[device]], in double brackets"]),
        (
            '[device]\nname = "a"\nkind = "lamp"',
            ["device: found a table, allowed: tables [[device]], in double brackets"],
        ),
        (
            'device = [5, [], { kind = "lamp" }]',
            [
                "device 1: found 5, allowed: a table [[device]]",
                "device 2: found a list, allowed: a table [[device]]",
                "device 3: name: missing, it has no default",
            ],
        ),
        (
            "[[device]]\n[[device]]\nname = 5\nkind = 1979-05-27",
            [
                "device 1: name: missing, it has no default",
                "device 1: kind: missing, it has no default",
                "device 2: name: found 5, allowed: a text in quotes",
                "device 2: kind: found 1979-05-27, allowed: a text in quotes",
            ],
        ),
    ],
)
def test_what_is_no_device_is_a_fault(tmp_path: Path, text: str, found: list[str]) -> None:
    assert faults(tmp_path, text) == [f"agent.toml: {fault}" for fault in found]


def test_no_device_is_no_fault(tmp_path: Path) -> None:
    assert loaded(tmp_path, "device = []").devices == ()


def test_a_kind_that_is_there_once_is_polled_once(tmp_path: Path) -> None:
    suns = [f'[[device]]\nname = "{name}"\nkind = "sun"\n' for name in ("one", "two")]

    assert faults(tmp_path, "".join(suns)) == [
        "agent.toml: device 'two': kind: found a second 'sun', "
        "allowed: one enabled device of it, what it measures is there once"
    ]
    assert len(loaded(tmp_path, f"{suns[0]}enabled = false\n{suns[1]}").devices) == 2
