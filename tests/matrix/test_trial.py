"""The verdict of the matrix: it must see what is wrong."""

from collections.abc import Sequence
from pathlib import Path

import attrs
import pytest

from agent.config.schema import DeviceConfig
from agent.devices import KINDS
from agent.health import DeviceHealth
from agent.model import Gap, Reason, Sample, Stamp, Value
from agent.poller import BACKOFF_S, Pace
from tests.devices.cases import s7
from tests.devices.kinds import CASES
from tests.matrix.table import as_markdown, as_text
from tests.matrix.trial import Row, Trial, bound_s, judge

BEGAN_MS, ENDED_MS = 10_000, 14_000
NAME = "d1"


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    """A device whose fault ``silent`` lasted four seconds, in which two polls failed."""
    return Trial(
        NAME,
        s7.CASE,
        "silent",
        s7.CASE.simulate(tmp_path),
        KINDS["s7"](),
        config=DeviceConfig(NAME, "s7", True, 1.0, 1.0, None),
        began_from_ms=BEGAN_MS,
        began_ms=BEGAN_MS,
        ended_from_ms=ENDED_MS,
        ended_ms=ENDED_MS,
        at_begin=DeviceHealth(NAME, "s7", 1.0, last_ok_ms=9_000),
        at_end=DeviceHealth(NAME, "s7", 1.0, failures=2, failures_in_a_row=2),
        at_last=DeviceHealth(NAME, "s7", 1.0, failures=2),
    )


def sample(ts_ms: int, **values: Value) -> Sample:
    return Sample(NAME, Stamp(ts_ms, ts_ms), values or {"level": 1.5, "count": 3})


def gap(start_ms: int, end_ms: int | None, reason: Reason = Reason.TIMEOUT) -> Gap:
    return Gap(NAME, start_ms, end_ms, reason, "reading 127.0.0.1:0: no answer")


WELL = [sample(8_000), sample(9_000)]
BACK = [sample(15_500)]
GAP = [gap(9_000, 15_500)]


def test_a_device_that_comes_back_in_time_is_as_it_must_be(trial: Trial) -> None:
    row = judge(trial, [*WELL, *BACK], GAP)

    assert (row.problems, row.back_after_s) == ([], 1.5)
    assert (row.does, row.reasons) == ("a gap", "timeout")
    assert row.text == "reading ADDRESS: no answer"
    assert row.bound_s == pytest.approx(1.0 + 2.4 + 1.0)


@pytest.mark.parametrize(
    ("samples", "gaps", "problem"),
    [
        ([*WELL, sample(20_500)], [gap(9_000, 20_500)], "back after 6.5 s"),
        (WELL, [gap(9_000, None)], "not back"),
        ([*WELL, *BACK], [gap(9_000, None)], "a gap is still open"),
        ([*WELL, sample(11_500), *BACK], GAP, "1 samples made up"),
        ([*WELL, sample(15_500, level=1.5)], GAP, "samples without count"),
        ([*WELL, *BACK], [gap(9_000, 15_500, Reason.BUG)], "agent error: reading"),
        ([*WELL, sample(13_500, level=9.0, count=3)], GAP, "wrong values: level is 9.0, was 1.5"),
        ([*WELL, sample(15_500, level=9.0, count=3)], GAP, "wrong values: level is 9.0, was 1.5"),
        ([*WELL, sample(15_500, level=1.5, count=3, new=1)], GAP, "wrong values: new is 1, was No"),
    ],
    ids=[
        *("late", "never", "open", "made-up", "incomplete", "bug"),
        *("wrong", "wrong-after", "wrong-new"),
    ],
)
def test_what_must_not_be_is_a_problem(
    trial: Trial, samples: Sequence[Sample], gaps: Sequence[Gap], problem: str
) -> None:
    row = judge(trial, samples, gaps)

    assert any(text.startswith(problem) for text in row.problems), row.problems
    assert not row.is_ok


def test_a_poll_that_ends_as_the_fault_does_is_a_good_one(trial: Trial) -> None:
    row = judge(trial, [*WELL, sample(13_500), *BACK], GAP)

    assert (row.problems, row.does) == ([], "a gap")


def test_values_that_a_fault_takes_away_are_counted(trial: Trial) -> None:
    trial.fault = "pieces"

    row = judge(trial, [*WELL, sample(11_500, level=None, count=4), *BACK], [])

    assert row.does == "stays well, 1 of 2 metrics without a value"


def wrong_values(trial: Trial) -> Sequence[int]:
    """Where a wrong value is found: during the fault, after it."""
    trial.fault = "pieces"
    found = []
    for ts_ms in (11_500, 15_500):
        values = sample(ts_ms, level=9.0, count=3)
        if judge(trial, [*WELL, values, *BACK], []).problems:
            found.append(ts_ms)
    return found


def test_a_fault_may_change_values_while_it_lasts_if_that_is_declared(trial: Trial) -> None:
    assert wrong_values(trial) == [11_500, 15_500]

    trial.case = attrs.evolve(trial.case, changes={"pieces": "a reason"})
    assert wrong_values(trial) == [15_500]

    trial.case = attrs.evolve(trial.case, changes={}, changes_for_good={"pieces": "a reason"})
    assert wrong_values(trial) == []


def test_metrics_that_nobody_can_freeze_may_move(trial: Trial) -> None:
    trial.case = attrs.evolve(trial.case, moving=("lev*",))

    assert wrong_values(trial) == []


def test_faults_that_change_values_are_faults_of_the_case() -> None:
    for case in CASES:
        words = {fault.partition(":")[0] for fault in case.faults}
        assert {*case.changes, *case.changes_for_good} <= words


@pytest.mark.parametrize(("failures", "wait_s"), list(enumerate((0.0, *BACKOFF_S, BACKOFF_S[-1]))))
def test_the_bound_is_an_interval_the_wait_and_a_time_out(failures: int, wait_s: float) -> None:
    pace = Pace(interval_s=10.0, timeout_s=3.0)

    assert bound_s(pace, failures) == pytest.approx(10.0 + 1.2 * wait_s + 3.0)


def test_a_kind_that_must_be_left_alone_is_waited_for() -> None:
    assert bound_s(Pace(10.0, 3.0, backoff_floor_s=15.0), failures=1) == 28.0


def test_the_poll_that_runs_as_the_fault_ends_may_fail_as_well(trial: Trial) -> None:
    trial.at_last = DeviceHealth(NAME, "s7", 1.0, failures=3)

    assert trial.bound_s == pytest.approx(1.0 + 6.0 + 1.0)


ROW = Row(
    "s7", "s7-old", "wrong-pdu:9000", "PDU | size", "a gap", "refused", "no_tag", 1.25, 3.0, []
)


def test_the_page_has_a_table_for_each_kind_and_says_what_is_wrong() -> None:
    rows = [
        ROW,
        attrs.evolve(
            ROW, kind="host", case="host", fault="x", back_after_s=None, problems=["not back"]
        ),
    ]
    words = {"command": "matrix", "interval": 1.0, "timeout": 1.0, "fault": 4.0}

    page = as_markdown(rows, {"s7": "A PLC.", "host": "This."}, words)

    assert page.startswith("# What each fault does\n\n`matrix` gave every fault")
    assert "1 of 2 are as they must be" in page
    assert "- host x: not back" in page
    assert "## s7-old\n\nA PLC.\n\n| fault | what" in page
    assert (
        "| `wrong-pdu:9000` PDU \\| size | a gap | refused | no\\_tag | 1.2 s | 3.0 s | ok |"
        in page
    )
    assert "| never | 3.0 s | not back |" in page


def test_the_terminal_shows_the_same() -> None:
    text = as_text([ROW])

    assert text.startswith("s7-old\nfault")
    assert "wrong-pdu:9000  a gap" in text
    assert text.endswith("1 of 1 are as they must be: back in time, no sample with a metric "
                         "missing, none made up, no value wrong.")  # fmt: skip
