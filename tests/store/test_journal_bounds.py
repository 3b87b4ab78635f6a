"""The journal when there is no room for it: said once, bounded, and back by itself."""

import logging
import shutil
from pathlib import Path

import pytest

from agent.model import Reason
from agent.store import Reader
from tests.fakes import NOON_MS
from tests.store.journaled import Journaled, inherit, needs_memory, put, samples
from tests.store.stored import EVER
from tests.store.test_failures import messages

pytestmark = needs_memory


def test_without_memory_each_sample_asks_for_a_flush_and_it_is_said_once(
    journaled: Journaled, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = journaled.store(folders=())
    woken: list[bool] = []
    store.on_append(lambda: woken.append(store.flush()))

    put(store, journaled.clock, level=1)
    put(store, journaled.clock, level=2)
    store.open_gap("press", NOON_MS, Reason.TIMEOUT)
    state = store.state()
    store.close()

    why = "no folder of ours in memory (tmpfs) to keep it in"
    assert woken == [True, True, True]
    assert (state.journal, state.journal_error) == (None, why)
    assert (state.power_cut_s, state.killed_s) == (0.0, 0.0)
    assert messages(caplog) == [
        f"no journal in memory: {why}; each poll is written at once meanwhile"
    ]


def test_with_a_journal_no_sample_asks_for_a_flush(journaled: Journaled) -> None:
    store = journaled.store()
    woken: list[bool] = []
    store.on_append(lambda: woken.append(True))

    put(store, journaled.clock, level=1)
    store.close()

    assert woken == []


def test_a_folder_that_vanishes_is_made_anew_at_the_next_commit(
    journaled: Journaled, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    store = journaled.store()
    put(store, journaled.clock, number=0)
    shutil.rmtree(journaled.memory)
    store.flush()
    put(store, journaled.clock, number=1)
    without = store.state()

    store.flush()
    again = store.state()
    put(store, journaled.clock, number=2)
    parts = len(journaled.parts())
    store.close()

    assert (without.journal, without.journal_error) == (None, "its folder was removed")
    assert (again.journal, parts) == (str(journaled.memory / Path(again.journal or "").name), 1)
    assert [sample.values["number"] for sample in samples(journaled)] == [0, 1, 2]
    assert messages(caplog, logging.INFO) == [
        "no journal in memory: its folder was removed; each poll is written at once meanwhile",
        "the journal in memory works again",
    ]
    journaled.memory.mkdir(exist_ok=True)


def test_what_came_while_there_was_no_journal_is_in_it_once_it_works_again(
    journaled: Journaled,
) -> None:
    store = journaled.mute()
    shutil.rmtree(journaled.memory)
    left = [put(store, journaled.clock, number=number) for number in range(3)]
    store.flush()  # fails, and mends the journal
    left.append(put(store, journaled.clock, number=3))
    store.close()

    inherit(journaled)

    assert samples(journaled) == left
    journaled.memory.mkdir(exist_ok=True)


def test_the_oldest_go_from_the_journal_as_from_memory_and_their_time_is_a_gap(
    journaled: Journaled,
) -> None:
    store = journaled.mute(waiting_bytes=200_000)
    count = 1000
    for number in range(count):
        put(store, journaled.clock, number=number, text="x" * 1000)
    size_bytes = sum(part.stat().st_size for part in journaled.parts())
    store.close()

    inherit(journaled)

    found = [sample.values["number"] for sample in samples(journaled)]
    with Reader(journaled.path) as reader:
        gap = reader.gaps("press", *EVER)[0]
    assert size_bytes < 250_000
    assert found == list(range(count - len(found), count))
    assert gap.reason is Reason.STORE
    assert gap.detail.startswith(f"{count - len(found)} samples dropped")


def test_runs_that_end_without_a_file_again_and_again_leave_no_more_than_is_allowed(
    journaled: Journaled, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(8):
        store = journaled.mute(waiting_bytes=100_000)
        for number in range(90):
            put(store, journaled.clock, number=number, text="x" * 1000)
        store.close()
    store = journaled.store(waiting_bytes=100_000)

    size_bytes = sum(part.stat().st_size for part in journaled.parts())
    store.flush()
    store.close()

    with Reader(journaled.path) as reader:
        gaps = [gap for gap in reader.gaps("press", *EVER) if gap.reason is Reason.STORE]
    lost = sum(int(gap.detail.split()[0]) for gap in gaps)
    assert size_bytes < 110_000
    assert len(samples(journaled)) + lost == 8 * 90
    assert any("more waited in memory than max_waiting_mb allows" in m for m in messages(caplog))
