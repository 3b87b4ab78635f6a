"""Which part of the agent hangs: asked by the main thread, which has nothing else to do."""

import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

import attrs

from agent.clock import Clock
from agent.schedule import Schedule

PAUSE_S = 3.0  # not asked for so long: the machine or the process stood still
CALM_FACTOR = 3  # times the longest bound without a pause, before the next is forgiven whole
WORK_FACTOR = 60  # times its bound may a part take that computes; then it is held for lost


# Jobs of the store.
FLUSH, FLUSH_SOON, HOUSEKEEPING, UPKEEP = "flush", "flush soon", "housekeeping", "upkeep"


def poll_of(device: str) -> str:
    """The name of the job that polls a device."""
    return f"poll {device}"


class Sort(StrEnum):
    """What sort of part hangs: what is done about it depends on that."""

    SCHEDULER = "scheduler"
    STORE = "store"
    DEVICE = "device"


@attrs.frozen
class Part:
    """A part of the agent that may hang.

    Attributes:
        name: ``scheduler``, ``store``, or the device's.
        bound_s: It hangs when it has owed progress for longer.
        text: What happens then, with ``{for_s}``.
        since_s: Since when it owes progress, on the monotonic clock; ``None``: it owes none.
        threads: Those that should do the work.
        work: Something that changes as the work goes on, where it may take long.
    """

    sort: Sort
    name: str
    bound_s: float
    text: str
    since_s: Callable[[], float | None]
    threads: Callable[[], Sequence[threading.Thread]]
    work: Callable[[], object] = lambda: None

    @property
    def key(self) -> tuple[Sort, str]:
        """Tells parts apart: a device may be named like another part."""
        return self.sort, self.name


@attrs.frozen
class Hang:
    """A part that hangs, and for how long it has."""

    part: Part
    for_s: float

    @property
    def text(self) -> str:
        """What hangs, in one line."""
        return self.part.text.format(for_s=f"{self.for_s:.0f} s")

    def stacks(self) -> str:
        """Where the part's threads are."""
        return stacks(self.part.threads())


@attrs.define
class Seen:
    """What was seen of a part's work, and since when it has looked like that."""

    work: object
    at_s: float


class Progress:
    """Says which parts hang. Only the time that it was asked in counts.

    A machine that was suspended, or a process that was stopped, makes nobody guilty: after a
    pause every part has its whole time again. But not after each of many, or nothing would ever
    hang where this thread comes to its turn too seldom: then only the pause itself is not counted.
    """

    def __init__(self, clock: Clock, parts: Sequence[Part]) -> None:
        self._clock = clock
        self._parts = parts
        self._asked_s: float | None = None
        self._counted_s = 0.0  # the time without pauses, since the first question
        self._paused_s: float | None = None  # when the newest pause was, in that time
        # Long enough for a part to be seen as hung, and for systemd to act.
        self._calm_s = CALM_FACTOR * max((part.bound_s for part in parts), default=0.0)
        self._owed_s: dict[tuple[Sort, str], float] = {}
        self._seen: dict[tuple[Sort, str], Seen] = {}

    def hangs(self) -> list[Hang]:
        """The parts that hang now; to be asked often."""
        now_s = self._clock.monotonic()
        passed_s = self._count(now_s)
        found = []
        for part in self._parts:
            since_s = part.since_s()
            if since_s is None:
                self._seen.pop(part.key, None)
                self._owed_s.pop(part.key, None)
                continue
            most_s = self._owed_s.get(part.key, 0.0) + passed_s
            owed_s = self._owed_s[part.key] = max(0.0, min(now_s - since_s, most_s))
            worked_s = self._worked_s(part, self._counted_s - owed_s)
            if min(owed_s, self._counted_s - worked_s) > part.bound_s:
                found.append(Hang(part, owed_s))
        return found

    def _count(self, now_s: float) -> float:
        """How much of the time since the last question counts."""
        gap_s = 0.0 if self._asked_s is None else now_s - self._asked_s
        self._asked_s = now_s
        passed_s = min(gap_s, PAUSE_S)
        if gap_s > PAUSE_S:
            if self._paused_s is None or self._counted_s - self._paused_s > self._calm_s:
                self._owed_s.clear()
                self._seen.clear()
                passed_s = 0.0
            self._paused_s = self._counted_s + passed_s
        self._counted_s += passed_s
        return passed_s

    def _worked_s(self, part: Part, since_s: float) -> float:
        """When a part was last seen to work, in counted time, though it has come to no end."""
        work = part.work()
        seen = self._seen.get(part.key)
        if seen is None:
            self._seen[part.key] = Seen(work, since_s)
            return since_s
        if seen.work != work and self._counted_s - since_s < WORK_FACTOR * part.bound_s:
            self._seen[part.key] = Seen(work, self._counted_s)
            return self._counted_s
        return seen.at_s


def parts_of(schedule: Schedule, timeouts_s: Mapping[str, float], watchdog_s: float) -> list[Part]:
    """The parts of a whole agent, with bounds that follow the watchdog's time.

    A scheduler that is late by half of that time hangs, a commit that takes as long as all of it,
    and a poll that has not ended half of it after its time-out. With the 60 s of the unit: 30 s,
    60 s, and 30 s after the time-out; then it takes 60 s more until systemd acts. What is done
    beside polling has twice the watchdog's time without any work: if it holds the store, that
    hangs first, and if it does not, no sample is lost before the disk is full.
    """
    text = "the scheduler hangs: for {for_s} it has started nothing that was due"
    scheduler_threads = lambda: [schedule.thread] if schedule.thread else []  # noqa: E731
    parts = [
        Part(
            Sort.SCHEDULER, "scheduler", watchdog_s / 2, text,
            lambda: schedule.due_s, scheduler_threads,
        ),
        _store(schedule, watchdog_s),
        *(_beside(schedule, name, 2 * watchdog_s) for name in (UPKEEP, HOUSEKEEPING)),
    ]  # fmt: skip
    return parts + [
        _device(schedule, name, timeout_s, watchdog_s / 2) for name, timeout_s in timeouts_s.items()
    ]


def _store(schedule: Schedule, bound_s: float) -> Part:
    flushes = [schedule.workers[FLUSH], schedule.workers[FLUSH_SOON]]
    # They may hold the store for long, and work meanwhile.
    workers = [*flushes, schedule.workers[HOUSEKEEPING], schedule.workers[UPKEEP]]

    def since_s() -> float | None:
        known = [since for each in flushes if (since := each.busy_since_s) is not None]
        return min(known, default=None)

    def busy() -> list[threading.Thread]:
        return [worker.thread for worker in workers if worker.busy_since_s is not None]

    text = "the store hangs: a commit has not ended for {for_s}, is the disk well?"
    work = lambda: cpu_used([worker.thread for worker in workers])  # noqa: E731
    return Part(Sort.STORE, "store", bound_s, text, since_s, busy, work)


def _beside(schedule: Schedule, name: str, bound_s: float) -> Part:
    """What seals, drops and checks: it may take long, as long as it works."""
    worker = schedule.workers[name]
    text = f"{name} of the store hangs: it has done nothing for {{for_s}}, is the disk well?"
    return Part(
        Sort.STORE, name, bound_s, text,
        lambda: worker.busy_since_s, lambda: [worker.thread], lambda: cpu_used([worker.thread]),
    )  # fmt: skip


def _device(schedule: Schedule, name: str, timeout_s: float, grace_s: float) -> Part:
    worker = schedule.workers[poll_of(name)]
    text = f"{name}: a poll has not ended for {{for_s}}, its timeout_s is {timeout_s:g}"
    return Part(
        Sort.DEVICE, name, timeout_s + grace_s, text,
        lambda: worker.busy_since_s, lambda: [worker.thread],
    )  # fmt: skip


def stacks(threads: Sequence[threading.Thread]) -> str:
    """Where threads are, in many lines."""
    frames = sys._current_frames()
    lines = []
    for thread in threads:
        frame = frames.get(thread.ident or 0)
        if frame is None:
            lines.append(f"thread {thread.name!r} is no more")
            continue
        lines.append(f"thread {thread.name!r}, the newest call last:")
        lines += [line.rstrip("\n") for line in traceback.format_stack(frame)]
    return "\n".join(lines)


def cpu_used(threads: Sequence[threading.Thread]) -> str:
    """Grows while threads compute, and stays while they wait for a lock or a disk.

    Source: Linux, Documentation/scheduler/sched-stats.rst, ``/proc/PID/schedstat``.
    """
    used = []
    for thread in threads:
        try:
            text = Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text("ascii")
        except OSError:  # it is no more, or the kernel does not say
            continue
        used.append(text.split()[0])
    return " ".join(used)
