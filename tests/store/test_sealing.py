"""Batches and rows that become blocks: when, which together, and that nothing is lost."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.store.sealing_rows import ROWS, SealRows
from tests.fakes import FakeClock
from tests.store.upkept import Sealed
from tests.store.version_1 import write_version_1

HOUR_S, DAY_S = 3600, 86_400


@pytest.fixture
def upkept(tmp_path: Path, clock: FakeClock) -> Iterator[Sealed]:
    made = Sealed(tmp_path / "telemetry.db", clock)
    yield made
    made.close()


@pytest.fixture
def plain(tmp_path: Path, clock: FakeClock) -> Iterator[Sealed]:
    made = Sealed(tmp_path / "plain.db", clock, plain=True)
    yield made
    made.close()


def test_batches_become_a_block_when_the_oldest_is_70_minutes_old(upkept: Sealed) -> None:
    upkept.poll(4200, every_s=10)
    upkept.run_upkeep()
    assert upkept.count("block") == 0

    upkept.poll(200, every_s=10)
    upkept.run_upkeep()

    [row] = upkept.blocks()
    assert row.last_ms - row.first_ms == pytest.approx(3_600_000, abs=300_000)
    assert upkept.count("batch") == 7
    assert upkept.has_all()


def test_a_day_is_sealed_by_the_hour(upkept: Sealed) -> None:
    upkept.keep_up(6 * HOUR_S, every_s=60)

    assert [row.count for row in upkept.blocks()] == [pytest.approx(60, abs=10)] * 5
    assert upkept.has_all()


def test_keys_that_stand_still_since_the_clock_was_set_back_are_sealed_too(upkept: Sealed) -> None:
    upkept.poll(60)
    upkept.clock.set_wall(upkept.clock.now_ms() - DAY_S * 1000)
    upkept.keep_up(3 * HOUR_S, every_s=60)

    assert upkept.count("block") >= 1
    assert upkept.count("batch") < 30
    assert upkept.has_all()


def test_a_clock_that_jumps_ahead_seals_what_lies_before(upkept: Sealed) -> None:
    upkept.poll(60)
    upkept.clock.set_wall(upkept.clock.now_ms() + 365 * DAY_S * 1000)
    upkept.keep_up(300)

    [row] = upkept.blocks()
    assert row.count == 60
    assert upkept.has_all()


def test_a_block_spans_at_most_a_day(upkept: Sealed) -> None:
    for day in range(3):
        upkept.poll(30)
        upkept.clock.advance(DAY_S * (day + 1))
    upkept.poll(4300, every_s=100)
    upkept.run_upkeep()

    assert [row.count for row in upkept.blocks()][:3] == [30, 30, 30]
    assert all(row.last_ms - row.first_ms <= DAY_S * 1000 for row in upkept.blocks())
    assert upkept.has_all()


def test_a_layout_that_changes_for_good_starts_a_block(upkept: Sealed) -> None:
    for number in range(60):
        upkept.put(old=number) if number < 25 else upkept.put(old=number, new=-number)
        upkept.clock.advance(1)
        if number % 10 == 9:
            upkept.store.flush()
    upkept.clock.advance(2 * HOUR_S)
    upkept.poll(10)
    upkept.run_upkeep()

    before, behind, *_ = upkept.blocks()
    assert len(before.block.positions) == 1
    assert before.count in (20, 25)
    assert before.count + behind.count == 60
    assert upkept.has_all()


def test_a_layout_that_comes_and_goes_stays_in_one_block(upkept: Sealed) -> None:
    for number in range(60):
        upkept.put(**({"a": number} if number // 10 % 2 else {"a": number, "b": 1.5}))
        upkept.clock.advance(1)
        upkept.store.flush()
    upkept.clock.advance(2 * HOUR_S)
    upkept.put(a=1)
    upkept.store.flush()
    upkept.run_upkeep()

    [row] = upkept.blocks()
    assert row.count == 60
    assert len(row.block.positions) == 2
    assert upkept.has_all()


def test_a_batch_that_is_damaged_stays_and_the_rest_is_sealed(
    upkept: Sealed, caplog: pytest.LogCaptureFixture
) -> None:
    upkept.poll(100)
    upkept.execute(
        "UPDATE batch SET data = zeroblob(50) WHERE id = (SELECT id FROM batch LIMIT 1 OFFSET 3)"
    )
    upkept.poll(4200, every_s=10)
    caplog.clear()

    for _ in range(3):
        upkept.run_upkeep()

    assert sum(row.count for row in upkept.blocks()) == pytest.approx(100 + 360 - 10, abs=20)
    [error] = kept_alone(caplog)
    assert "of table batch is damaged" in error
    [(kept,)] = upkept.sql("SELECT count(*) FROM batch WHERE data = zeroblob(50)")
    assert kept == 1


def test_rows_of_the_host_are_sealed_after_plain_days(upkept: Sealed) -> None:
    for _ in range(4):
        for number in range(100):
            cores = {f"core{core}_usage": number / 10 for core in range(4)}
            upkept.put("host", cpu_total=number / 10, **cores, process1_name="agent")
            upkept.clock.advance(5)
        upkept.clock.advance(3 * DAY_S)
    upkept.put("host", cpu_total=1.0)
    upkept.store.flush()
    upkept.run_upkeep()

    assert upkept.count("host_row") == 201
    assert sum(row.count for row in upkept.blocks()) == 200
    assert upkept.blocks()[0].first_key == upkept.sent["host"][0][0] // 1000
    assert upkept.has_all()


def test_rows_that_are_young_stay(plain: Sealed) -> None:
    plain.poll(7 * DAY_S, every_s=600)
    plain.run_upkeep()

    assert plain.count("block") == 0


def test_rows_of_a_device_that_is_not_plain_any_more_are_sealed_soon(plain: Sealed) -> None:
    plain.poll(3 * HOUR_S, every_s=60)
    plain.plain = False
    plain.restart(in_order=True)
    plain.poll(60)
    assert plain.count("row") == 180

    plain.run_upkeep()

    assert plain.count("row") == pytest.approx(10, abs=2)
    assert plain.has_all()
    plain.keep_up(2 * HOUR_S, every_s=60)
    assert plain.count("row") == 0
    assert plain.has_all()


def test_rows_that_another_program_broke_stay_and_the_rest_is_sealed(
    plain: Sealed, caplog: pytest.LogCaptureFixture
) -> None:
    plain.poll(100)
    plain.execute("UPDATE row SET v = '[1' WHERE id = (SELECT id FROM row LIMIT 1 OFFSET 3)")
    plain.execute("UPDATE row SET v = '[1]' WHERE id = (SELECT id FROM row LIMIT 1 OFFSET 7)")
    plain.clock.advance(9 * DAY_S)
    plain.poll(1)
    caplog.clear()

    for _ in range(3):
        plain.run_upkeep()

    assert plain.count("row") == 3
    assert [row.count for row in plain.blocks()] == [98]
    assert len(kept_alone(caplog)) == 2


def test_rows_of_a_file_of_the_first_version_are_sealed(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "old.db"
    write_version_1(path)
    upkept = Sealed(path, clock, plain_days=1)
    upkept.put(level=3)
    clock.advance(2 * DAY_S)
    upkept.put(level=4)
    upkept.put("host", load1=1.5)
    upkept.store.flush()

    upkept.run_upkeep()

    assert (upkept.count("row"), upkept.count("host_row")) == (0, 1)
    assert upkept.values() == [{"level": 1}, {"level": 2}, {"level": 3}, {"level": 4}]
    assert upkept.values("host") == [{"load1": 0.5}, {"load1": 1.5}]
    assert upkept.values("batch") == [{"count": 3}]
    upkept.close()


def test_a_long_backlog_is_sealed_in_bounded_steps(plain: Sealed) -> None:
    plain.poll(ROWS + 100)
    plain.clock.advance(9 * DAY_S)
    plain.poll(10)
    steps = [step for step in plain.upkeep.steps if isinstance(step, SealRows)]

    had_more = [[step() for step in steps] for _ in range(3)]

    assert [any(each) for each in had_more] == [True, True, False]
    assert plain.count("row") == 10
    assert [row.count for row in plain.blocks()] == [ROWS, 100]
    assert plain.has_all()


def kept_alone(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What is said of that which can't be sealed."""
    texts = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    return [text for text in texts if "stays as it is" in text]


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(-1000, 1000, places=2).map(float),
    st.text(max_size=3),
    st.sampled_from([0.0, -0.0, 1, 1.0, True, 2**70, 1e300, "", "ä", "\ud83d"]),
)
SAMPLES = st.dictionaries(st.sampled_from("abcdef"), VALUES, max_size=6)
TIMES = st.sampled_from([0.001, 1, 5, 60, 900, 5000, 90_000, 800_000])
ACTIONS = st.one_of(
    st.tuples(st.just("press"), SAMPLES),
    st.tuples(st.just("host"), SAMPLES),
    st.tuples(st.just("wait"), TIMES),
    st.tuples(st.just("set"), st.sampled_from([-(10**9), -4_000_000, -1000, 1000, 10**9, 10**11])),
    st.tuples(st.just("flush"), st.none()),
    st.tuples(st.just("upkeep"), st.none()),
    st.tuples(st.just("restart"), st.booleans()),
)


@settings(max_examples=60, deadline=None)
@given(actions=st.lists(ACTIONS, max_size=80), is_plain=st.booleans())
def test_what_went_in_comes_out_whatever_was_sealed_and_merged(
    actions: list[tuple[str, object]], is_plain: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / "telemetry.db"
    upkept = Sealed(path, FakeClock(), plain=is_plain, plain_days=1)
    for word, what in actions:
        match word, what:
            case (("press" | "host"), dict(values)):
                upkept.put_values(word, values)
            case "wait", int() | float() as seconds:
                upkept.clock.advance(seconds)
            case "set", int(ms):
                upkept.clock.set_wall(max(1000, upkept.clock.now_ms() + ms))
            case "flush", _:
                upkept.store.flush()
            case "upkeep", _:
                upkept.store.flush()
                upkept.run_upkeep()
            case "restart", bool(plain):
                upkept.store.flush()
                upkept.plain = plain
                upkept.restart(in_order=True)
    upkept.store.flush()
    upkept.run_upkeep()

    assert upkept.has_all()
    upkept.close()
