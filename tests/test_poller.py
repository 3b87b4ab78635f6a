"""One device: back-off, gaps, hanging polls, and what a driver may do wrong."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence

import pytest

from agent.errors import DeviceError
from agent.health import Health
from agent.model import Gap, Metric, Reason, Sample, Value
from agent.poller import METRICS_LIMIT, Pace, Poller, checked
from tests.fakes import NOON_MS, Answer, FakeClock, ScriptedDriver

S = 1000
NO_ANSWER = DeviceError("reading 10.0.0.7:102: no answer in time", Reason.TIMEOUT)
REFUSED = DeviceError("connecting to 10.0.0.7:102: connection refused", Reason.REFUSED)
GOOD: Mapping[str, Value] = {"level": 1.5}


class Sink:
    """Keeps what the poller hands on, with gaps put together."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.described: list[Sequence[Metric]] = []
        self.gaps: list[Gap] = []

    def append(self, sample: Sample) -> None:
        self.samples.append(sample)

    def describe(self, device: str, metrics: Sequence[Metric]) -> None:
        self.described.append(metrics)

    def open_gap(self, device: str, start_ms: int, reason: Reason, detail: str = "") -> None:
        assert not self.gaps or self.gaps[-1].end_ms is not None
        self.gaps.append(Gap(device, start_ms, None, reason, detail))

    def close_gap(self, device: str, end_ms: int) -> None:
        last = self.gaps.pop()
        assert last.end_ms is None
        self.gaps.append(Gap(device, last.start_ms, end_ms, last.reason, last.detail))

    def stretches(self) -> list[tuple[float, float | None, Reason]]:
        """The gaps in seconds after noon."""
        return [
            (
                (gap.start_ms - NOON_MS) / S,
                None if gap.end_ms is None else (gap.end_ms - NOON_MS) / S,
                gap.reason,
            )
            for gap in self.gaps
        ]


class Polled:
    """A poller over a scripted driver, every second."""

    def __init__(
        self, *script: Answer, floor_s: float = 0.0, jitter: Callable[[], float] = lambda: 0.5
    ) -> None:
        self.clock = FakeClock()
        self.driver = ScriptedDriver(*script)
        self.sink = Sink()
        self.health = Health(self.clock)
        self.health.add_device("press", "s7", 1.0)
        pace = Pace(1.0, 3.0, floor_s)
        self.poller = Poller("press", self.driver, pace, self.clock, self.sink, self.health, jitter)

    def poll(self, times: int = 1, then_s: float = 1.0) -> list[float | None]:
        """So many polls, and after each the time to the next."""
        delays = []
        for _ in range(times):
            delays.append(self.poller.poll())
            self.clock.advance(then_s)
        return delays

    def messages(self, caplog: pytest.LogCaptureFixture) -> list[str]:
        """What the user sees."""
        return [r.getMessage() for r in caplog.records if r.levelno >= logging.INFO]


def test_a_sample_has_the_time_at_which_the_poll_began() -> None:
    polled = Polled()

    def slow() -> Mapping[str, Value]:
        polled.clock.advance(2.0)
        return GOOD

    polled.driver.script = [slow]

    delays = polled.poll()

    (sample,) = polled.sink.samples
    assert (sample.device, sample.stamp.ts_ms, sample.values) == ("press", NOON_MS, GOOD)
    assert sample.stamp.monotonic_ms == 1000 * S
    assert delays == [None]


def test_back_off_grows_to_a_minute_and_goes_on_for_ever() -> None:
    polled = Polled(NO_ANSWER)

    delays = polled.poll(1000)

    assert delays == [1, 2, 5, 10, 30, 60] + [60] * 994


@pytest.mark.parametrize(("jitter", "factor"), [(0.0, 0.8), (1.0, 1.2)])
def test_back_off_is_spread_by_a_fifth(jitter: float, factor: float) -> None:
    polled = Polled(NO_ANSWER, jitter=lambda: jitter)

    delays = polled.poll(6)

    assert delays == pytest.approx([factor * delay for delay in (1, 2, 5, 10, 30, 60)])


def test_back_off_is_never_shorter_than_the_kind_allows() -> None:
    polled = Polled(NO_ANSWER, floor_s=8.0, jitter=lambda: 0.0)

    delays = polled.poll(5)

    assert delays == pytest.approx([8, 8, 8, 8, 24])


def test_after_a_success_back_off_begins_anew() -> None:
    polled = Polled(NO_ANSWER, NO_ANSWER, GOOD, NO_ANSWER)

    delays = polled.poll(4)

    assert delays == [1, 2, None, 1]


def test_an_outage_is_logged_once_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    polled = Polled(GOOD, *[NO_ANSWER] * 5, GOOD)

    polled.poll(8)

    assert polled.messages(caplog) == [
        "press: reading 10.0.0.7:102: no answer in time; it is tried again until it answers",
        "press: well again after 5 s, 5 polls failed",
    ]


def test_the_end_of_an_outage_says_its_length_also_when_the_clock_was_set(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    polled = Polled(NO_ANSWER, NO_ANSWER, GOOD)
    polled.clock.set_wall(5000)
    polled.poll(1)

    polled.clock.set_wall(NOON_MS)
    polled.poll(2)

    assert polled.messages(caplog)[-1] == "press: well again after 2 s, 2 polls failed"


def test_the_driver_is_closed_after_each_error_and_only_then() -> None:
    polled = Polled(GOOD, NO_ANSWER, ValueError("bug"), GOOD)

    closes = []
    for _ in range(4):
        polled.poll()
        closes.append(polled.driver.closes)

    assert closes == [0, 1, 2, 2]


def test_a_gap_lasts_from_the_last_sample_to_the_next() -> None:
    polled = Polled(GOOD, NO_ANSWER, NO_ANSWER, GOOD)

    polled.poll(4)

    assert polled.sink.stretches() == [(0, 3, Reason.TIMEOUT)]
    assert polled.sink.gaps[0].detail == str(NO_ANSWER)


def test_another_reason_is_another_gap() -> None:
    polled = Polled(GOOD, NO_ANSWER, NO_ANSWER, REFUSED, GOOD)

    polled.poll(5)

    assert polled.sink.stretches() == [(0, 3, Reason.TIMEOUT), (3, 4, Reason.REFUSED)]


def test_a_gap_without_an_earlier_sample_begins_with_the_first_poll() -> None:
    polled = Polled(REFUSED)

    polled.poll(3)

    assert polled.sink.stretches() == [(0, None, Reason.REFUSED)]


@pytest.mark.parametrize(
    "error", [ValueError("x"), KeyError("y"), RecursionError(), MemoryError(), AssertionError()]
)
def test_a_bug_in_a_driver_is_a_failure_of_its_device_and_its_traceback_is_logged_once(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    polled = Polled(error)

    delays = polled.poll(3)

    tracebacks = [r for r in caplog.records if r.exc_info and r.levelno >= logging.ERROR]
    (device,) = polled.health.devices()
    assert delays == [1, 2, 5]
    assert len(tracebacks) == 1
    assert (device.is_well, device.reason) == (False, Reason.BUG)


@pytest.mark.parametrize("part", ["metrics", "describe", "warnings", "close"])
def test_a_bug_in_any_part_of_a_driver_is_no_exception_of_the_poller(part: str) -> None:
    class Broken(ScriptedDriver):
        def __getattribute__(self, name: str) -> object:
            if name == part and self.reads:
                raise RuntimeError("bug")
            return super().__getattribute__(name)

    polled = Polled(REFUSED if part == "close" else GOOD)
    clock, sink, health = polled.clock, polled.sink, polled.health
    driver = Broken(*polled.driver.script)
    poller = Poller("press", driver, Pace(1.0, 3.0), clock, sink, health, lambda: 0.5)

    delay = poller.poll()

    assert delay == 1
    assert sink.samples == []
    assert len(sink.gaps) == 1


def test_units_are_told_when_they_change() -> None:
    polled = Polled(GOOD)
    polled.poll(2)
    polled.driver.metrics = (Metric("level", "mm"),)
    polled.poll(2)

    assert polled.sink.described == [(), (Metric("level", "mm"),)]


def test_what_was_found_is_asked_for_once_after_each_connecting() -> None:
    polled = Polled(GOOD, GOOD, NO_ANSWER, GOOD)
    polled.driver.found = ["an S7-1200"]
    polled.poll(2)
    first = polled.health.devices()[0].found
    polled.driver.found = ["an S7-1500"]
    polled.poll(2)

    assert (first, polled.health.devices()[0].found) == (("an S7-1200",), ("an S7-1500",))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_none(value: float) -> None:
    assert checked({"a": value, "b": 1.0}) == {"a": None, "b": 1.0}


@pytest.mark.parametrize("value", [0, -1, 2**64 - 1, 1.0, True, False, "", "ä\0\n", None])
def test_sound_values_stay_as_they_are(value: Value) -> None:
    (found,) = checked({"a": value}).values()

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "no values"),
        ({"a": 2**64}, "more than 64 bits"),
        ({"a": -(2**64)}, "more than 64 bits"),
        ({"": 1}, "empty, too long or unprintable"),
        ({"a\n": 1}, "empty, too long or unprintable"),
        ({"\ud83d": 1}, "empty, too long or unprintable"),
        ({"a" * 201: 1}, "empty, too long or unprintable"),
        ({str(n): n for n in range(METRICS_LIMIT + 1)}, "20001 values"),
    ],
)
def test_what_can_not_be_stored_is_bad_data(values: dict[str, Value], text: str) -> None:
    polled = Polled(values)

    polled.poll()

    (device,) = polled.health.devices()
    assert device.reason is Reason.BAD_DATA
    assert text in (device.error or "")


@pytest.mark.parametrize("value", [b"bytes", [1], {}, object()])
def test_a_value_of_no_known_type_is_a_bug_of_the_driver(value: Value) -> None:
    polled = Polled({"a": value})

    polled.poll()

    assert polled.health.devices()[0].reason is Reason.BUG


def test_half_a_surrogate_pair_and_endless_texts_are_cut_to_size() -> None:
    found = checked({"a": "x\ud83dy", "b": "z" * 100_000})

    assert found == {"a": "x?y", "b": "z" * 65536}
