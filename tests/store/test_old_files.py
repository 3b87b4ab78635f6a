"""Files of the first version: they go on, and what they have is read as it was."""

from pathlib import Path

import pytest

from agent.store import Reader
from tests.fakes import NOON_MS, FakeClock
from tests.store.stored import Stored
from tests.store.version_1 import write_version_1


@pytest.fixture
def old(tmp_path: Path, clock: FakeClock) -> Stored:
    """A store on such a file, which it has not opened yet; its press is not plain any more."""
    write_version_1(tmp_path / "telemetry.db")
    return Stored(tmp_path / "telemetry.db", clock, plain=False)


def test_samples_go_on_behind_the_rows_that_are_there(old: Stored) -> None:
    old.put(level=3)
    old.put("host", load1=1.5)

    assert old.store.flush()

    assert old.values() == [{"level": 1}, {"level": 2}, {"level": 3}]
    assert old.values("host") == [{"load1": 0.5}, {"load1": 1.5}]
    assert old.sql("SELECT count(*) FROM row") == [(3,)]
    assert [block.keys() for _, block in old.batches()] == [[NOON_MS * 1000]]
    with Reader(old.path) as reader:
        units = {metric.name: metric.unit for each in reader.devices() for metric in each.metrics}
    assert units == {"level": "mm", "load1": "", "count": ""}
    old.close()


def test_it_keeps_the_size_of_its_pages_and_a_new_one_has_small_ones(
    old: Stored, tmp_path: Path, clock: FakeClock
) -> None:
    new = Stored(tmp_path / "new.db", clock)
    for stored in (old, new):
        stored.store.flush()

    assert old.sql("PRAGMA page_size") == [(4096,)]
    assert new.sql("PRAGMA page_size") == [(1024,)]
    old.close()
    new.close()


def test_a_device_whose_name_became_that_of_a_table_keeps_its_samples(old: Stored) -> None:
    assert old.store.flush()

    assert old.values("batch") == [{"count": 3}]
    old.close()


def test_rows_that_are_sealed_later_are_older_than_what_comes_then(old: Stored) -> None:
    old.store.flush()
    old.clock.set_wall(NOON_MS - 60_000)

    old.put(level=3)
    old.store.flush()

    assert [block.keys() for _, block in old.batches()] == [[(NOON_MS - 6000) * 1000 + 1]]
    old.close()


def test_the_view_of_a_device_that_is_not_plain_goes_with_its_last_row(old: Stored) -> None:
    old.put(level=3)
    old.store.flush()
    with_rows = old.sql("SELECT level FROM press")
    old.restart(in_order=True)
    old.execute("DELETE FROM row WHERE device = 1")

    old.put(level=4)
    old.store.flush()

    assert with_rows == [(1,), (2,)]
    views = {name for (name,) in old.sql("SELECT name FROM sqlite_master WHERE type = 'view'")}
    assert views == {"host", "system_sample", "cpu_core", "process_sample", "training_view"}
    old.close()
