"""A kill at any moment while samples get their true time: the next run goes on with it."""

from pathlib import Path

import pytest

from tests.store.killed import account_of

pytestmark = pytest.mark.timeout(1200)


@pytest.mark.parametrize("start", ["from 1970", "forward", "back"])
@pytest.mark.parametrize(
    ("stride", "kills"),
    [
        pytest.param(401, 10, id="short"),
        pytest.param(7, 600, id="long", marks=pytest.mark.slow),
    ],
)
def test_whenever_it_is_killed_each_sample_is_there_once_and_true(
    tmp_path: Path, start: str, stride: int, kills: int
) -> None:
    found = account_of("kill_true_time", tmp_path, stride, start)

    assert found["kills"] >= kills
