"""A store with reports in a folder of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reports.kept import Kept


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(tmp_path)
    yield kept
    kept.close()
