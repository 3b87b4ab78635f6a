"""Tables read by hand: as SQLite reads them, and past all that is damaged."""

import random
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.store.repair.cells import TornError, leaf_lines, page_from, record_from, table_cell
from agent.store.repair.content import Content, Line, LostKeys
from agent.store.repair.pages import pages_of
from tests.fakes import FakeClock
from tests.store.repair.damaged import PAGE, end, fill, overwrite
from tests.store.stored import Stored


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store that nobody has open, with rows and batches."""
    stored = Stored(tmp_path / "telemetry.db", FakeClock(), plain=False)
    fill(stored, 200)
    fill(stored, 200, "host")
    end(stored)
    return stored.path


def found_in(path: Path) -> tuple[Counter[str], list[LostKeys]]:
    """How many lines there are of each table, and what is lost."""
    with pages_of(path) as pages:
        content = Content(pages)
        lines = [line for line in content.naming() if line is not None]
        found = [each for each in content.holding() if each is not None]
    lines += [each for each in found if isinstance(each, Line)]
    lost = [each for each in found if isinstance(each, LostKeys)]
    return Counter(line.table for line in lines), lost


def counted(path: Path) -> Counter[str]:
    """The same as SQLite counts."""
    connection = sqlite3.connect(path)
    tables = ("catalogue", "clock", "device", "layout", "batch", "host_row", "run", "gap")
    counts = {
        table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables
    }
    connection.close()
    return Counter({table: count for table, count in counts.items() if count})


def test_a_sound_file_has_what_sqlite_finds_in_it(path: Path) -> None:
    found, lost = found_in(path)

    assert found == counted(path)
    assert lost == []


def test_without_its_first_page_a_file_has_all_that_it_had(path: Path) -> None:
    overwrite(path, 0, bytes(PAGE))

    found, _ = found_in(path)

    assert found >= counted_before(path)


def counted_before(path: Path) -> Counter[str]:
    """What the fixture put into the tables of samples."""
    return Counter({"batch": 40, "host_row": 200})


@pytest.mark.parametrize("chance", range(40))
def test_a_lost_page_costs_the_lines_on_it_and_their_keys_are_known(
    path: Path, chance: int
) -> None:
    before = counted(path)
    number = random.Random(chance).randrange(1, path.stat().st_size // PAGE)
    overwrite(path, number * PAGE, random.Random(chance).randbytes(PAGE))

    found, lost = found_in(path)

    for table in ("batch", "host_row"):
        missing = before[table] - found[table]
        assert missing <= 25
        assert not missing or any(keys.table == table for keys in lost)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=1100), st.integers(0, 10**9))
def test_no_bytes_stop_the_reading(data: bytes, seed: int) -> None:
    try:
        page = page_from(data, PAGE, is_first=bool(seed % 2))
    except TornError:
        return
    for cell in leaf_lines(page):
        try:
            record_from(cell.payload, cell.size)
        except TornError:
            continue
    for at in page.cells:
        try:
            table_cell(page, at)
        except TornError:
            continue


@pytest.mark.parametrize("chance", range(20))
def test_a_file_of_noise_comes_to_an_end(tmp_path: Path, chance: int) -> None:
    path = tmp_path / "noise.db"
    random_ = random.Random(chance)
    path.write_bytes(random_.choice((b"", b"SQLite format 3\0")) + random_.randbytes(50_000))

    found, _ = found_in(path)

    assert sum(found.values()) < 50


def test_pages_that_lead_in_a_circle_come_to_an_end(path: Path) -> None:
    with pages_of(path) as pages:
        root = Content(pages).tables.roots["host_row"]
    data = path.read_bytes()
    start = (root - 1) * PAGE
    inner = bytearray(data[start : start + PAGE])
    inner[8:12] = root.to_bytes(4, "big")  # its last child is itself
    overwrite(path, start, bytes(inner))

    found, lost = found_in(path)

    assert found["host_row"] >= 180
    assert any(keys.table == "host_row" for keys in lost)
