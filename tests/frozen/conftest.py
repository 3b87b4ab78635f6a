"""The one file that the tests here run."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.frozen.program import Frozen, command_of


@pytest.fixture(scope="session")
def program() -> Sequence[str]:
    """The words that run it."""
    words = command_of(os.environ)
    if not words:
        pytest.skip("there is no one file in dist: run make build, or name one in AGENT_BINARY")
    assert Path(words[-1]).is_file(), f"AGENT_BINARY: there is no file {words[-1]}"
    return words


@pytest.fixture
def agent(program: Sequence[str], tmp_path: Path) -> Frozen:
    """The one file in a folder that is empty, with an environment that is empty."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return Frozen(program, folder)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests here need the one file."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.frozen)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(1800))
