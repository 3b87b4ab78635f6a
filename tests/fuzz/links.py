"""Links that remember what a device said, and links that say it again, mutated."""

import random
from collections.abc import Mapping, Sequence
from itertools import chain

import attrs

from agent.clock import Deadline
from agent.devices.links.link import Link
from agent.model import Value
from tests.fuzz.mutations import mutated

Reading = Mapping[str, Value]


@attrs.frozen
class Conversation:
    """What was said over one link.

    Args:
        greeting: What the device said after connecting.
        exchanges: Each request, with what came after it.
        readings: What a driver read from it.
    """

    greeting: bytes
    exchanges: tuple[tuple[bytes, bytes], ...]
    readings: tuple[Reading, ...]

    @property
    def answers(self) -> Sequence[bytes]:
        """All that the device said."""
        return [part for part in (self.greeting, *(answer for _, answer in self.exchanges)) if part]


class Recorder:
    """Writes down what comes over a link, by the request that it came after.

    ``loses`` is the number of the first answers that are lost.
    """

    def __init__(self, link: Link, loses: int = 0) -> None:
        self._link = link
        self._left = loses
        self.requests: list[bytes] = []
        self.said: list[bytearray] = [bytearray()]

    @property
    def exchanges(self) -> Sequence[tuple[bytes, bytes]]:
        """Each request with what came after it."""
        return list(zip(self.requests, map(bytes, self.said[1:]), strict=True))

    def send(self, data: bytes, deadline: Deadline) -> None:
        self.requests.append(data)
        self.said.append(bytearray())
        self._link.send(data, deadline)

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        data = self._link.receive(limit, deadline)
        if self._left and self.requests:
            self._left -= 1
            raise TimeoutError("no answer in time")
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

    A request that was never recorded gets the answer that is next in line.

    Args:
        more: Answers to requests that are not in the conversation.
        others: What takes the place of an answer now and then.
        is_true: Nothing is mutated, and to what was never recorded there is no answer.

    ``fuzzed`` counts the mutated answers that were begun to be read.
    """

    def __init__(
        self,
        conversation: Conversation,
        more: Mapping[bytes, bytes],
        others: Sequence[bytes],
        rng: random.Random,
        *,
        is_true: bool = False,
    ) -> None:
        self._exchanges = conversation.exchanges
        self._more = more
        self._others = others
        self._rng = rng
        self._is_true = is_true
        # Sooner rather than later: a driver may ask less than was recorded.
        last = len(self._exchanges)
        self._mutated_at = rng.randint(0, rng.choice((last, rng.randint(0, last))))
        self._at = 0  # of the exchanges
        self._said = 0
        self._waiting = b""
        self.fuzzed = 0
        self.is_closed = False
        self._say(conversation.greeting)

    def send(self, data: bytes, deadline: Deadline) -> None:
        deadline.left_s()
        assert data
        self._say(self._answer(data))

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

    def _answer(self, request: bytes) -> bytes:
        """To the same request, from here on or from the start."""
        count = len(self._exchanges)
        for at in chain(range(self._at, count), range(min(self._at, count))):
            asked, answer = self._exchanges[at]
            if asked == request:
                self._at = at + 1
                return answer
        if request in self._more:
            return self._more[request]
        self._at += 1
        is_known = self._at <= count and not self._is_true
        return self._exchanges[self._at - 1][1] if is_known else b""

    def _say(self, answer: bytes) -> None:
        if not self._is_true and self._is_wanted() and (answer or self._rng.random() < 0.1):
            answer = mutated(self._rng, answer, self._others)
            self.fuzzed += 1
        self._said += 1
        self._waiting += answer

    def _is_wanted(self) -> bool:
        return self._said == self._mutated_at or self._rng.random() < 0.05
