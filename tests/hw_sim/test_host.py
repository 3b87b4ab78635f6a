"""The tree of files that stands for a machine."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.devices.host import Options
from agent.devices.host.driver import Host
from hw_sim.host import AC_AND_BATTERY, NO_BATTERY, NO_POWER_NOW, SEVERAL, HostTree


def contents(tree: HostTree) -> Mapping[str, bytes]:
    """Every file below the root, without those that name the root itself."""
    return {
        str(path.relative_to(tree.root)): path.read_bytes()
        for path in tree.root.rglob("*")
        if path.is_file() and path.name != "mounts"
    }


def test_the_same_seed_makes_the_same_machine_move_in_the_same_way(tmp_path: Path) -> None:
    one, two = HostTree(tmp_path / "one", seed=7), HostTree(tmp_path / "two", seed=7)
    for tree in (one, two):
        tree.build()
        tree.step()
        tree.step(1.5)

    assert contents(one) == contents(two)


def test_another_seed_makes_another_machine(tmp_path: Path) -> None:
    one, two = HostTree(tmp_path / "one", seed=1), HostTree(tmp_path / "two", seed=2)
    for tree in (one, two):
        tree.build()
        tree.step()

    assert contents(one) != contents(two)


def test_a_hundred_steps_stay_plausible(tmp_path: Path) -> None:
    tree = HostTree(tmp_path, processes=3)
    tree.build()
    driver = Host(
        Options(proc=str(tree.proc), sys=str(tree.sys)), 3.0, wait=lambda _: tree.step(5.0)
    )
    samples = []
    for _ in range(100):
        samples.append(driver.read())
        tree.step()

    received = [sample["net_eth0_received_bytes"] for sample in samples]
    assert received == sorted(received, key=lambda value: float(value or 0))
    for sample in samples:
        usage, charge, power = sample["cpu_total"], sample["battery_pct"], sample["power"]
        assert isinstance(usage, float)
        assert isinstance(charge, int)
        assert isinstance(power, float)
        assert 0 <= usage <= 100
        assert 0 <= charge <= 100
        assert 0 < power < 10


def test_a_battery_drains_and_one_on_the_mains_charges(tmp_path: Path) -> None:
    draining = HostTree(tmp_path / "draining", processes=0)
    charging = HostTree(tmp_path / "charging", processes=0, supplies=AC_AND_BATTERY)
    for tree in (draining, charging):
        tree.build()
        for _ in range(10):
            tree.step(30.0)

    down, up = draining.supplies["BAT0"], charging.supplies["battery"]
    assert (down.voltage_uv or 0) < 3_987_500 < (up.voltage_uv or 0)
    assert (down.capacity or 0) < 87 < (up.capacity or 0)


@pytest.mark.parametrize(
    ("supplies", "names"),
    [
        (NO_BATTERY, []),
        (AC_AND_BATTERY, ["ac", "battery"]),
        (SEVERAL, ["BAT0", "BAT1", "ac", "usb"]),
    ],
)
def test_the_supplies_are_those_that_were_asked_for(
    tmp_path: Path, supplies: tuple[()], names: list[str]
) -> None:
    tree = HostTree(tmp_path, supplies=supplies)

    tree.build()

    assert sorted(path.name for path in (tree.sys / "class/power_supply").iterdir()) == names


def test_a_value_that_a_supply_does_not_have_has_no_file(tmp_path: Path) -> None:
    tree = HostTree(tmp_path, supplies=NO_POWER_NOW)

    tree.build()

    folder = tree.sys / "class/power_supply/BAT0"
    assert not (folder / "power_now").exists()
    assert (folder / "current_now").read_text() == "-412000\n"


def test_building_twice_is_fine(tmp_path: Path) -> None:
    tree = HostTree(tmp_path)
    tree.build()
    before = contents(tree)

    tree.build()

    assert contents(tree) == before
