"""The journal in memory: what waits is there for the next run, exact and once."""

from pathlib import Path

import pytest

from agent.model import Metric, Reason, Value
from agent.store import Reader
from agent.store.journal import Journal
from agent.store.part import Run
from agent.store.recovery import Recovery
from agent.store.repair.look import was_killed
from agent.store.writer import Writer
from tests.fakes import NOON_MS
from tests.store.journaled import Journaled, inherit, leave, needs_memory, put, put_values, samples
from tests.store.stored import EVER
from tests.store.test_failures import messages

pytestmark = needs_memory


@pytest.fixture(params=[True, False], ids=["rows", "batches"])
def plain(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_what_waits_is_stored_by_the_next_run_exact_and_in_order(journaled: Journaled) -> None:
    store, clock = journaled.mute(), journaled.clock
    values: dict[str, Value] = {
        "one": 1, "float": 1.0, "true": True, "none": None, "text": 'ä😀\x00"', "low": -(2**63),
        "tiny": 5e-324,
    }  # fmt: skip
    left = [
        put_values(store, clock, "press", values),
        put(store, clock, one=2),
        put_values(store, clock, "press", values),
    ]
    host = put(store, clock, "host", core0_usage=1.5, cpu=2)
    store.close()

    inherit(journaled)

    assert samples(journaled) == left
    assert list(map(repr, samples(journaled))) == list(map(repr, left))
    assert samples(journaled, "host") == [host]


def test_gaps_and_units_that_wait_are_stored_by_the_next_run(journaled: Journaled) -> None:
    store = journaled.mute()
    store.describe("press", [Metric("level", "bar", help="how full")])
    put(store, journaled.clock, level=1)
    store.open_gap("press", NOON_MS + 3000, Reason.TIMEOUT, "no ä")
    store.close_gap("press", NOON_MS + 5000)
    store.open_gap("press", NOON_MS + 6000, Reason.REFUSED)
    store.close()
    journaled.clock.advance(60)

    inherit(journaled)

    with Reader(journaled.path) as reader:
        found = [(gap.reason, gap.detail, gap.start_ms) for gap in reader.gaps("press", *EVER)]
        [device] = reader.devices()
    assert found[:2] == [
        (Reason.TIMEOUT, "no ä", NOON_MS + 3000),
        (Reason.REFUSED, "", NOON_MS + 6000),
    ]
    assert found[2][0] is Reason.AGENT_DOWN
    assert device.metrics == (Metric("level", "bar", help="how full"),)


def test_each_run_that_left_something_is_a_run_of_its_own_in_the_file(
    journaled: Journaled,
) -> None:
    left = leave(journaled) + leave(journaled) + leave(journaled)

    inherit(journaled)

    with Reader(journaled.path) as reader:
        runs = reader.runs()
    assert samples(journaled) == left
    assert [run.end_ms is None for run in runs] == [False, True, True, True]
    assert [run.start_ms for run in runs] == sorted((run.start_ms for run in runs), reverse=True)


def test_what_was_left_is_stored_before_anything_new(journaled: Journaled) -> None:
    left = leave(journaled)
    store = journaled.store()
    new = put(store, journaled.clock, number=3)

    store.close()

    assert samples(journaled) == [*left, new]


def test_a_device_that_is_not_configured_any_more_gets_what_it_left(journaled: Journaled) -> None:
    store = journaled.mute()
    store.add_device("old", "modbus", 2.0)
    sample = put(store, journaled.clock, "old", level=1)
    store.close()

    inherit(journaled)

    with Reader(journaled.path) as reader:
        found = {device.name: device.kind for device in reader.devices()}
        stored = list(reader.samples("old", *EVER))
    assert stored == [sample]
    assert found == {"old": "modbus"}


def test_closing_says_where_it_waits_and_that_it_is_not_lost(
    journaled: Journaled, caplog: pytest.LogCaptureFixture
) -> None:
    store = journaled.mute()
    put(store, journaled.clock, level=1)
    place = store.state().journal

    lacking = store.close()

    assert lacking == 1
    assert messages(caplog)[-1] == (
        f"1 sample and 0 starts and ends of gaps wait in {place} until the agent starts again; "
        "they do not outlive a restart of the machine or a power cut"
    )


def test_after_a_commit_and_after_a_stop_nothing_is_left_in_memory(journaled: Journaled) -> None:
    store = journaled.store()
    for _ in range(3):
        put(store, journaled.clock, level=1)
    waiting = len(journaled.parts())

    store.flush()
    committed = len(journaled.parts())
    put(store, journaled.clock, level=1)
    store.close()
    store.close()

    assert (waiting, committed) == (1, 0)
    assert list(journaled.memory.iterdir()) == []


def test_what_comes_after_the_stop_costs_nothing_but_itself(journaled: Journaled) -> None:
    store = journaled.store()
    store.close()

    put(store, journaled.clock, level=1)

    assert journaled.parts() == []


def test_with_a_journal_a_killed_process_loses_nothing_and_the_state_says_so(
    journaled: Journaled,
) -> None:
    store = journaled.store()

    state = store.state()
    store.close()

    assert state.journal is not None
    assert Path(state.journal).parent == journaled.memory
    assert (state.journal_error, state.power_cut_s, state.killed_s) == (None, 10.0, 0.0)


def test_in_an_outage_a_killed_process_loses_nothing_and_a_power_cut_all(
    journaled: Journaled,
) -> None:
    store = journaled.mute()
    put(store, journaled.clock, level=1)
    store.flush()

    state = store.state()
    store.close()

    assert (state.power_cut_s, state.killed_s) == (None, 0.0)


def test_a_run_that_is_killed_as_soon_as_it_stored_what_waited_leaves_a_log(
    journaled: Journaled,
) -> None:
    left = leave(journaled)
    journal = Journal([journaled.memory], 1_000_000, {})
    parts = journal.open(Run.of(journaled.path, journaled.clock, NOON_MS, "2"))

    def writer_of(run: Run) -> Writer:
        return Writer(journaled.path, journaled.clock, run.version, run.start_ms, pytest.fail)

    Recovery(parts, 1_000_000, journal.next_number).replay(writer_of, {})
    journal.close()

    # Without one, the next start would say that commits may be lost.
    assert was_killed(journaled.path)
    assert journaled.path.with_name("telemetry.db-wal").stat().st_size > 0
    assert samples(journaled) == left
