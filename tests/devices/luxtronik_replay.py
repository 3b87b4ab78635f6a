"""A link to a controller that follows a script, for tests of the heat pump driver."""

import struct
from collections.abc import Callable, Mapping, Sequence

from agent.clock import Deadline
from agent.devices.luxtronik import Options
from agent.devices.luxtronik.driver import Luxtronik
from hw_sim.luxtronik import CALCULATIONS, PARAMETERS, VISIBILITIES
from hw_sim.luxtronik.wire import reply

HOST = "pump"
TIMEOUT_S = 2.0


class Replay:
    """Answers each request with the bytes for its command, in pieces of ``size`` at most."""

    def __init__(self, answers: Mapping[int, bytes], size: int = 4096) -> None:
        self.answers = answers
        self.size = size
        self.sent = b""
        self.is_closed = False
        self._left = b""

    def send(self, data: bytes, deadline: Deadline) -> None:
        self.sent += data
        self._left = self.answers.get(struct.unpack(">i", data[:4])[0], b"")

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        if not self._left:
            raise ConnectionAbortedError("the device closed the connection")
        size = min(limit, self.size)
        data, self._left = self._left[:size], self._left[size:]
        return data

    def receive_now(self, limit: int) -> bytes:
        data, self._left = self._left[:limit], self._left[limit:]
        return data

    def close(self) -> None:
        self.is_closed = True


def answers(
    calculations: Sequence[int] | Mapping[int, int],
    parameters: Sequence[int] = (0,) * 1086,
    visibilities: Sequence[int] = (1,) * 336,
    status: int = 0,
) -> dict[int, bytes]:
    """The bytes of a controller with these values; named ones are in a table of 275."""
    if isinstance(calculations, Mapping):
        calculations = [calculations.get(index, 0) for index in range(275)]
    return {
        CALCULATIONS: reply(CALCULATIONS, calculations, status),
        PARAMETERS: reply(PARAMETERS, parameters),
        VISIBILITIES: reply(VISIBILITIES, visibilities),
    }


def replayed(script: Mapping[int, bytes], size: int = 4096, **options: object) -> Luxtronik:
    """A driver whose controller answers so."""
    made: Callable[..., Options] = Options
    return Luxtronik(made(HOST, **options), TIMEOUT_S, lambda _: Replay(script, size))
