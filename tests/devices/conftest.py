"""The simulator that a test of the contract asks for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.devices.case import Case
from tests.devices.kinds import Rig


@pytest.fixture
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    case: Case = request.param
    with case.simulate(tmp_path) as simulator:
        yield Rig(case, simulator)
