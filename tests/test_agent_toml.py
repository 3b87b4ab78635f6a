"""``agent.toml`` is the reference: it loads, and shows every option with its default.

Options that are not set stand there as ``# key = value``, tables as ``# [[device]]``; other
comments begin with ``##``, or follow a value.
"""

import re
import tomllib
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import attrs
import pytest

from agent.config import load
from agent.config.options import Secret
from agent.config.schema import SECTIONS, DeviceSection
from agent.config.structure import base_type, is_tuple
from agent.devices import KINDS

FILE = Path(__file__).parent.parent / "agent.toml"
COMMENTED = re.compile(r"^# (?=\[{1,2}[a-z_.]+\]|[a-z_]+ = )", re.MULTILINE)
REFERENCE = re.compile(r'\{ env = "([A-Z_]+)" \}')
SHOWN_ONCE = ("enabled", "plain")  # they are the same for all kinds
HAS_NO_DEFAULT = (attrs.NOTHING, None, (), "")

Options = tuple[str, type, str]  # what the tables are called, their class, and the key of one


def uncommented() -> str:
    """The file with every option and every table in force."""
    return COMMENTED.sub("", FILE.read_text("utf-8"))


def inner_options(name: str, options: type) -> Iterator[Options]:
    """Every option of a class, and those of the tables in it."""
    hints = typing.get_type_hints(options, include_extras=True)
    for field in attrs.fields(options):
        yield name, options, field.name
        base = base_type(hints[field.name])
        item = base_type(get_args(base)[0]) if is_tuple(base) else base
        if attrs.has(item) and item is not Secret:
            yield from inner_options(f"{name}.{field.name}", item)


def all_options() -> Iterator[Options]:
    """Every option that ``agent.toml`` may have."""
    for name, section in SECTIONS.items():
        yield from inner_options(name, section)
    for kind, made in KINDS.items():
        for name, section, key in inner_options(f"device {kind}", DeviceSection):
            yield ("device" if key in SHOWN_ONCE else name), section, key
        yield from inner_options(f"device {kind}", made().options)


def tables(name: str) -> list[dict[str, Any]]:
    """The tables that are called so: ``store``, ``device``, ``device s7``, ``device s7.tag``."""
    raw = tomllib.loads(uncommented())
    outer, *inner = name.split(".")
    found = [raw[outer]] if outer in SECTIONS else raw["device"]
    if outer.startswith("device "):
        found = [each for each in raw["device"] if each["kind"] == outer.removeprefix("device ")]
    for key in inner:
        found = [below for table in found for below in table.get(key, [])]
    return found


def explanations(key: str) -> str:
    """What stands behind an option's value, wherever it is shown: an example names its default."""
    return "\n".join(re.findall(rf"^{key} = .*?\s#\s(.*)", uncommented(), re.MULTILINE))


def default_of(name: str, options: type, key: str) -> Any:
    """The default of an option; that of an interval or time-out is its kind's."""
    if options is DeviceSection and key in ("interval_s", "timeout_s"):
        return getattr(KINDS[name.removeprefix("device ")](), key)
    return next(field.default for field in attrs.fields(options) if field.name == key)


def test_the_file_loads_as_it_is() -> None:
    config = load(FILE, KINDS, {})

    assert config.devices


def test_the_file_loads_with_every_option_in_force(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(uncommented(), "utf-8")

    config = load(file, KINDS, dict.fromkeys(REFERENCE.findall(uncommented()), "secret"))

    assert {device.kind for device in config.devices} == set(KINDS)


@pytest.mark.parametrize(
    ("name", "options", "key"),
    tuple(all_options()),
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_file_shows_an_option_with_its_default(name: str, options: type, key: str) -> None:
    default = default_of(name, options, key)

    values = [table[key] for table in tables(name) if key in table]

    assert values, f"{name}: {key} is not shown"
    if default not in HAS_NO_DEFAULT:
        same = [value for value in values if repr(value) == repr(default)]
        assert same or str(default) in explanations(key)


def test_every_comment_is_an_option_or_prose() -> None:
    lines = FILE.read_text("utf-8").splitlines()

    unclear = [
        line
        for line in lines
        if line.startswith("#")
        and line != "#"
        and not line.startswith("##")
        and not COMMENTED.match(line)
    ]

    assert unclear == []
