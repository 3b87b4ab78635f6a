"""What can be saved of a file comes into the store: once, exact, and what is lost is named."""

import random
import sqlite3
from pathlib import Path

import pytest

from agent.model import Gap, Reason, Sample
from agent.store import Reader
from agent.store.repair.salvage import reports
from agent.store.repair.waiting import to_save
from tests.fakes import NOON_MS, FakeClock
from tests.store.repair.damaged import PAGE, aside, end, fill, overwrite, place, samples, save
from tests.store.stored import EVER, Stored

S = 1000


def stored_in(folder: Path, clock: FakeClock, *, plain: bool = False) -> Stored:
    return Stored(folder / "telemetry.db", clock, plain=plain)


@pytest.fixture(params=[True, False], ids=["rows", "batches"])
def old(tmp_path: Path, clock: FakeClock, request: pytest.FixtureRequest) -> Path:
    """A store with 60 samples of a press and of a host, which nobody has open."""
    stored = stored_in(tmp_path / "old", clock, plain=request.param)
    fill(stored)
    fill(stored, device="host")
    stored.store.open_gap("press", clock.now_ms(), Reason.TIMEOUT, "no answer")
    stored.clock.advance(30)
    stored.store.close_gap("press", clock.now_ms())
    assert stored.store.flush()
    end(stored)
    clock.advance(100)
    return stored.path


def new_store(tmp_path: Path, clock: FakeClock) -> Path:
    """A store in which the devices and their metrics have other numbers."""
    stored = stored_in(tmp_path / "new", clock)
    stored.store.add_device("first", "s7", 1.0, plain=False)
    stored.store.append(Sample("first", clock.stamp(), {"on": False}))
    stored.put("host", on=True, other="x")
    clock.advance(1)
    stored.put("press", half=0.0, new=1, on=False)
    assert stored.store.flush()
    end(stored)
    return stored.path


@pytest.mark.parametrize("device", ["press", "host"])
def test_all_of_a_sound_file_comes_over_exact_whatever_the_numbers_are(
    tmp_path: Path, clock: FakeClock, old: Path, device: str
) -> None:
    target = new_store(tmp_path, clock)
    before = samples(target, device)

    salvage = save(old, target, clock)

    assert samples(target, device) == [*samples(old, device), *before]
    assert (salvage.report.saved, salvage.report.lost) == (120, 0)


def test_the_same_again_adds_nothing(tmp_path: Path, clock: FakeClock, old: Path) -> None:
    target = new_store(tmp_path, clock)
    save(old, target, clock)
    before = samples(target)

    salvage = save(old, target, clock)

    assert samples(target) == before
    assert salvage.report.saved == 0


def test_cut_off_anywhere_it_goes_on_the_next_time(
    tmp_path: Path, clock: FakeClock, old: Path
) -> None:
    from agent.store.repair.salvage import Salvage

    target = new_store(tmp_path, clock)
    for steps in (1, 3, 5, 8):
        with place(target, clock) as found:
            salvage = Salvage(old, found)
            for _ in range(steps):
                salvage.step()
            salvage.close()

    save(old, target, clock)

    assert samples(target)[:60] == samples(old)
    assert len(samples(target)) == 61


def test_gaps_and_runs_come_over_once(tmp_path: Path, clock: FakeClock, old: Path) -> None:
    target = new_store(tmp_path, clock)

    save(old, target, clock)
    save(old, target, clock)

    with Reader(target) as reader:
        gaps = reader.gaps("press", *EVER)
        runs = reader.runs()
    wanted = Gap("press", NOON_MS + 120 * S, NOON_MS + 150 * S, Reason.TIMEOUT, "no answer")
    assert gaps.count(wanted) == 1
    assert [run.start_ms for run in runs] == [NOON_MS + 250 * S, NOON_MS]


def test_what_became_of_a_file_is_noted_and_it_is_not_looked_at_again(
    path_with_damage: Path, clock: FakeClock
) -> None:
    assert to_save(path_with_damage) == aside(path_with_damage)

    save(to_save(path_with_damage)[0], path_with_damage, clock)

    (name,) = reports(path_with_damage)
    assert name == aside(path_with_damage)[0].name
    assert to_save(path_with_damage) == []


@pytest.fixture
def path_with_damage(tmp_path: Path, clock: FakeClock) -> Path:
    """A store that took over from one of which a page of rows is lost."""
    stored = stored_in(tmp_path, clock, plain=True)
    fill(stored, 200)
    end(stored)
    connection = sqlite3.connect(stored.path)
    (text,) = connection.execute("SELECT v FROM row LIMIT 1 OFFSET 100").fetchone()
    connection.close()
    at = stored.path.read_bytes().index(text.encode()) // PAGE * PAGE
    overwrite(stored.path, at, random.Random(1).randbytes(PAGE))
    overwrite(stored.path, 0, bytes(PAGE))
    clock.advance(1)
    again = stored_in(tmp_path, clock, plain=True)
    again.put("press", n=200, half=100.0, on=True)
    assert again.store.flush()
    end(again)
    return stored.path


def test_what_is_lost_is_a_gap_with_its_device_range_and_count(
    path_with_damage: Path, clock: FakeClock
) -> None:
    (source,) = aside(path_with_damage)

    salvage = save(source, path_with_damage, clock)

    numbers = [sample.values["n"] for sample in samples(path_with_damage)]
    missing = sorted({*range(201)} - {*numbers})
    assert missing == [*range(missing[0], missing[-1] + 1)]
    assert 0 < len(missing) < 40
    (loss,) = salvage.report.losses
    first_ms, last_ms = NOON_MS + missing[0] * S, NOON_MS + (missing[-1] + 2) * S
    assert (loss.device, loss.count) == ("press", len(missing))
    assert (loss.first_ms, loss.last_ms) == (first_ms, last_ms)
    with Reader(path_with_damage) as reader:
        (gap,) = [gap for gap in reader.gaps("press", *EVER) if gap.reason is Reason.DAMAGED]
    assert (gap.start_ms, gap.end_ms) == (first_ms, last_ms)
    assert gap.detail == f"about {len(missing)} samples lost with {source.name}"


def cut(stored: Stored, clock: FakeClock, left: float) -> Path:
    """Only the first part of the file is left, and another one is in its place."""
    end(stored)
    with stored.path.open("r+b") as stream:
        stream.truncate(int(stored.path.stat().st_size * left))
    clock.advance(1)
    again = stored_in(stored.path.parent, clock)
    again.put("press", n=-1)
    assert again.store.flush()
    end(again)
    return aside(stored.path)[0]


def test_a_device_that_is_no_longer_polled_is_named_too(tmp_path: Path, clock: FakeClock) -> None:
    stored = stored_in(tmp_path, clock, plain=True)
    fill(stored, 300, "host")
    source = cut(stored, clock, 0.8)

    salvage = save(source, stored.path, clock)

    (loss,) = [loss for loss in salvage.report.losses if loss.device == "host"]
    assert 0 < salvage.report.saved < 300
    assert loss.count in range(298 - salvage.report.saved, 303 - salvage.report.saved)


def test_a_device_of_which_nothing_is_left_is_named_too(tmp_path: Path, clock: FakeClock) -> None:
    stored = stored_in(tmp_path, clock)
    fill(stored, 100, "host")
    source = cut(stored, clock, 0.5)

    salvage = save(source, stored.path, clock)

    (loss,) = [loss for loss in salvage.report.losses if loss.device == "host"]
    assert salvage.report.saved == 0
    assert loss.text == "an unknown number of samples"
    assert (loss.first_ms, loss.last_ms) == (NOON_MS, NOON_MS + 100 * S)


def test_without_any_names_samples_are_kept_under_their_numbers(
    tmp_path: Path, clock: FakeClock
) -> None:
    stored = stored_in(tmp_path, clock)
    fill(stored)
    end(stored)
    connection = sqlite3.connect(stored.path)
    for table in ("catalogue", "device", "metric", "layout"):
        connection.execute(f"DELETE FROM {table}")
    connection.commit()
    connection.close()
    target = new_store(tmp_path, clock)

    save(stored.path, target, clock)

    found = samples(target, "device-1")
    assert [sample.values["metric-0"] for sample in found] == [*range(60)]


def test_the_second_copy_of_the_names_is_enough(tmp_path: Path, clock: FakeClock) -> None:
    stored = stored_in(tmp_path, clock)
    wanted = fill(stored)
    end(stored)
    connection = sqlite3.connect(stored.path)
    for table in ("device", "metric", "layout", "clock"):
        connection.execute(f"DELETE FROM {table}")
    connection.commit()
    connection.close()
    target = new_store(tmp_path, clock)

    save(stored.path, target, clock)

    assert samples(target)[:60] == wanted
