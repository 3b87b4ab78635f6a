"""A weather station that speaks JSON: over HTTP, as lines over TCP, or over a serial port."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol

from hw_sim.entrance import Entrance, SerialEntrance, TcpEntrance
from hw_sim.json import web
from hw_sim.json.faults import BY_MODE, FAULTS, JUNK, Fault
from hw_sim.json.station import Station
from hw_sim.link_simulator import LinkSimulator
from hw_sim.tcp import Session

MODES = tuple(BY_MODE)
REQUEST_LIMIT = 4096  # bytes of a line that a client sends
PERIOD_S = 1.0
PATH = "/status.json"


class Peer(Protocol):
    """A session, TCP or serial."""

    def receive(self, size: int) -> bytes: ...

    def send(self, data: bytes) -> None: ...


class JsonSimulator(LinkSimulator[Fault]):
    """One station.

    Args:
        mode: ``http``, ``request`` (a line is asked for), ``lines`` (it talks by itself) over
            TCP, ``serial`` (a line is asked for) over a serial port.
        path: Of the serial port, a symbolic link.
        request: The line that is answered with the values.
        period_s: Seconds between the lines of one that talks by itself.
        user: Who may read over HTTP, with the password; everybody where it is empty.
        seed: The same seed makes values move the same.
        frozen: Values stay as they are until ``thaw()``.
        on_write: Told of every line or request that is not the expected one.
        clock: Seconds that only rise; values move with it.
    """

    FAULTS: ClassVar[Mapping[str, str]] = FAULTS

    def __init__(
        self,
        mode: str = "http",
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        path: Path | None = None,
        request: str = "report",
        period_s: float = PERIOD_S,
        user: str = "",
        password: str = "",
        seed: int = 1,
        frozen: bool = False,
        on_write: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        entrance: Entrance = TcpEntrance(host, port, self._serve)
        if mode == "serial":
            entrance = SerialEntrance(path or Path("json"), self._answer_lines)
        super().__init__(entrance, partial(Fault, mode=mode, seed=seed))
        self.mode = mode
        self._request = request
        self._period_s = period_s
        self._on_write = on_write
        self.station = Station(seed, clock)
        if frozen:
            self.station.freeze()
        self._server = web.Server(
            self.station.document,
            lambda: self.fault_in_force,
            self._count,
            PATH,
            user,
            password,
        )
        self._lock = threading.Lock()  # of the counters
        self.sessions = 0
        self.requests = 0
        self.write_requests = 0

    @property
    def address(self) -> str:
        """``host:port``, a path, or a whole URL."""
        address = super().address
        return f"http://{address}{PATH}" if self.mode == "http" else address

    @property
    def seen(self) -> Sequence[Mapping[str, str]]:
        """The headers of each HTTP request, with small names."""
        return self._server.seen

    def freeze(self) -> None:
        """Values stay as they are."""
        self.station.freeze()

    def thaw(self) -> None:
        """Values move on."""
        self.station.thaw()

    def set_value(self, path: Sequence[str | int], value: Any) -> None:
        """Put a value in the place of the measured one, for good."""
        self.station.set_value(path, value)

    def document(self) -> dict[str, Any]:
        """All values now, as a client would read them."""
        return self.station.document()

    def _count(self, is_write: bool, text: str = "") -> None:
        with self._lock:
            self.requests += 1
            self.write_requests += is_write
        if is_write and self._on_write is not None:
            self._on_write(f"got what is no request to read: {text[:80]!r}")

    def _serve(self, session: Session) -> None:
        with self._lock:
            self.sessions += 1
        if self.fault_in_force.name == "too-many":
            return
        match self.mode:
            case "http":
                web.Conversation(self._server, session).run()
            case "lines":
                self._talk(session)
            case _:
                self._answer_lines(session)

    def _answer_lines(self, peer: Peer) -> None:
        """Request and reply, until the session ends."""
        number, goes_on = 0, True
        while goes_on:
            line = b""
            while not line.endswith(b"\n") and len(line) < REQUEST_LIMIT:
                line += peer.receive(1)
            text = line.decode("utf-8", "replace").strip()
            number += 1
            is_read = text == self._request
            self._count(not is_read, text)
            fault = self.fault_in_force
            answer = self._lines(fault) if is_read else b'{"error":"unknown command"}\n'
            if fault.name == "boot" and number == 1:
                answer = b"".join(JUNK)
            goes_on = fault.answer(peer.send, answer, number) or self.mode == "serial"

    def _talk(self, session: Session) -> None:
        """A line every period, until the session ends."""
        listening = threading.Thread(
            target=self._listen, args=(session,), name=f"listen {session.peer}", daemon=True
        )
        listening.start()
        number, goes_on = 0, True
        try:
            while goes_on and listening.is_alive():  # one that is silent sees no end otherwise
                number += 1
                fault = self.fault_in_force
                goes_on = fault.answer(session.send, self._lines(fault), number)
                fault.wait(self._period_s)
        finally:
            session.drop()
            listening.join()

    def _listen(self, session: Session) -> None:
        """Whatever a client says to one that only talks is meant to change something."""
        try:
            while True:
                self._count(True, repr(session.receive(1)))
        except (EOFError, OSError):
            return

    def _lines(self, fault: Fault) -> bytes:
        line = fault.body(self.station.document()).replace(b"\n", b" ")
        match fault.name:
            case "long-line":
                return b"{" + b" " * int(fault.argument)
            case "no-end":
                return line
            case "junk-lines":
                return b"".join(JUNK) + line + b"\n"
        return line + b"\n"
