"""What the tests of the commands share."""

from pathlib import Path

import pytest

from tests.console.commands import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A folder with a configuration of a simulated host."""
    machine = Machine(tmp_path)
    machine.tree.build()
    return machine
