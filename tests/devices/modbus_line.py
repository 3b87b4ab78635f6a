"""A serial line with slow units on it, in a time of its own: silences cost none of ours."""

import heapq
import struct
from collections.abc import Callable, Mapping
from typing import Final

from agent.clock import Deadline
from hw_sim.modbus.wire import crc, rtu_frame

NOISE: Final = bytes.fromhex("00ff7f00fe80")
Delay = Callable[[int], float | None]
"""How long a unit needs for request number n, from 1; ``None``: it never answers that."""


def registers(start: int, count: int) -> bytes:
    """Each register holds its own address."""
    return struct.pack(f">{count}H", *range(start, start + count))


class SlowLine:
    """Units answer in order, one request after the other.

    Args:
        delay: See ``Delay``.
        noise_at: Request after which there is noise.
        likes: Starts and counts of the reads that units answer; all by default.
        spoil: Makes of a unit's answer what comes over the line.
    """

    def __init__(
        self,
        delay: Delay,
        noise_at: int = 0,
        likes: frozenset[tuple[int, int]] = frozenset(),
        spoil: Mapping[int, Callable[[bytes], bytes]] | None = None,
    ) -> None:
        self.now_s = 0.0
        self.requests: list[tuple[int, int, int]] = []  # unit, start, count
        self._delay = delay
        self._noise_at = noise_at
        self._likes = likes
        self._spoil = spoil or {}
        self._free_s = 0.0
        self._coming: list[tuple[float, int, bytes]] = []

    def clock(self) -> float:
        return self.now_s

    def send(self, data: bytes, deadline: Deadline) -> None:
        deadline.left_s()
        assert data[-2:] == crc(data[:-2])
        unit, function, start, count = struct.unpack(">BBHH", data[:6])
        self.requests.append((unit, start, count))
        number = len(self.requests)
        if number == self._noise_at:
            heapq.heappush(self._coming, (self.now_s + 0.01, number, NOISE))
        delay_s = self._delay(number)
        if delay_s is None or (self._likes and (start, count) not in self._likes):
            return
        self._free_s = max(self._free_s, self.now_s) + delay_s
        frame = rtu_frame(unit, bytes((function, 2 * count)) + registers(start, count))
        frame = self._spoil.get(unit, bytes)(frame)
        heapq.heappush(self._coming, (self._free_s, number, frame))

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        until_s = self.now_s + deadline.left_s()
        if self._coming and self._coming[0][0] <= until_s:
            at_s, _, frame = heapq.heappop(self._coming)
            self.now_s = max(self.now_s, at_s)
            if frame:
                return frame
        self.now_s = until_s
        raise TimeoutError

    def receive_now(self, limit: int) -> bytes:
        return b""

    def close(self) -> None:
        """The adapter keeps what comes meanwhile."""
