"""Runs a target with mutated answers and keeps count of what its driver makes of them."""

import gc
import random
import time
from collections import Counter
from pathlib import Path

import attrs

from agent.clock import Deadline
from agent.devices.contract import Driver
from agent.devices.links.link import Link
from agent.errors import DeviceError
from agent.poller import checked
from tests.fuzz.links import Replay
from tests.fuzz.targets import TIMEOUT_S, Target

WARM_UP = 0.2  # of all answers: until then memory may grow, of caches and of what is imported late
DRIVER_READS = 100  # then comes a new driver, which knows nothing of its device


@attrs.define
class Outcome:
    """What came of the answers to one driver.

    ``strange`` are exceptions that are no DeviceError, ``late`` reads over their deadline.
    """

    name: str
    fuzzed: int = 0
    reads: int = 0
    answers: Counter[str] = attrs.Factory(Counter)
    strange: list[str] = attrs.Factory(list)
    left_open: int = 0
    late: int = 0
    slowest_s: float = 0.0
    took_s: float = 0.0
    grew_kib: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether every promise was kept; memory is judged by whoever knows how long it ran."""
        return not (self.strange or self.late or self.left_open)

    def add(self, other: "Outcome") -> None:
        """What another run of the same target came to; of memory the most that any grew."""
        self.fuzzed += other.fuzzed
        self.reads += other.reads
        self.answers += other.answers
        self.strange += other.strange
        self.left_open += other.left_open
        self.late += other.late
        self.slowest_s = max(self.slowest_s, other.slowest_s)
        self.took_s += other.took_s
        self.grew_kib = max(self.grew_kib, other.grew_kib)


def fuzz(target: Target, answers: int, seed: int) -> Outcome:
    """Read until so many mutated answers were given."""
    rng = random.Random(f"{target.name} {seed}")
    others = [part for each in target.conversations for part in each if part]
    outcome = Outcome(target.name)
    began_s, base_kib = time.monotonic(), 0
    while outcome.fuzzed < answers:
        links: list[Replay] = []

        def open_link(_: Deadline, links: list[Replay] = links) -> Link:
            links.append(Replay(rng.choice(target.conversations), others, rng))
            return links[-1]

        _read(target.driver(open_link), outcome)
        outcome.fuzzed += sum(link.fuzzed for link in links)
        outcome.left_open += sum(not link.is_closed for link in links)
        if not base_kib and outcome.fuzzed >= WARM_UP * answers:
            gc.collect()
            base_kib = resident_kib()
    gc.collect()
    outcome.grew_kib = resident_kib() - base_kib
    outcome.took_s = time.monotonic() - began_s
    return outcome


def _read(driver: Driver, outcome: Outcome) -> None:
    """Many reads of one driver, as the poller does them: closed after an error, or two reads."""
    for number in range(DRIVER_READS):
        began_s = time.monotonic()
        try:
            checked(driver.read())
            driver.describe()
            driver.warnings()
            outcome.answers["values"] += 1
        except DeviceError as error:
            outcome.answers[error.reason.value] += 1
            _look_at(str(error), outcome)
            driver.close()
        except Exception as error:  # noqa: BLE001 - exactly what is looked for
            if len(outcome.strange) < 20:
                outcome.strange.append(f"{type(error).__name__}: {error}"[:300])
            driver.close()
        outcome.reads += 1
        took_s = time.monotonic() - began_s
        outcome.slowest_s = max(outcome.slowest_s, took_s)
        outcome.late += took_s > TIMEOUT_S
        if number % 2:
            driver.close()
    driver.close()


def _look_at(text: str, outcome: Outcome) -> None:
    if not text.isprintable() or len(text) > 2000:
        outcome.strange.append(f"a text that can't be shown: {text!r}"[:300])


def resident_kib() -> int:
    """Memory of this process."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split("VmRSS:")[1].split()[0])
