"""One thread for one job: a job that hangs or fails holds up nobody else, nor the end."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")

NAME_BYTES = 15  # of a thread's name in the kernel


class Worker:
    """Runs the tasks of one job, one after the other; they must not raise.

    ``now`` is the monotonic clock: by it others see how long a task has been in hand.
    """

    def __init__(self, name: str, now: Callable[[], float]) -> None:
        self._now = now
        self._since_s: float | None = None
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self.thread = threading.Thread(target=self._work, name=name, daemon=True)
        self.thread.start()

    @property
    def busy_since_s(self) -> float | None:
        """Since when a task is in hand, or waits for a thread that does not take it."""
        return self._since_s

    def submit(self, task: Callable[[], None]) -> None:
        """Run ``task`` after those that are waiting."""
        if self._since_s is None:
            self._since_s = self._now()
        self._tasks.put(task)

    def stop(self) -> None:
        """End the thread when the task in hand is done."""
        self._tasks.put(None)

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread's end; whether it came."""
        self.thread.join(timeout_s)
        return not self.thread.is_alive()

    def _work(self) -> None:
        name_thread(self.thread.name)
        while (task := self._tasks.get()) is not None:
            self._since_s = self._now()
            task()
            self._since_s = None if self._tasks.empty() else self._now()


def name_thread(name: str) -> None:
    """Give the calling thread a name in the kernel too: that is what ``top -H`` shows."""
    try:
        path = Path(f"/proc/self/task/{threading.get_native_id()}/comm")
        path.write_bytes(name.encode("utf-8", "replace")[:NAME_BYTES])
    except OSError:  # not Linux, or /proc is closed
        pass


class Guarded:
    """Calls jobs; a bug in one stops no other, and is logged once until the job works again."""

    def __init__(self) -> None:
        self._failing: set[str] = set()

    def __call__(self, name: str, function: Callable[[], T]) -> T | None:
        """What the function of a job returns, or ``None`` when it failed."""
        try:
            result = function()
        except Exception:
            level = logging.DEBUG if name in self._failing else logging.ERROR
            log.log(level, "%s failed, it runs again at its next time", name, exc_info=True)
            self._failing.add(name)
            return None
        if name in self._failing:
            self._failing.discard(name)
            log.info("%s works again", name)
        return result
