"""When a connection may begin: as devices can bear it, and not too many in all."""

import threading
from collections.abc import Sequence

from agent.clock import Clock
from agent.devices.contract import TcpProbe
from agent.discovery.pool import Pace

Asking = Sequence[tuple[str, TcpProbe]]  # kinds that look for their device at one port


class Turns:
    """Keeps the pause of a kind between any two connections that may be to the same device.

    A connection counts for every kind whose device may be at that port. One that was refused is
    none.
    """

    def __init__(self, pace: Pace, clock: Clock, stop: threading.Event) -> None:
        self._pace = pace
        self._clock = clock
        self._stop = stop
        self._ended_s: dict[tuple[str, str], float] = {}

    def wait(self, address: str, asking: Asking) -> None:
        """Until all that may be there have had their pause, or the search is stopped."""
        now_s = self._clock.monotonic()
        free_s = [
            self._ended_s[kind, address] + probe.pause_s
            for kind, probe in asking
            if (kind, address) in self._ended_s
        ]
        self._stop.wait(max([now_s, *free_s]) - now_s)
        self._pace.wait()

    def ended(self, address: str, asking: Asking) -> None:
        """A connection is over."""
        for kind, _ in asking:
            self._ended_s[kind, address] = self._clock.monotonic()
