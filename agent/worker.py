"""One thread for one job: a job that hangs holds up nobody else, nor the end."""

import threading
from collections.abc import Callable
from queue import SimpleQueue


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
