"""A check of the whole store: silent when it is sound, and it names what is not."""

import sqlite3
from itertools import islice
from pathlib import Path

import pytest

from agent.store.repair.checks import Fault
from agent.store.repair.scan import scan
from agent.store.repair.verify import Verify
from tests.fakes import NOON_MS, FakeClock
from tests.store.repair.damaged import PAGE, fill, overwrite
from tests.store.upkept import Upkept

S = 1000


def checkpointed(upkept: Upkept) -> Path:
    """Its file, with all that is in it."""
    upkept.close()
    connection = sqlite3.connect(upkept.path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return upkept.path


@pytest.fixture
def path(tmp_path: Path, clock: FakeClock) -> Path:
    """A store with a block, a batch, rows of a host and what they come to by the hour."""
    upkept = Upkept(tmp_path / "telemetry.db", clock)
    fill(upkept, 60)
    fill(upkept, 60, "host")
    clock.advance(5000)
    fill(upkept, 10)
    while upkept.upkeep.run() is not None:
        pass
    return checkpointed(upkept)


def faults(path: Path, *, quick: bool = False) -> list[Fault]:
    return [found for found in Verify(path, quick=quick).run() if isinstance(found, Fault)]


@pytest.mark.parametrize("quick", [True, False])
def test_a_sound_store_has_no_faults(path: Path, quick: bool) -> None:
    verify = Verify(path, quick=quick)

    assert [found for found in verify.run() if isinstance(found, Fault)] == []
    assert verify.samples == 130


def test_a_damaged_block_is_named_with_its_device_range_and_count(path: Path) -> None:
    connection = sqlite3.connect(path)
    (data,) = connection.execute("SELECT data FROM block").fetchone()
    connection.execute("UPDATE block SET data = ?", (data[:-9] + b"x" + data[-8:],))
    connection.commit()
    connection.close()

    found = faults(path, quick=True)

    (fault,) = found
    assert (fault.device, fault.count) == ("press", 60)
    assert (fault.first_ms, fault.last_ms) == (NOON_MS + S, NOON_MS + 60 * S)


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("UPDATE block SET count = 61", "listed as"),
        ("UPDATE layout SET positions = '0'", "another one in the table"),
        ("UPDATE host_row SET v = '[1'", "damaged"),
        ("UPDATE host_row SET layout = 1", "not one of its device"),
        ("UPDATE aggregate SET data = x'00' WHERE span_ms = 3600000", "hours: damaged"),
        ("DELETE FROM block", "which they are of, is not there|not what their samples come to"),
        ("UPDATE device SET name = 'prune' WHERE name = 'press'", "another name"),
    ],
)
def test_what_does_not_belong_together_is_found(path: Path, sql: str, text: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(sql)
    connection.commit()
    connection.close()

    found = faults(path)

    assert any(each in fault.text for fault in found for each in text.split("|"))


def test_rows_that_cant_be_read_are_named_by_what_is_missing(path: Path) -> None:
    connection = sqlite3.connect(path)
    (text,) = connection.execute("SELECT v FROM host_row LIMIT 1 OFFSET 30").fetchone()
    connection.close()
    overwrite(path, path.read_bytes().index(text.encode()) // PAGE * PAGE, bytes(PAGE))

    found = faults(path)

    (missing,) = [fault for fault in found if fault.count is not None]
    assert missing.device == "host"
    assert missing.count is not None
    assert 0 < missing.count < 40
    assert any("rows of" in fault.text for fault in found)
    assert any(fault.text.startswith("SQLite: ") for fault in found)


def test_pages_that_changed_places_are_not_followed_for_ever(
    tmp_path: Path, clock: FakeClock
) -> None:
    upkept = Upkept(tmp_path / "telemetry.db", clock)
    fill(upkept, 200, "host")
    path = checkpointed(upkept)
    content = path.read_bytes()
    early, late = (content.index(text) // PAGE * PAGE for text in (b"30,15.0", b"150,75.0"))
    overwrite(path, early, content[late : late + PAGE])
    overwrite(path, late, content[early : early + PAGE])
    connection = sqlite3.connect(path)
    try:
        for at_once in range(1, 60):
            steps = [*islice(scan(connection, "host_row", ("v",), at_once), 2000)]
            keys = [row[0] for rows in steps if isinstance(rows, list) for row in rows]

            assert len(steps) < 2000, at_once
            assert keys == sorted(set(keys))
    finally:
        connection.close()

    assert faults(path)
