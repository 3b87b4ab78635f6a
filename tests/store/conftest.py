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
def stored(tmp_path: Path, clock: FakeClock) -> Iterator[Stored]:
    stored = Stored(tmp_path / "telemetry.db", clock)
    yield stored
    stored.close()


@pytest.fixture
def journaled(tmp_path: Path, clock: FakeClock) -> Iterator[Journaled]:
    with memory_folder() as folder:
        yield Journaled(tmp_path / "telemetry.db", folder, clock)
