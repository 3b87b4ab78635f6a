"""The simulators that tests of drivers ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.benchlab import Fleet
from tests.devices.case import Case
from tests.devices.kinds import Rig


@pytest.fixture
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    case: Case = request.param
    with case.simulate(tmp_path) as simulator:
        yield Rig(case, simulator)


@pytest.fixture
def boards(tmp_path: Path) -> Iterator[Fleet]:
    """Three boards, at board0 to board2."""
    with Fleet(tmp_path / "board", 3, "original", None, 1) as fleet:
        yield fleet
