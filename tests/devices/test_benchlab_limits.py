"""Values of a BENCHLAB 2 at the limits of their types."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from agent.devices.benchlab import Options
from agent.devices.benchlab.driver import Benchlab
from hw_sim.benchlab import BenchlabSimulator

HIGHEST: Mapping[str, float | None] = {
    "EPS1_Voltage": 32.767,
    "EPS1_Current": 2147483.647,
    "SYS_Power": 23622320.117,
    "VIN_0": None,
    "Vdd": 65.535,
    "Chip_Temp": None,
    "Humidity": 6553.5,
    "Fan1_RPM": 65535,
    "FanExtDuty": None,
    "FaultLog": 2**64 - 1,
}
LOWEST: Mapping[str, float | None] = {
    "EPS1_Voltage": -32.768,
    "EPS1_Current": -2147483.648,
    "SYS_Power": -23622320.128,
    "VIN_0": -32.768,
    "Vdd": 0,
    "Chip_Temp": None,
    "Humidity": 0,
    "Fan1_RPM": 0,
    "FanExtDuty": 0,
    "FaultLog": 0,
}


@pytest.mark.parametrize(("argument", "expected"), [(1, HIGHEST), (0, LOWEST)])
def test_values_at_the_limits_of_their_types(
    tmp_path: Path, argument: int, expected: Mapping[str, float | None]
) -> None:
    with BenchlabSimulator(tmp_path / "board", "bl2") as board:
        board.set_fault(f"limits:{argument}")
        with closing(Benchlab(Options(port=str(board.path)), 2.0)) as driver:
            values = driver.read()

    assert {name: values[name] for name in expected} == expected
