"""Temperatures and throttling from trees of files that are known."""

from pathlib import Path

import pytest

from agent.devices.host.sensors import Temperatures, Throttling, parse_throttled
from hw_sim.host import HostTree


@pytest.fixture
def tree(tmp_path: Path) -> HostTree:
    tree = HostTree(tmp_path, processes=0)
    tree.build()
    return tree


def test_temperatures_are_in_degrees_and_a_zone_counts_once(tree: HostTree) -> None:
    values = Temperatures(str(tree.sys)).read()

    assert values == {"temp_cpu_thermal_c": 48.3, "temp_nvme_composite_c": 43.3}


def test_a_sensor_without_a_label_has_its_number(tree: HostTree) -> None:
    tree.write("sys/class/hwmon/hwmon2/name", "coretemp\n")
    tree.write("sys/class/hwmon/hwmon2/temp10_input", "51000\n")
    tree.write("sys/class/hwmon/hwmon2/temp2_input", "50000\n")
    tree.write("sys/class/hwmon/hwmon2/temp2_label", "Package id 0\n")

    names = list(Temperatures(str(tree.sys)).read())

    assert names[2:] == ["temp_coretemp_package_id_0_c", "temp_coretemp_10_c"]


def test_sensors_of_the_same_name_are_numbered_by_the_place_of_their_hardware(
    tree: HostTree,
) -> None:
    for chip, place, value in (("hwmon3", "b", 2000), ("hwmon4", "a", 1000)):
        tree.write(f"sys/class/hwmon/{chip}/name", "lm75\n")
        tree.write(f"sys/class/hwmon/{chip}/temp1_input", f"{value}\n")
        tree.write(f"sys/devices/{place}/uevent", "")
        (tree.sys / f"class/hwmon/{chip}/device").symlink_to(tree.sys / "devices" / place)

    values = Temperatures(str(tree.sys)).read()

    assert (values["temp_lm75_1_c"], values["temp_lm75_1_2_c"]) == (1.0, 2.0)


@pytest.mark.parametrize("content", ["", "hot", "-300000", "9" * 30])
def test_a_sensor_that_gives_no_temperature_is_none(tree: HostTree, content: str) -> None:
    tree.write("sys/class/thermal/thermal_zone0/temp", content)

    assert Temperatures(str(tree.sys)).read()["temp_cpu_thermal_c"] is None


def test_a_temperature_below_freezing_is_one(tree: HostTree) -> None:
    tree.write("sys/class/thermal/thermal_zone0/temp", "-12345\n")

    assert Temperatures(str(tree.sys)).read()["temp_cpu_thermal_c"] == -12.3


def test_a_chip_that_comes_and_goes_is_followed(tree: HostTree) -> None:
    part = Temperatures(str(tree.sys))
    part.read()
    tree.remove("sys/class/hwmon/hwmon1")
    without = part.read()
    tree.write("sys/class/hwmon/hwmon1/name", "usb_probe\n")
    tree.write("sys/class/hwmon/hwmon1/temp1_input", "20000\n")

    again = part.read()

    assert list(without) == ["temp_cpu_thermal_c"]
    assert list(again) == ["temp_cpu_thermal_c", "temp_usb_probe_1_c"]


def test_a_machine_without_sensors_offers_none(tmp_path: Path) -> None:
    part = Temperatures(str(tmp_path))

    assert part.read() == {}
    assert list(part.metrics) == []
    assert part.describe() == ["temperatures none"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"0", set()),
        (b"1", {"under_voltage"}),
        (b"0x2", {"freq_capped"}),
        (b"4", {"now"}),
        (b"8", {"soft_temp_limit"}),
        (b"50005", {"under_voltage", "now", "under_voltage_since_boot", "since_boot"}),
        (b"A0000", {"freq_capped_since_boot", "soft_temp_limit_since_boot"}),
    ],
)
def test_each_bit_of_the_firmware_has_its_name(content: bytes, expected: set[str]) -> None:
    values = parse_throttled(content)

    assert values["throttled"] == int(content, 16)
    assert {name.removeprefix("throttled_") for name, value in values.items() if value is True} == (
        expected
    )


@pytest.mark.parametrize("content", [b"", b"xyz", b"-1", b"123456789", b"0x"])
def test_bits_that_are_none_are_none(content: bytes) -> None:
    assert set(parse_throttled(content).values()) == {None}


def test_the_firmware_of_a_pi_5_is_found(tree: HostTree) -> None:
    tree.remove("sys/devices/platform")
    place = "sys/devices/platform/soc@107c000000/soc@107c000000:firmware"
    tree.write(f"{place}/get_throttled", "4\n")

    assert Throttling(str(tree.sys)).read()["throttled_now"] is True


def test_low_voltage_is_told_by_the_chip_where_the_firmware_has_no_file(tree: HostTree) -> None:
    tree.remove("sys/devices/platform")
    tree.write("sys/class/hwmon/hwmon2/name", "rpi_volt\n")
    tree.write("sys/class/hwmon/hwmon2/in0_lcrit_alarm", "1\n")
    part = Throttling(str(tree.sys))

    assert part.read() == {"throttled_under_voltage": True}
    assert [metric.name for metric in part.metrics] == ["throttled_under_voltage"]


def test_a_machine_that_is_no_pi_offers_no_throttling(tmp_path: Path) -> None:
    tree = HostTree(tmp_path, processes=0, is_raspberry_pi=False)
    tree.build()
    part = Throttling(str(tree.sys))

    assert part.read() == {}
    assert list(part.metrics) == []
    assert part.describe() == []
