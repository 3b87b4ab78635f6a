"""What the tests of the check-up share."""

from pathlib import Path

import pytest

from tests.doctor.machines import Tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A machine's files."""
    return Tree(tmp_path / "machine")
