"""A few threads that do many small jobs, and can be left behind at any moment."""

import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

from agent.clock import Clock

LOOK_S = 0.2  # how often progress is told

Job = Callable[[], None]


class Pool:
    """Does jobs, so many at a time. They look at ``stop`` themselves, and raise nothing."""

    def __init__(self, size: int, stop: threading.Event) -> None:
        self._size = size
        self._stop = stop
        self._lock = threading.Lock()
        self.done = 0
        self.total = 0

    def run(self, jobs: Sequence[Job], tell: Callable[[], None], more: int = 0) -> None:
        """All jobs; ``tell`` is called now and then meanwhile, in this thread.

        ``more`` will follow.
        After a ``KeyboardInterrupt`` the jobs in hand are left to end by themselves.
        """
        self.total = self.done + len(jobs) + more
        waiting: SimpleQueue[Job] = SimpleQueue()
        for job in jobs:
            waiting.put(job)
        # Daemons: a device that does not answer must not hold up the end of the program.
        threads = [
            threading.Thread(target=self._work, args=(waiting,), name=f"search {n}", daemon=True)
            for n in range(min(self._size, len(jobs)))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(LOOK_S)
                tell()

    def _work(self, waiting: "SimpleQueue[Job]") -> None:
        while not self._stop.is_set():
            try:
                job = waiting.get_nowait()
            except Empty:
                return
            job()
            with self._lock:
                self.done += 1


class Pace:
    """Lets things begin no faster than so many a second, whoever begins them."""

    def __init__(self, per_second: float, clock: Clock, stop: threading.Event) -> None:
        self._step_s = 1 / per_second
        self._clock = clock
        self._stop = stop
        self._next_s = 0.0
        self._lock = threading.Lock()
        self.count = 0

    def wait(self) -> None:
        """Until it is this caller's turn, or the search is stopped."""
        with self._lock:
            now_s = self._clock.monotonic()
            turn_s = max(now_s, self._next_s)
            self._next_s = turn_s + self._step_s
            self.count += 1
        self._stop.wait(turn_s - now_s)
