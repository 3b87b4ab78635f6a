"""One device with one fault: what is tried, what is seen, and whether that is as it must be."""

import tomllib
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from agent.config.schema import DeviceConfig
from agent.devices.contract import Kind
from agent.health import DeviceHealth
from agent.model import Gap, Reason, Sample
from agent.poller import BACKOFF_S, JITTER, Pace
from hw_sim.contract import Simulator
from hw_sim.faults import LINK_FAULTS
from hw_sim.registry import SIMULATED
from tests.devices.case import Case
from tests.matrix.truth import CanFreeze, shown, wrong
from tests.matrix.watched import Watched

INTERVAL_S = 1.0
TIMEOUT_S = 1.0
FAULT_S = 4.0
GRACE_S = 2.0  # a busy machine
WELL = "stays well"

# With these of the faults that all have, no answer can be read: a sample would be made up.
UNREADABLE = frozenset({"refuse", "unplug", "silent", "drop", "half-close", "garbage"})
LATE = frozenset({"delay", "pieces"})  # what comes late can be read, by a later poll
CUTS = ("refuse", "unplug")  # what ends the connection that is open
# A computer leaves out what it no longer has; of all others a sample has every metric.
LEAVES_OUT = frozenset({"host"})


@attrs.define
class Trial:
    """A device of the run; times are UTC ms as its samples have them."""

    name: str
    case: Case
    fault: str
    simulator: Simulator
    kind: Kind
    is_cut_first: bool = False  # many faults meet only connections that are made while they last
    driver: Watched | None = None
    config: DeviceConfig | None = None
    began_from_ms: int = 0  # the fault is about to be set
    began_ms: int = 0  # it is in force
    ended_from_ms: int = 0  # it is about to be ended
    ended_ms: int = 0  # it is over
    at_begin: DeviceHealth | None = None  # as the fault was about to be set
    at_end: DeviceHealth | None = None  # as it was about to be ended
    at_last: DeviceHealth | None = None  # as the run was over

    @property
    def help(self) -> str:
        """What the simulator says of the fault."""
        return self.simulator.FAULTS[self.word]

    @property
    def word(self) -> str:
        """The fault without its argument."""
        return self.fault.partition(":")[0]

    @property
    def is_unreadable(self) -> bool:
        """Whether no good sample can come while the fault lasts."""
        is_met = self.is_cut_first or self.word in LINK_FAULTS
        is_silence = self.fault in self.case.silences and self.word not in LATE
        return self.fault in UNREADABLE or (is_met and is_silence)

    @property
    def interval_s(self) -> float:
        """As often as the kind allows."""
        return max(INTERVAL_S, self.kind.min_interval_s)

    @property
    def fault_s(self) -> float:
        """How long the fault lasts: two polls at least, after that which meets a cut."""
        polls_s = max(FAULT_S, 2.5 * self.interval_s)
        pace = Pace(self.interval_s, TIMEOUT_S, self.kind.backoff_floor_s)
        return polls_s + (bound_s(pace, 1) if self.is_cut_first else 0.0)

    @property
    def bound_s(self) -> float:
        """How long the device may take to be read again."""
        assert self.at_end is not None
        assert self.config is not None
        failures = self.at_end.failures_in_a_row
        if self.at_last is None or self.at_last.failures > self.at_end.failures:
            failures += 1  # the poll that was running failed as well; no other may
        pace = Pace(self.config.interval_s, self.config.timeout_s, self.kind.backoff_floor_s)
        return bound_s(pace, failures)

    def may_have_met(self, sample: Sample) -> bool:
        """Whether the fault was there while some of the sample's poll ran."""
        assert self.config is not None
        since_ms = self.began_from_ms - self.config.timeout_s * 1000
        return since_ms <= sample.stamp.ts_ms < self.ended_ms

    def is_still_in(self, sample: Sample) -> bool:
        """Whether the sample must have the values from before the fault, or none."""
        if self.word in self.case.changes:
            return not self.may_have_met(sample)
        is_before = sample.stamp.ts_ms < self.began_from_ms
        return self.word not in self.case.changes_for_good or is_before

    @property
    def over_ms(self) -> int:
        """When the fault is to end."""
        return self.began_ms + round(1000 * self.fault_s)

    def table(self) -> dict[str, Any]:
        """Its table of ``agent.toml``."""
        simulated = self.case.simulated or SIMULATED[self.case.kind].load()
        text = simulated.table(self.name, self.simulator.address)
        (table,) = tomllib.loads(text)["device"]
        return {**table, "interval_s": self.interval_s, "timeout_s": TIMEOUT_S}

    @property
    def alone(self) -> Sequence[str]:
        """What no other device of its agent may have or be."""
        claims = getattr(self.case.options(self.simulator.address), "claims", ())
        single = [self.case.kind] if self.kind.is_single else []
        return [*single, *(claim.what for claim in claims if claim.is_alone)]

    def begin(self, now_ms: Callable[[], int], health: DeviceHealth) -> None:
        """The fault is there from now on."""
        self.at_begin = health
        self.began_from_ms = now_ms()
        if self.is_cut_first:
            self.simulator.set_fault(cut_of(self.case))
        self.simulator.set_fault(self.fault)
        self.began_ms = now_ms()

    def end(self, now_ms: Callable[[], int], health: DeviceHealth) -> None:
        """The fault is over from now on."""
        self.at_end = health
        self.ended_from_ms = now_ms()
        self.simulator.set_fault(None)
        self.ended_ms = now_ms()


@attrs.frozen
class Row:
    """What became of a trial."""

    kind: str
    case: str  # the kind, and which variant of it
    fault: str
    help: str
    does: str
    reasons: str
    text: str
    back_after_s: float | None
    bound_s: float
    problems: Sequence[str]
    is_untouched: bool = False  # nothing of the fault was seen
    can_be_cut: bool = False

    @property
    def is_ok(self) -> bool:
        """Whether all was as it must be."""
        return not self.problems


def cut_of(case: Case) -> str | None:
    """The fault that ends the connections of a device; ``None`` where it has none."""
    return next((fault for fault in CUTS if fault in case.faults), None)


def bound_s(pace: Pace, failures: int) -> float:
    """How long a device may take to be read again after so many polls have failed in a row."""
    wait_s = 0.0
    if failures:
        wait_s = BACKOFF_S[min(failures, len(BACKOFF_S)) - 1] * (1 + JITTER)
        wait_s = max(wait_s, pace.backoff_floor_s)
    return pace.interval_s + wait_s + pace.timeout_s


def judge(trial: Trial, samples: Sequence[Sample], gaps: Sequence[Gap]) -> Row:
    """The row of a trial from what the store has of its device."""
    assert trial.at_end is not None
    after = [each for each in samples if each.stamp.ts_ms >= trial.ended_ms]
    during = [gap for gap in gaps if (gap.end_ms or trial.ended_ms) > trial.began_ms]
    back_s = (after[0].stamp.ts_ms - trial.ended_ms) / 1000 if after else None
    longest = max(during, key=lambda gap: (gap.end_ms or 2**62) - gap.start_ms, default=None)
    text = longest.detail if longest else "; ".join(trial.at_end.warnings)
    does = _does(trial, samples, has_gap=bool(during))
    return Row(
        kind=trial.case.kind,
        case=trial.case.id,
        fault=trial.fault,
        help=trial.help,
        does=does,
        reasons=", ".join(dict.fromkeys(str(gap.reason) for gap in during)),
        text=text.replace(trial.simulator.address, "ADDRESS"),
        back_after_s=back_s,
        bound_s=trial.bound_s,
        problems=_problems(trial, samples, gaps, back_s),
        can_be_cut=cut_of(trial.case) is not None,
        is_untouched=does == WELL or (trial.is_cut_first and trial.at_end.is_well is True),
    )


def _problems(
    trial: Trial, samples: Sequence[Sample], gaps: Sequence[Gap], back_s: float | None
) -> Sequence[str]:
    problems = [
        *_late(back_s, trial.bound_s),
        *_made_up(trial, samples),
        *_incomplete(trial, samples),
        *_wrong(trial, samples),
        *(f"agent error: {gap.detail}" for gap in gaps if gap.reason is Reason.BUG),
    ]
    if any(gap.end_ms is None for gap in gaps):
        problems.append("a gap is still open")
    if trial.simulator.write_requests:
        problems.append(f"{trial.simulator.write_requests} requests to write")
    return problems


def _late(back_s: float | None, bound: float) -> Sequence[str]:
    if back_s is None:
        return ["not back"]
    return [f"back after {back_s:.1f} s"] if back_s > bound + GRACE_S else []


def _made_up(trial: Trial, samples: Sequence[Sample]) -> Sequence[str]:
    """Values of polls that began and ended while nothing could be read."""
    if not trial.is_unreadable:
        return []
    count = sum(
        any(value is not None for value in each.values.values()) for each in _met(trial, samples)
    )
    return [f"{count} samples made up"] if count else []


def _incomplete(trial: Trial, samples: Sequence[Sample]) -> Sequence[str]:
    """Metrics that a sample lacks: those that were announced, and after the fault all."""
    missing: set[str] = set()
    if trial.driver is not None:
        if trial.case.kind not in LEAVES_OUT:
            missing |= trial.driver.missing
        missing |= trial.driver.unannounced
    for each in samples:
        if not trial.may_have_met(each):
            missing |= samples[0].values.keys() - each.values.keys()
    return [f"samples without {shown(missing)}"] if missing else []


def _wrong(trial: Trial, samples: Sequence[Sample]) -> Sequence[str]:
    """Values that are not those from before the fault, though the device stands still."""
    if not isinstance(trial.simulator, CanFreeze):
        return []
    assert trial.at_begin is not None
    true = next(each.values for each in samples if each.stamp.ts_ms == trial.at_begin.last_ok_ms)
    found = wrong(true, filter(trial.is_still_in, samples), trial.case.moving)
    return [f"wrong values: {shown(found)}"] if found else []


def _met(trial: Trial, samples: Sequence[Sample]) -> Sequence[Sample]:
    """Samples of polls that began and ended while the fault was there.

    Without those of the first poll, which may still get what the device had sent before.
    """
    assert trial.config is not None
    since_ms = trial.began_ms + trial.config.interval_s * 1000
    until_ms = trial.ended_from_ms - trial.config.timeout_s * 1000
    return [each for each in samples if since_ms < each.stamp.ts_ms < until_ms]


def _does(trial: Trial, samples: Sequence[Sample], *, has_gap: bool) -> str:
    assert trial.at_end is not None
    met = _met(trial, samples)
    words = ["a gap" if has_gap else WELL]
    if has_gap and met:
        words.append("with samples in between")
    if trial.at_end.warnings:
        words.append("warns")
    if not met:
        return ", ".join(words)
    true, last = samples[0].values, met[-1].values
    empty = sum(value is None and true.get(name) is not None for name, value in last.items())
    for count, text in (
        (empty, "without a value"),
        (len(true.keys() - last.keys()), "not offered"),
    ):
        if count:
            words.append(f"{count} of {len(true)} metrics {text}")
    return ", ".join(words)
