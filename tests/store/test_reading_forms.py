"""Rows, batches and blocks of one device read as one, also where some are damaged."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.store import Reader
from agent.store.check import summary, time_span
from agent.store.schema import APPLICATION_ID, MIGRATIONS
from agent.store.sealed import DamagedBlock
from tests.store.laid import At, Laid, damage
from tests.store.stored import EVER

HOUR_MS = 3_600_000


def sample(ts_ms: int, value: object = None) -> At:
    return At(ts_ms * 1000, ts_ms, (0,), [f"at {ts_ms}" if value is None else str(value)])


@pytest.fixture
def laid(tmp_path: Path) -> Laid:
    """A file with a block of three samples from 0, and one of three from an hour later."""
    laid = Laid(tmp_path / "telemetry.db", "s7", ["text"])
    for start_ms in (0, HOUR_MS):
        laid.block([sample(start_ms + step) for step in (0, 1, 2)])
    return laid


def times(reader: Reader, start_ms: int = EVER[0], end_ms: int = EVER[1]) -> list[int]:
    return [each.stamp.ts_ms for each in reader.samples("press", start_ms, end_ms)]


@pytest.mark.parametrize("newest", ["rows", "batch", "block"])
def test_the_last_sample_is_found_in_whatever_form_it_is(laid: Laid, newest: str) -> None:
    for number, form in enumerate(["rows", "batch", "block"], 1):
        ts_ms = HOUR_MS + 100 * (9 if form == newest else number)
        getattr(laid, form)([sample(ts_ms), sample(ts_ms + 1)])
    laid.close()

    with Reader(laid.path) as reader:
        last, last_ms = reader.last("press"), reader.last_ms("press")

    assert last == (HOUR_MS + 901, {"text": f"at {HOUR_MS + 901}"})
    assert last_ms == HOUR_MS + 901


def test_a_damaged_newest_batch_or_block_makes_the_one_before_the_last(laid: Laid) -> None:
    laid.batch([sample(2 * HOUR_MS)])
    laid.close()
    damage(laid.path, "batch", 2 * HOUR_MS * 1000)
    damage(laid.path, "block", 2)

    with Reader(laid.path) as reader:
        assert reader.last("press") == (2, {"text": "at 2"})
        assert reader.last_ms("press") == 2


def test_a_damaged_block_costs_itself_and_is_told_once(
    laid: Laid, caplog: pytest.LogCaptureFixture
) -> None:
    laid.close()
    damage(laid.path, "block", 1)

    with Reader(laid.path) as reader:
        found = times(reader), times(reader)
        told = reader.damaged

    assert found == ([HOUR_MS, HOUR_MS + 1, HOUR_MS + 2],) * 2
    assert told == [DamagedBlock("press", 0, 2, 3)]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage().startswith(
        f"{laid.path}: 3 samples of press from 1970-01-01T00:00:00+00:00 to "
        "1970-01-01T00:00:00+00:00 are left out, they are damaged (the checksum of a block of "
    )
    assert record.getMessage().endswith("; keep the rest with: agent store repair")


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "told"), [(0, 1, 1), (2, 3, 1), (3, HOUR_MS, 0), (HOUR_MS, 10**13, 0)]
)
def test_a_damaged_block_is_told_by_tables_that_lack_it(
    laid: Laid, start_ms: int, end_ms: int, told: int
) -> None:
    laid.close()
    damage(laid.path, "block", 1)

    with Reader(laid.path) as reader:
        [*reader.table("press", *EVER).rows]
        table = reader.table("press", start_ms, end_ms)
        rows = [*table.rows]

    assert table.damaged == [DamagedBlock("press", 0, 2, 3)] * told
    assert len(rows) == (3 if end_ms > HOUR_MS else 0)


def test_a_damaged_batch_is_told_by_its_first_time(laid: Laid) -> None:
    laid.batch([sample(2 * HOUR_MS), sample(2 * HOUR_MS + 1)])
    laid.batch([sample(3 * HOUR_MS)])
    laid.close()
    damage(laid.path, "batch", 2 * HOUR_MS * 1000)

    with Reader(laid.path) as reader:
        found = times(reader, HOUR_MS + 2)
        told = reader.damaged
    with Reader(laid.path) as reader:
        times(reader, 0, HOUR_MS)
        told_elsewhere = reader.damaged

    assert found == [HOUR_MS + 2, 3 * HOUR_MS]
    assert told == [DamagedBlock("press", 2 * HOUR_MS, 2 * HOUR_MS, None)]
    assert told_elsewhere == []


def test_a_block_of_another_device_is_damaged(laid: Laid) -> None:
    laid.close()
    with closing(sqlite3.connect(laid.path)) as connection, connection:
        connection.execute("INSERT INTO device VALUES(2, 'oven', 's7')")
        connection.execute("UPDATE block SET device = 2 WHERE id = 1")

    with Reader(laid.path) as reader:
        assert [*reader.samples("oven", *EVER)] == []
        assert reader.damaged == [DamagedBlock("oven", 0, 2, 3)]


def test_a_damaged_page_of_a_block_costs_that_block(tmp_path: Path) -> None:
    laid = Laid(tmp_path / "telemetry.db", "s7", ["text"])
    # Texts that hardly compress: the block has pages of its own.
    texts = [f"{pow(3, number, 2**521 - 1):x}" for number in range(1000, 1400)]
    laid.block([sample(number, text) for number, text in enumerate(texts)])
    laid.block([sample(HOUR_MS)])
    laid.close()
    with closing(sqlite3.connect(laid.path)) as connection:
        ((data, page_bytes),) = connection.execute(
            "SELECT data, (SELECT page_size FROM pragma_page_size) FROM block WHERE id = 1"
        )
    whole = bytearray(laid.path.read_bytes())
    page = whole.index(data[len(data) // 3 :][:20]) // page_bytes
    whole[page * page_bytes : page * page_bytes + 4] = b"\xff" * 4  # the number of the next page
    laid.path.write_bytes(whole)

    with Reader(laid.path) as reader:
        assert times(reader) == [HOUR_MS]
        assert reader.damaged == [DamagedBlock("press", 0, 399, 400)]


def test_a_file_of_an_older_agent_is_read(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(MIGRATIONS[0])
        connection.executescript(
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;"
            "INSERT INTO device VALUES(1, 'press', 's7');"
            "INSERT INTO clock VALUES(1, 'boot', 10, 500, NULL);"
            "INSERT INTO metric VALUES(1, 0, '0', 'level', '', 'float', '');"
            "INSERT INTO layout VALUES(1, 1, '0');"
            "INSERT INTO row VALUES(1000000, 1, 1000, 1, 1, '[7]');"
        )

    with Reader(path) as reader:
        (found,) = reader.samples("press", *EVER)
        last, has_data = reader.last("press"), reader.has_data(0, 1000)

    assert (found.values, found.stamp.monotonic_ms) == ({"level": 7}, 510)
    assert (last, has_data) == ((1000, {"level": 7}), False)
    assert time_span(path, 10) == (1000, 1000)
    assert [each.rows for each in summary(path, 10).contents or ()] == [1]


def test_times_that_were_put_right_keep_their_monotonic_time(laid: Laid) -> None:
    laid.close()
    with closing(sqlite3.connect(laid.path)) as connection, connection:
        connection.execute("UPDATE clock SET ts_ms = 300, monotonic_ms = 100, moved_ms = 1000")

    with Reader(laid.path) as reader:
        found = [each.stamp.monotonic_ms for each in reader.samples("press", HOUR_MS, EVER[1])]

    assert found == [HOUR_MS - 1200, HOUR_MS - 1199, HOUR_MS - 1198]


def test_metrics_come_with_their_positions(tmp_path: Path) -> None:
    laid = Laid(tmp_path / "telemetry.db", "s7", ["b", "a"])
    laid.close()

    with Reader(laid.path) as reader:
        found = [(position, metric.name) for position, metric in reader.metrics("PRESS")]

    assert found == [(0, "b"), (1, "a")]


def test_the_summary_counts_what_is_sealed(laid: Laid) -> None:
    laid.rows([sample(2 * HOUR_MS)])
    laid.batch([sample(3 * HOUR_MS), sample(3 * HOUR_MS + 5)])
    laid.batch([sample(4 * HOUR_MS)])
    laid.close()
    damage(laid.path, "batch", 4 * HOUR_MS * 1000)

    (content,) = summary(laid.path, 10).contents or ()

    assert (content.device, content.rows) == ("press", 9)
    assert (content.first_ms, content.last_ms) == (0, 3 * HOUR_MS + 5)
    assert time_span(laid.path, 10) == (0, 3 * HOUR_MS + 5)


def test_the_span_of_blocks_begins_with_the_first_that_was_stored(laid: Laid) -> None:
    # A board without a clock chip starts in 1970 again; its samples are behind the others.
    laid.block([At(9 * HOUR_MS * 1000, -HOUR_MS, (0,), ["in the past"])])
    laid.close()

    assert time_span(laid.path, 10) == (0, HOUR_MS + 2)
