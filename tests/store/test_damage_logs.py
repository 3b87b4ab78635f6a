"""The log beside the store's file, and other files there: missing, of another store, damaged."""

import os
from pathlib import Path

import pytest

from tests.fakes import NOON_MS, FakeClock
from tests.store.repair.damaged import aside, end, fill, go_on, overwrite, save, values
from tests.store.stored import Stored
from tests.store.test_failures import messages


@pytest.fixture
def path(tmp_path: Path, clock: FakeClock) -> Path:
    """A store with 60 samples, which nobody has open, and without a log."""
    stored = Stored(tmp_path / "telemetry.db", clock)
    fill(stored)
    end(stored)
    return stored.path


@pytest.fixture
def killed(tmp_path: Path, clock: FakeClock) -> Path:
    """The same as a kill leaves it: most of it is in its log."""
    stored = Stored(tmp_path / "before" / "telemetry.db", clock)
    fill(stored)
    path = tmp_path / "telemetry.db"
    for end_ in ("", "-wal"):
        (tmp_path / f"telemetry.db{end_}").write_bytes(
            stored.path.with_name(f"telemetry.db{end_}").read_bytes()
        )
    stored.close()
    clock.advance(60)
    return path


def test_a_log_alone_is_kept_and_what_is_in_it_can_be_saved(killed: Path, clock: FakeClock) -> None:
    killed.unlink()

    go_on(killed, clock)
    save(killed.with_name("telemetry.db.damaged-20261120T120201Z"), killed, clock)

    assert len(values(killed)) == 61


def test_a_log_of_another_store_is_not_laid_over_this_one(
    tmp_path: Path, killed: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    other = Stored(tmp_path / "other" / "telemetry.db", FakeClock(NOON_MS - 5_000_000))
    fill(other, 100, "host")
    end_ = Stored(tmp_path / "whole" / "telemetry.db", FakeClock())
    fill(end_, 300)
    end(end_)
    log = end_.path.with_name("telemetry.db-wal")
    log.write_bytes(other.path.with_name("telemetry.db-wal").read_bytes())
    other.close()

    go_on(end_.path, clock)

    assert len(values(end_.path)) == 301
    assert any("its log is not its own" in text for text in messages(caplog))
    assert [each.name for each in end_.path.parent.glob("*.foreign-*-wal")]


def test_a_log_of_an_earlier_time_is_not_laid_over_the_file(
    killed: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    early = killed.with_name("telemetry.db-wal").read_bytes()
    stored = Stored(killed, clock)
    fill(stored, 200)
    end(stored)
    killed.with_name("telemetry.db-wal").write_bytes(early)

    go_on(killed, clock)

    assert len(values(killed)) == 261
    assert "it is older than the file" in messages(caplog)[0]


@pytest.mark.parametrize("at", [10, 20, 3000, 20_000])
def test_damage_to_a_log_costs_no_commit_that_it_did_not_hit(
    killed: Path, clock: FakeClock, at: int
) -> None:
    log = killed.with_name("telemetry.db-wal")
    overwrite(log, at, bytes([log.read_bytes()[at] ^ 4]))

    go_on(killed, clock)
    for each in (*aside(killed), *{Path(str(p)[:-4]) for p in killed.parent.glob("*.cut-*-wal")}):
        save(each, killed, clock)

    assert 60 <= len(values(killed)) <= 61


@pytest.mark.parametrize("name", ["-wal", "-shm", "-journal"])
def test_a_folder_in_place_of_a_file_beside_it_makes_room(
    path: Path, clock: FakeClock, name: str
) -> None:
    path.with_name(f"telemetry.db{name}").mkdir()

    go_on(path, clock)

    assert len(values(path)) == 61


def test_noise_in_place_of_a_journal_is_not_rolled_back(path: Path, clock: FakeClock) -> None:
    path.with_name("telemetry.db-journal").write_bytes(os.urandom(5000))

    go_on(path, clock)

    assert len(values(path)) == 61


def swapped_log(tmp_path: Path, clock: FakeClock, counts: tuple[int, int]) -> Path:
    """A sound store of 900 samples, under the end of the log of another one of the same boot."""
    whole = Stored(tmp_path / "whole" / "telemetry.db", FakeClock())
    fill(whole, 600)
    fill(whole, 300, "host")
    end(whole)
    other = Stored(tmp_path / "other" / "telemetry.db", FakeClock(NOON_MS + 86_400_000))
    fill(other, counts[0])
    other.execute("PRAGMA wal_checkpoint(PASSIVE)")
    fill(other, counts[1], "host")
    log = whole.path.with_name("telemetry.db-wal")
    log.write_bytes(other.path.with_name("telemetry.db-wal").read_bytes())
    other.close()
    clock.advance(10_000)
    return whole.path


@pytest.mark.parametrize("counts", [(5, 300), (400, 100), (800, 20), (900, 900)])
def test_a_log_of_another_store_of_the_same_boot_hides_nothing_of_the_file(
    tmp_path: Path, clock: FakeClock, counts: tuple[int, int]
) -> None:
    path = swapped_log(tmp_path, clock, counts)

    go_on(path, clock)
    reports = [save(each, path, clock).report for each in aside(path)]

    assert {*range(600)} <= {each["n"] for each in values(path)}
    assert {*range(300)} <= {each["n"] for each in values(path, "host")}
    assert all(report.lost == 0 for report in reports)
