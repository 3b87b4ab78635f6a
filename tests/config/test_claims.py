"""What a device needs to itself is claimed by one device only."""

from pathlib import Path

import pytest

from agent.config import FaultyConfigError, load
from agent.devices import KINDS

UID = "2C003D001457435735363620"
TAG = 'tag = [{ name = "a", address = "HR0:UINT16" }]'


def faults(folder: Path, *devices: str) -> list[str]:
    """The faults of a configuration with these devices, called a, b and so on."""
    file = folder / "agent.toml"
    tables = [f'[[device]]\nname = "{chr(97 + n)}"\n{text}\n' for n, text in enumerate(devices)]
    file.write_text("\n".join(tables), "utf-8")
    try:
        load(file, KINDS, {})
    except FaultyConfigError as error:
        return [fault.text for fault in error.faults]
    return []


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        (
            'kind = "luxtronik"\nhost = "pump"',
            'kind = "luxtronik"\nhost = "PUMP"\nport = 8888',
            "the heat pump at pump",
        ),
        ('kind = "benchlab"', 'kind = "benchlab"', "whichever BENCHLAB board is there"),
        (
            f'kind = "benchlab"\nuid = "{UID}"',
            'kind = "benchlab"',
            "whichever BENCHLAB board is there",
        ),
        (
            f'kind = "benchlab"\nuid = "{UID}"',
            f'kind = "benchlab"\nuid = "{UID.lower()}"',
            f"the board {UID}",
        ),
        (
            f'kind = "modbus"\nserial = "/dev/ttyUSB0"\n{TAG}',
            'kind = "json"\nserial = "/dev/ttyUSB0"',
            "the serial port /dev/ttyUSB0",
        ),
    ],
)
def test_a_second_device_for_the_same_thing_is_a_fault(
    first: str, second: str, what: str, tmp_path: Path
) -> None:
    found = faults(tmp_path, first, second)

    assert len(found) == 1
    assert found[0].startswith(f"found {what}, allowed: one that no other device has, 'a' has it")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('kind = "luxtronik"\nhost = "pump"', 'kind = "luxtronik"\nhost = "pump2"'),
        (
            f'kind = "benchlab"\nuid = "{UID}"',
            'kind = "benchlab"\nuid = "000000000000000000000001"',
        ),
        ('kind = "benchlab"\nport = "/dev/a"', 'kind = "benchlab"\nport = "/dev/b"'),
        ('kind = "benchlab"', 'kind = "benchlab"\nenabled = false'),
        ('kind = "thermostat"\nhost = "x"', 'kind = "thermostat"\nhost = "x"'),
    ],
)
def test_devices_that_do_not_meet_are_sound(first: str, second: str, tmp_path: Path) -> None:
    assert faults(tmp_path, first, second) == []
