"""A thermostat that isn't there: its line protocol over TCP, for four clients at once."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

from hw_sim.entrance import TcpEntrance
from hw_sim.link_simulator import LinkSimulator
from hw_sim.tcp import Session
from hw_sim.thermostat.board import GENERATIONS, Board
from hw_sim.thermostat.channel import Measured, Settings
from hw_sim.thermostat.conversation import Conversation
from hw_sim.thermostat.faults import FAULTS, Fault

SESSIONS = 4


class ThermostatSimulator(LinkSimulator[Fault]):
    """One thermostat on one TCP port.

    Args:
        port: 0 takes any free one; ``port`` says which, once started.
        generation: ``a`` (command ``pwm``), ``b`` (``output``), ``a-old`` or ``a-swap``.
        fan: Whether the board has one.
        sensors: How many channels, from the first, have a thermistor.
        seed: The same seed makes the same room and the same noise.
        frozen: Nothing moves until ``thaw()``.
        on_write: Told of each request that changes something, in the connection's thread.
        clock: Seconds that only rise; samples are taken by it.
    """

    FAULTS: ClassVar[Mapping[str, str]] = FAULTS

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        generation: str = "a",
        fan: bool = True,
        sensors: int = 2,
        seed: int = 1,
        frozen: bool = False,
        on_write: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if generation not in GENERATIONS:
            raise ValueError(f"no generation {generation!r}: known are {', '.join(GENERATIONS)}")
        super().__init__(TcpEntrance(host, port, self._serve), partial(Fault, seed=seed))
        self.board = Board(generation, fan, sensors, seed, clock)
        self._frozen = frozen
        self._on_write = on_write
        self._writes: list[str] = []
        self._requests: deque[str] = deque(maxlen=10_000)
        self._lock = threading.Lock()
        self._sessions: set[Session] = set()
        self.connections = 0  # that were served
        if frozen:
            self.freeze()

    @property
    def requests(self) -> list[str]:
        """Every line that clients sent, in order; the last ten thousand."""
        with self._lock:
            return list(self._requests)

    @property
    def writes(self) -> list[str]:
        """Those of the lines that change something, well formed or not."""
        with self._lock:
            return list(self._writes)

    @property
    def write_requests(self) -> int:
        """How many of them."""
        return len(self.writes)

    def restart(self) -> None:
        """As after power, or ``reset``: connections end, the time since boot is 0."""
        with self.board.lock:
            self.board.reboot()
        self.drop_sessions()

    def drop_sessions(self) -> None:
        """End every connection that there is."""
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.drop()

    def freeze(self) -> None:
        """Values stay as they are."""
        self._frozen = True
        with self.board.lock:
            self.board.freeze()

    def thaw(self) -> None:
        """Values move on."""
        self._frozen = False
        with self.board.lock:
            self.board.thaw()

    def set_measured(self, channel: int, measured: Measured) -> None:
        """What the converters of a channel gave; it stays while it is frozen."""
        with self.board.lock:
            self.board.channels[channel].measured = measured

    def set_settings(self, channel: int, settings: Settings) -> None:
        """What commands would have set."""
        with self.board.lock:
            self.board.channels[channel].settings = settings

    def note(self, request: str, *, changes: bool) -> None:
        """Remember a request."""
        with self._lock:
            self._requests.append(request)
            if changes:
                self._writes.append(request)
        if changes and self._on_write is not None:
            self._on_write(request)

    def _apply_fault(self, fault: Fault) -> None:
        with self.board.lock:
            for channel in self.board.channels[:1]:
                channel.is_lost = fault.name == "sensor-loss"
            if fault.name == "stale" or self._frozen:
                self.board.freeze()
            else:
                self.board.thaw()
        if fault.name == "restart" and self._is_started:
            self.restart()

    def _serve(self, session: Session) -> None:
        with self._lock:
            is_full = len(self._sessions) >= SESSIONS
            if not is_full:
                self._sessions.add(session)
                self.connections += 1
        if is_full:
            return
        try:
            if self.fault_in_force.name != "too-many":
                Conversation(self, session).run()
        finally:
            with self._lock:
                self._sessions.discard(session)
