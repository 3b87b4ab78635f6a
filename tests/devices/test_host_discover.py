"""What is found of this machine."""

from pathlib import Path

from agent.config import from_tables
from agent.devices import KINDS
from agent.devices.host.discover import find
from hw_sim.host import HostTree


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_machine_without_anything_is_found(tmp_path: Path) -> None:
    (found,) = find(str(tmp_path))

    assert found.where == "this machine"
    assert (found.facts["battery"], found.facts["temperatures"]) == ("none", "0")
    assert found.note == ""


def test_batteries_model_and_sensors_are_facts(tmp_path: Path) -> None:
    write(tmp_path / "firmware/devicetree/base/model", "Raspberry Pi 5 Model B\0")
    for name, kind in (("AC", "Mains"), ("BAT0", "Battery"), ("BAT1", "Battery")):
        write(tmp_path / f"class/power_supply/{name}/type", f"{kind}\n")
    write(tmp_path / "class/thermal/thermal_zone0/temp", "41000\n")

    (found,) = find(str(tmp_path))

    assert found.facts["model"] == "Raspberry Pi 5 Model B"
    assert found.facts["battery"] == "BAT0, BAT1"
    assert found.facts["temperatures"] == "1"
    assert found.note == "BAT0 is read; for another one set power_supply"


def test_a_simulated_machine_is_found(tmp_path: Path) -> None:
    tree = HostTree(tmp_path)
    tree.build()

    (found,) = find(str(tree.sys))

    assert found.facts["battery"] != "none"
    assert int(found.facts["temperatures"]) > 0


def test_the_options_make_a_table(tmp_path: Path) -> None:
    (found,) = find(str(tmp_path))
    table = {"name": "host", "kind": "host", **found.options}

    config = from_tables({"device": [table]}, "test", tmp_path, KINDS, {})

    assert config.devices[0].options.processes == 10
