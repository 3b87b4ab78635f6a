"""The one file that was built for this machine, with its list of contents."""

import os
from pathlib import Path

import pytest

from tests.frozen.program import command_of


@pytest.fixture(scope="session")
def program() -> Path:
    """The one file."""
    words = command_of(os.environ)
    if not words:
        pytest.skip("there is no one file in dist: run make build, or name one in AGENT_BINARY")
    return Path(words[-1])


@pytest.fixture(scope="session")
def listed(program: Path) -> Path:
    """The list of what is inside."""
    path = program.with_name(f"{program.name}.cdx.json")
    if not path.exists():
        pytest.skip(f"there is no {path}: run make build")
    return path
