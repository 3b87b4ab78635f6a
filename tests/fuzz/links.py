"""Links that remember what a device said, and links that say it again, mutated."""

import random
from collections.abc import Sequence

from agent.clock import Deadline
from agent.devices.links.link import Link
from tests.fuzz.mutations import mutated

Conversation = Sequence[bytes]
"""What a device said after connecting, then after each thing that was sent to it."""


class Recorder:
    """Writes down what comes over a link, by the request that it came after."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.said: list[bytearray] = [bytearray()]

    def send(self, data: bytes, deadline: Deadline) -> None:
        self.said.append(bytearray())
        self._link.send(data, deadline)

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        data = self._link.receive(limit, deadline)
        self.said[-1] += data
        return data

    def receive_now(self, limit: int) -> bytes:
        data = self._link.receive_now(limit)
        self.said[-1] += data
        return data

    def close(self) -> None:
        self._link.close()


class Replay:
    """Says what was recorded, some of it mutated; silence is a time-out at once.

    ``fuzzed`` counts the mutated answers that were begun to be read.
    """

    def __init__(
        self, conversation: Conversation, others: Conversation, rng: random.Random
    ) -> None:
        self._conversation = conversation
        self._others = others
        self._rng = rng
        self._mutated_at = rng.randrange(len(conversation))
        self._at = 0
        self._waiting = b""
        self.fuzzed = 0
        self.is_closed = False
        self._say()

    def send(self, data: bytes, deadline: Deadline) -> None:
        deadline.left_s()
        assert data
        self._at += 1
        self._say()

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        deadline.left_s()
        if not self._waiting:
            if self.fuzzed and self._rng.random() < 0.5:
                raise ConnectionAbortedError("the device closed the connection")
            raise TimeoutError("no answer in time")
        return self._take(limit)

    def receive_now(self, limit: int) -> bytes:
        return self._take(limit)

    def close(self) -> None:
        self.is_closed = True

    def _take(self, limit: int) -> bytes:
        size = min(limit, self._rng.choice((1, 3, 64, limit, limit)))
        data, self._waiting = self._waiting[:size], self._waiting[size:]
        return data

    def _say(self) -> None:
        at, rng = self._at, self._rng
        answer = self._conversation[at] if at < len(self._conversation) else b""
        is_wanted = at == self._mutated_at or rng.random() < 0.05
        if is_wanted and (answer or rng.random() < 0.1):
            answer = mutated(rng, answer, self._others)
            self.fuzzed += 1
        self._waiting += answer
