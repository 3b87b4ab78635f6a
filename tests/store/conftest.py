"""A store in a folder of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import FakeClock
from tests.store.journaled import Journaled, memory_folder
from tests.store.stored import Stored


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def plain() -> bool:
    """Whether the press is; a module that is about both forms has a fixture of its own."""
    return True


@pytest.fixture
def stored(tmp_path: Path, clock: FakeClock, *, plain: bool) -> Iterator[Stored]:
    stored = Stored(tmp_path / "telemetry.db", clock, plain=plain)
    yield stored
    stored.close()


@pytest.fixture
def journaled(tmp_path: Path, clock: FakeClock, *, plain: bool) -> Iterator[Journaled]:
    with memory_folder() as folder:
        yield Journaled(tmp_path / "telemetry.db", folder, clock, plain=plain)
