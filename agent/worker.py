"""One thread for one job: a job that hangs or fails holds up nobody else, nor the end."""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")


class Worker:
    """Runs the tasks of one job, one after the other; they must not raise."""

    def __init__(self, name: str) -> None:
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, task: Callable[[], None]) -> None:
        """Run ``task`` after those that are waiting."""
        self._tasks.put(task)

    def stop(self) -> None:
        """End the thread when the task in hand is done."""
        self._tasks.put(None)

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread's end; whether it came."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()


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
