"""The battery columns, as users of the Raspberry Pi logger know them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from agent.devices.host import Options
from agent.devices.host.battery import Battery, power_of
from agent.devices.host.driver import Host
from agent.model import Value
from hw_sim.host.tree import (
    AC,
    AC_AND_BATTERY,
    BATTERY,
    NO_BATTERY,
    NO_POWER_NOW,
    SEVERAL,
    HostTree,
    Supply,
)

NONE = {"voltage": None, "current": None, "power": None, "battery_pct": None}


def tree_of(root: Path, supplies: Sequence[Supply]) -> HostTree:
    """A built tree with these supplies."""
    tree = HostTree(root, supplies=supplies, processes=0)
    tree.build()
    return tree


def read(root: Path, supplies: Sequence[Supply], wanted: str = "auto") -> Mapping[str, Value]:
    """The battery columns of a machine with these supplies."""
    return Battery(str(tree_of(root, supplies).sys), wanted).read()


@pytest.mark.parametrize(
    ("supplies", "wanted", "expected"),
    [
        pytest.param(BATTERY, "auto", (3.9875, -0.412, 1.64285, 87), id="one battery"),
        pytest.param(AC_AND_BATTERY, "auto", (3.9875, 0.25, 0.996875, 87), id="not the mains"),
        pytest.param(SEVERAL, "auto", (3.9875, -0.412, 1.64285, 87), id="first in name order"),
        pytest.param(SEVERAL, "BAT1", (7.4, -0.412, 1.64285, 87), id="forced by name"),
        pytest.param(SEVERAL, "usb", (3.9875, -0.412, 1.64285, 87), id="forced, no battery"),
        pytest.param(SEVERAL, "ac", (None, None, None, None), id="forced, no values"),
        pytest.param(SEVERAL, "none", (None, None, None, None), id="turned off"),
        pytest.param(NO_BATTERY, "auto", (None, None, None, None), id="no supplies"),
        pytest.param((AC,), "auto", (None, None, None, None), id="no battery"),
        pytest.param(NO_POWER_NOW, "auto", (3.9875, -0.412, -1.64285, 87), id="V x A"),
        pytest.param(
            (Supply("BAT0", power_uw=0),), "auto", (3.9875, -0.412, -1.64285, 87), id="0 W is V x A"
        ),
        pytest.param(
            (Supply("BAT0", current_ua=None),), "auto", (3.9875, None, 1.64285, 87), id="no current"
        ),
        pytest.param(
            (Supply("BAT0", power_uw=-1_500_000),), "auto", (3.9875, -0.412, -1.5, 87), id="signs"
        ),
    ],
)
def test_the_columns_follow_the_rules(
    tmp_path: Path, supplies: Sequence[Supply], wanted: str, expected: tuple[Value, ...]
) -> None:
    values = read(tmp_path, supplies, wanted)

    assert values == dict(zip(NONE, expected, strict=True))


def test_the_columns_are_there_without_the_folder(tmp_path: Path) -> None:
    battery = Battery(str(tmp_path), "auto")

    assert battery.read() == NONE


@pytest.mark.parametrize(
    ("supplies", "there"), [(SEVERAL, "BAT0, BAT1, ac, usb"), (NO_BATTERY, "none at all")]
)
def test_a_name_that_is_not_there_is_a_warning_with_those_that_are(
    tmp_path: Path, supplies: Sequence[Supply], there: str
) -> None:
    sys = tree_of(tmp_path, supplies).sys
    battery = Battery(str(sys), "UPS0")

    values = battery.read()

    folder = f"{sys}/class/power_supply"
    assert values == NONE
    assert battery.warnings() == [f"power_supply: wanted 'UPS0' in {folder}, found {there}"]


def test_the_warning_stays_the_same_while_the_supply_is_missing(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, SEVERAL)
    battery = Battery(str(tree.sys), "BAT1")
    battery.read()
    before = list(battery.warnings())
    del tree.supplies["BAT1"]
    tree.remove("sys/class/power_supply/BAT1")

    warned = []
    for _ in range(3):
        tree.step()
        battery.read()
        warned.append(list(battery.warnings()))

    assert before == []
    assert warned == [warned[0]] * 3
    assert "wanted 'BAT1'" in warned[0][0]


def test_a_missing_supply_costs_only_the_battery_columns_of_the_host(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, NO_BATTERY)
    host = Host(Options("UPS0", proc=str(tree.proc), sys=str(tree.sys)), 3.0, wait=id)

    values = host.read()
    warned = list(host.warnings())
    tree.supplies["UPS0"] = Supply("UPS0")
    tree.refresh()
    later = host.read()

    host.close()
    assert (values["voltage"], values["load1"]) == (None, 0.0)
    assert len(warned) == 1
    assert later["voltage"] == 3.9875
    assert host.warnings() == []


@pytest.mark.parametrize("wanted", ["auto", "BAT0"])
def test_a_battery_that_is_taken_out_becomes_none_and_comes_back(
    tmp_path: Path, wanted: str
) -> None:
    tree = tree_of(tmp_path, BATTERY)
    battery = Battery(str(tree.sys), wanted)
    tree.remove("sys/class/power_supply/BAT0")

    without = battery.read()
    tree.refresh()
    again = battery.read()

    assert without == NONE
    assert again["voltage"] == 3.9875
    assert list(battery.warnings()) == []


@pytest.mark.parametrize("content", ["", "\n", "12 V", "1e6", "0x10", "9" * 40, "nan", "1_0"])
def test_a_value_that_is_not_a_whole_number_is_none(tmp_path: Path, content: str) -> None:
    tree = tree_of(tmp_path, NO_POWER_NOW)
    tree.write("sys/class/power_supply/BAT0/voltage_now", content)

    values = Battery(str(tree.sys), "auto").read()

    assert (values["voltage"], values["current"], values["power"]) == (None, -0.412, None)


def test_each_read_sees_the_values_of_now(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, BATTERY)
    battery = Battery(str(tree.sys), "auto")
    battery.read()
    tree.supplies["BAT0"] = Supply("BAT0", voltage_uv=3_700_001)
    tree.refresh()

    assert battery.read()["voltage"] == 3.700001


@pytest.mark.parametrize(
    ("supplies", "wanted", "expected"),
    [
        (SEVERAL, "auto", "battery BAT0; other power supplies: BAT1, ac, usb"),
        ((AC,), "auto", "no battery; other power supplies: ac"),
        (NO_BATTERY, "auto", "no battery"),
        (BATTERY, "UPS0", "no power supply 'UPS0'; other power supplies: BAT0"),
        (BATTERY, "none", "battery turned off; other power supplies: BAT0"),
    ],
)
def test_describe_names_the_battery_and_the_others(
    tmp_path: Path, supplies: Sequence[Supply], wanted: str, expected: str
) -> None:
    battery = Battery(str(tree_of(tmp_path, supplies).sys), wanted)
    battery.read()

    assert battery.describe() == [expected]


def test_power_that_is_known_is_kept_where_the_current_is_not() -> None:
    assert power_of(7.4, None, 0.0) == 0.0
