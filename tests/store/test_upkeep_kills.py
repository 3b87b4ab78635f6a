"""Upkeep that is killed anywhere: nothing is lost, nothing doubled, and the next one goes on."""

from pathlib import Path

import pytest

from tests.store.killed import account_of


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("stride", "kills"),
    [
        pytest.param(37, 10, id="some calls"),
        pytest.param(1, 400, id="each call", marks=pytest.mark.slow),
    ],
)
def test_a_kill_at_any_call_of_sqlite_loses_nothing_and_doubles_nothing(
    tmp_path: Path, stride: int, kills: int
) -> None:
    found = account_of("kill_upkeep", tmp_path, stride)

    assert found["kills"] > kills
    assert len(found["forms"]) == 4  # batches sealed, rows sealed, blocks merged, or nothing yet
