"""A station in a folder of its own for each test."""

from pathlib import Path

import pytest

from tests.importing.station import HOST, Station


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return Station(tmp_path, HOST)
