"""What a device takes up and how fast that grows, told without decoding its columns."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.store.usage import DeviceUsage, usage_of
from tests.fakes import NOON_MS, FakeClock
from tests.store.filled import DAY_MS, DEVICES, HOUR_MS, Filled
from tests.store.stored import Stored
from tests.store.version_1 import write_version_1

TIMEOUT_S = 60.0


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Filled]:
    filled = Filled(tmp_path / "telemetry.db", FakeClock())
    yield filled
    filled.close()


def usage(stored: Stored, device: str, timeout_s: float = TIMEOUT_S) -> DeviceUsage:
    return next(d for d in usage_of(stored.path, timeout_s).devices if d.name == device)


def test_blocks_are_counted_to_the_byte(filled: Filled) -> None:
    filled.fill(20)

    found = usage(filled, "oven")

    ((size,),) = filled.sql("SELECT sum(length(data)) FROM block WHERE device = 2")
    assert (found.samples, found.values) == (2001, 2001)
    assert found.blocks.bytes == size
    assert found.bytes == round(found.blocks.bytes + found.batches.bytes)
    assert (found.first_ms, found.last_ms) == (NOON_MS - 21 * DAY_MS + HOUR_MS, NOON_MS)
    assert found.form == "blocks"


def test_growth_is_measured_over_the_last_week_of_blocks(filled: Filled) -> None:
    for day in range(20):
        filled.put_block("oven", NOON_MS - (20 - day) * DAY_MS, 100 if day < 10 else 10)

    growth = usage(filled, "oven").growth

    ((recent,),) = filled.sql(
        "SELECT sum(length(data)) FROM block WHERE first_ms > ?", NOON_MS - 8 * DAY_MS
    )
    assert growth is not None
    assert growth[0] == pytest.approx(float(str(recent)) / growth[1])
    assert growth[1] == pytest.approx(6, abs=0.1)
    assert growth[2] == "blocks"


def test_minutes_and_hours_count_to_their_device_and_to_its_growth(filled: Filled) -> None:
    filled.fill(3)
    before = usage(filled, "oven")
    filled.execute(
        f"INSERT INTO aggregate VALUES(2, 3600000, {NOON_MS - 2 * DAY_MS}, 0, x'00aabb')"
    )

    found = usage(filled, "oven")

    assert found.bytes - before.bytes == 3
    assert before.growth is not None
    assert found.growth is not None
    assert found.growth[0] - before.growth[0] == pytest.approx(3 / found.growth[1])


def test_rows_count_with_what_lies_beside_their_values(filled: Filled) -> None:
    for _ in range(10):
        filled.clock.advance(3600)
        filled.put("host", load1=1.5, load5=2.5)
    filled.store.flush()

    found = usage(filled, "host")

    assert (found.samples, found.values, found.form) == (11, 21, "rows")
    assert found.growth is not None
    assert found.growth[1] == pytest.approx(10 / 24)
    assert found.growth[2] == "all since the start"
    assert found.growth[0] == pytest.approx(found.bytes * 2.4)


def test_before_there_is_an_hour_of_data_no_growth_is_told(filled: Filled) -> None:
    assert usage(filled, "press").growth is None


def test_values_of_a_device_whose_metrics_change_are_counted_by_its_blocks(
    filled: Filled,
) -> None:
    for number in range(30):
        filled.clock.advance(1)
        names = ["a", "b", "c"] if number % 3 == 0 else ["a"]
        filled.put_values("pump", dict.fromkeys(names, number))
    filled.store.flush()
    filled.seal()

    found = usage(filled, "pump")

    assert (found.samples, found.values) == (31, 1 + 10 * 3 + 20)


def test_without_time_it_is_estimated_from_what_is_newest(filled: Filled) -> None:
    filled.fill(400, 1)
    for _ in range(1200):
        filled.clock.advance(5)
        filled.put("host", load1=1.5)
    filled.store.flush()

    exact, quick = usage_of(filled.path, TIMEOUT_S), usage_of(filled.path, 0.0)

    assert (exact.is_exact, quick.is_exact) == (True, False)
    for whole, part in zip(exact.devices, quick.devices, strict=True):
        assert part.samples == pytest.approx(whole.samples, rel=0.02)
        assert part.values == pytest.approx(whole.values, rel=0.02)
        assert part.bytes == pytest.approx(whole.bytes, rel=0.02)
        assert part.last_ms == whole.last_ms


def test_no_column_is_read(filled: Filled) -> None:
    filled.fill(5)
    before = [usage(filled, device).bytes for device in DEVICES]
    with closing(sqlite3.connect(filled.path)) as connection, connection:
        connection.execute("UPDATE block SET data = zeroblob(length(data))")

    assert [usage(filled, device).bytes for device in DEVICES] == before


def test_a_damaged_batch_is_left_out(filled: Filled) -> None:
    filled.execute("UPDATE batch SET data = x'00' WHERE device = 1")

    assert usage(filled, "press").samples == 0


def test_a_file_of_an_older_agent_has_rows_alone(tmp_path: Path) -> None:
    write_version_1(tmp_path / "telemetry.db")

    found = usage_of(tmp_path / "telemetry.db", TIMEOUT_S)

    assert (found.version, found.page_bytes) == (1, 4096)
    assert [(each.name, each.form, each.samples, each.values) for each in found.devices] == [
        ("batch", "rows", 1, 1),
        ("host", "rows", 1, 1),
        ("press", "rows", 2, 2),
    ]


def test_without_a_store_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store yet"):
        usage_of(tmp_path / "telemetry.db", TIMEOUT_S)
