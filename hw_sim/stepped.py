"""Values that move in steps of time, and only when they are looked at.

Nothing runs between two requests: an idle simulator costs nothing.
"""

import threading
from collections.abc import Callable

STEP_S = 0.25  # one step of the plant


class Stepped:
    """What memories that move in steps have in common; safe to use from several threads.

    Whoever reads or writes holds ``_lock`` and calls ``_advance`` first.

    Args:
        clock: Seconds that only rise.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._moved_at = clock()
        self._frozen = False
        self._lock = threading.Lock()

    def freeze(self) -> None:
        """Values stay as they are from now on."""
        with self._lock:
            self._advance()
            self._frozen = True

    def thaw(self) -> None:
        """Values move on from where they are."""
        with self._lock:
            self._advance()
            self._frozen = False

    def _advance(self) -> None:
        """Catch up with the clock; time in which values were frozen is left out."""
        steps = int((self._clock() - self._moved_at) / STEP_S)
        if steps < 1:
            return
        self._moved_at += steps * STEP_S
        if not self._frozen:
            self._play(steps)

    def _play(self, steps: int) -> None:
        """So many steps pass, one or more."""
        raise NotImplementedError
