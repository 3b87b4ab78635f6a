"""A link with a script, for JSON devices without a socket."""

from collections.abc import Sequence

from agent.clock import Deadline
from agent.devices.json import Options
from agent.devices.json.driver import Json
from agent.devices.json.web import HttpTransport

TIMEOUT_S = 2.0
LOADED = HttpTransport  # else the first read would load it, as a part of its time-out


class ScriptedLink:
    """Says the next thing of ``answers`` after each send; an exception is raised.

    Args:
        greeting: What has come before anything was sent.
        piece: Bytes that come at once.
        closes: Whether the far end closes once it has said everything.
    """

    def __init__(
        self,
        answers: Sequence[bytes] = (),
        *,
        greeting: bytes = b"",
        piece: int = 1 << 20,
        closes: bool = False,
    ) -> None:
        self.answers = list(answers)
        self.waiting = greeting
        self.sent: list[bytes] = []
        self.is_closed = False
        self.breaks_idle = False  # whether looking for bytes finds the link broken
        self._piece = piece
        self._closes = closes

    def send(self, data: bytes, deadline: Deadline) -> None:
        deadline.left_s()
        self.sent.append(data)
        if self.answers:
            self.waiting += self.answers.pop(0)
        elif self._closes:
            raise BrokenPipeError(32, "Broken pipe")

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        deadline.left_s()
        if self.waiting:
            return self.receive_now(limit)
        if self._closes and not self.answers:
            raise ConnectionAbortedError("the device closed the connection")
        raise TimeoutError(f"no answer within {deadline.timeout_s:g} s")

    def receive_now(self, limit: int) -> bytes:
        if self.breaks_idle and not self.waiting:
            raise ConnectionResetError(104, "Connection reset by peer")
        size = min(limit, self._piece)
        data, self.waiting = self.waiting[:size], self.waiting[size:]
        return data

    def close(self) -> None:
        self.is_closed = True


class Links:
    """Opens one scripted link after the other, and keeps them."""

    def __init__(self, *links: ScriptedLink) -> None:
        self._waiting = list(links)
        self.opened: list[ScriptedLink] = []

    def __call__(self, deadline: Deadline) -> ScriptedLink:
        deadline.left_s()
        if not self._waiting:
            raise ConnectionRefusedError
        self.opened.append(self._waiting.pop(0))
        return self.opened[-1]


def scripted(options: Options, *links: ScriptedLink) -> Json:
    """A driver that reads scripted devices."""
    return Json(options, TIMEOUT_S, Links(*links))


def tcp(**options: object) -> Options:
    """Options of a device on TCP."""
    return Options(**{"host": "192.0.2.1", "port": 7, **options})  # type: ignore[arg-type]


def web(**options: object) -> Options:
    """Options of a device on HTTP."""
    return Options(**{"url": "http://192.0.2.1/state", **options})  # type: ignore[arg-type]


def answer(body: bytes, *headers: str, status: str = "200 OK", version: str = "1.1") -> bytes:
    """An answer in HTTP; its length is told unless the headers say how it comes."""
    lines = [f"HTTP/{version} {status}", *headers]
    if not headers:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body
