"""Has the first sample of a run stored at once: who starts the agent looks whether it works."""

import threading
from collections.abc import Callable

Poll = Callable[[], float | None]  # as the poller's: seconds until the next try when it failed


class FirstSample:
    """Has a flush made after the first sample of all.

    No more than this one: each costs the card a few blocks, and the others wait for no longer
    than ``flush_interval_s``, as always.
    """

    def __init__(self, flush_soon: Callable[[], None]) -> None:
        self._flush_soon = flush_soon
        self._is_there = False
        self._lock = threading.Lock()

    def noting(self, poll: Poll) -> Poll:
        """A poll that does the same and is noted."""

        def noted() -> float | None:
            again_s = poll()
            if again_s is None and not self._is_there:
                self._note()
            return again_s

        return noted

    def _note(self) -> None:
        with self._lock:
            is_first, self._is_there = not self._is_there, True
        if is_first:
            self._flush_soon()
