"""What the tests of other architectures share."""

from pathlib import Path

import pytest

from tests.cross.machine import BUILD_S


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests here need qemu-user, root and minutes."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.cross)
            item.add_marker(pytest.mark.timeout(2 * BUILD_S))
