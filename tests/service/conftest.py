"""What the tests of installing share."""

from pathlib import Path

import pytest

from tests.service.system import System


@pytest.fixture
def system(tmp_path: Path) -> System:
    """A machine without an agent."""
    root = tmp_path / "root"
    root.mkdir()
    return System(root)
