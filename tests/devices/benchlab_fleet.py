"""Where the boards of a fleet are looked for, and what is said when none fits."""

from contextlib import closing

import pytest

from agent.devices.benchlab.driver import Benchlab
from agent.errors import DeviceError
from hw_sim.benchlab import Fleet


def pattern(boards: Fleet) -> str:
    """Matches the ports of all boards."""
    return f"{boards.address}*"


def error_of(driver: Benchlab) -> DeviceError:
    """Of one read, after which the driver is closed."""
    with closing(driver), pytest.raises(DeviceError) as caught:
        driver.read()
    return caught.value
