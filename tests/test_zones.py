"""The time zone of the user."""

import os
import subprocess
import sys
from zoneinfo import ZoneInfo

import pytest

from agent.zones import zone_of

LOCAL = """
from agent.errors import ConfigError
from agent.zones import zone_of
try:
    print(zone_of("local"))
except ConfigError as error:
    print(error)
"""


def local_zone(variable: str) -> str:
    """The machine's own zone, or the error: from a process, since it is looked up once in each."""
    result = subprocess.run(
        [sys.executable, "-c", LOCAL],
        env={**os.environ, "TZ": variable},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert result.stderr == ""
    return result.stdout


def test_a_zone_has_a_name() -> None:
    assert zone_of("Europe/Berlin") == ZoneInfo("Europe/Berlin")


def test_local_is_the_machines_own() -> None:
    assert local_zone("Asia/Kathmandu") == "Asia/Kathmandu\n"


@pytest.mark.parametrize("variable", ["CET-1CEST", "Europe/Nowhere", "/etc/passwd"])
def test_a_zone_of_the_machine_that_cannot_be_used_is_an_error_of_one_line(variable: str) -> None:
    (line,) = local_zone(variable).splitlines()

    assert line.startswith("the time zone of this machine cannot be used: ")
    assert line.endswith('; name one in [agent], such as timezone = "Europe/Berlin"')
