"""A Luxtronik heat pump controller that isn't there."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from hw_sim.contract import RunsInside
from hw_sim.luxtronik.conversation import Controller, serve
from hw_sim.luxtronik.discovery import Discovery
from hw_sim.luxtronik.faults import FAULTS, Fault
from hw_sim.luxtronik.memory import Memory
from hw_sim.luxtronik.profiles import PROFILES
from hw_sim.luxtronik.wire import Write
from hw_sim.tcp import Listener, Session

EPOCH = 1_760_000_000.0  # 2025-10-09, the controller's clock at the start


class LuxtronikSimulator(RunsInside):
    """One controller on one TCP port, for any number of connections.

    Args:
        port: 0 takes any free one; ``port`` says which, once started.
        profile: One of ``PROFILES``.
        seed: The same seed makes the same settings, and values that move the same way.
        frozen: Values stay as they are until ``thaw()``.
        discovery_port: UDP port at which it answers calls, 0 for any free one, ``None`` for none.
        discovery_answer: What it says to those; ``{port}`` stands for the TCP port.
        on_write: Told of every write, in the thread of the connection.
        clock: Seconds that only rise; values move with it.
        epoch: What the controller's clock says at the start, in Unix seconds.
    """

    FAULTS: ClassVar[Mapping[str, str]] = FAULTS

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        profile: str = "new",
        seed: int = 1,
        frozen: bool = False,
        discovery_port: int | None = None,
        discovery_answer: str = "2500;111;{port};",
        on_write: Callable[[Write], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        epoch: float = EPOCH,
    ) -> None:
        self.profile = PROFILES[profile]
        self._memory = Memory(self.profile, seed, epoch, clock)
        self._controller = Controller(self._memory, on_write)
        self._seed = seed
        if frozen:
            self._memory.freeze()
        self._listener = Listener(host, port, self._serve)
        self._discovery = None if discovery_port is None else Discovery(host, discovery_port)
        self._discovery_answer = discovery_answer
        self._is_started = False

    @property
    def host(self) -> str:
        """Where it listens."""
        return self._listener.host

    @property
    def port(self) -> int:
        """The TCP port; the real one once started."""
        return self._listener.port

    @property
    def discovery_port(self) -> int:
        """The UDP port for calls, 0 if there is none."""
        return self._discovery.port if self._discovery else 0

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def write_requests(self) -> int:
        """Requests to write a parameter."""
        return len(self._controller.writes)

    @property
    def writes(self) -> Sequence[Write]:
        """What clients asked to write, in order."""
        return self._controller.writes

    @property
    def requests(self) -> Sequence[int]:
        """The command of every request, in order."""
        return self._controller.requests

    @property
    def connections(self) -> int:
        """How many there were."""
        return self._controller.connections

    def start(self) -> None:
        """Accept connections; twice is fine.

        Raises:
            OSError: The port is taken or not allowed, or the host not ours.
        """
        if self._is_started:
            return
        self._listener.open()
        if self._discovery is not None:
            try:
                self._discovery.start(self._discovery_answer.format(port=self.port))
            except OSError:
                self._listener.close()
                raise
        self._is_started = True
        self.set_fault(self.fault)  # one that was set before

    def stop(self) -> None:
        """Free the ports, drop the sessions, end their threads; twice is fine."""
        self._is_started = False
        self._controller.fault.end()
        if self._discovery is not None:
            self._discovery.stop()
        self._listener.close()

    def restart(self) -> None:
        """Drop every connection, and accept new ones at once."""
        self._listener.refuse()
        self._listener.open()

    @property
    def fault(self) -> str | None:
        """The name and argument of the fault in force."""
        return self._controller.fault.text or None

    def set_fault(self, fault: str | None) -> None:
        """Misbehave as ``NAME`` or ``NAME:ARG`` of ``FAULTS``; ``None`` ends it.

        ``too-many`` and those of second connections meet only connections made from now on,
        ``refuse`` drops the others. Whatever waits because of the former fault goes on at once.

        Raises:
            ValueError: No such fault, or an argument it can't have.
        """
        new = Fault(fault or "", self._seed)
        self._controller.fault.end()
        self._controller.fault = new
        if not self._is_started:
            return
        if new.name == "refuse":
            self._listener.refuse()
        else:
            self._listener.open()

    def freeze(self) -> None:
        """Values stay as they are."""
        self._memory.freeze()

    def thaw(self) -> None:
        """Values move on."""
        self._memory.thaw()

    def set_value(self, table: int, index: int, value: int) -> None:
        """Put a raw value into a table, where it stays; ``table`` is its command, 3003 to 3005."""
        self._memory.set_value(table, index, value)

    def values(self, table: int) -> list[int]:
        """The raw values of a table, as a client would read them."""
        return self._memory.table(table)

    def _serve(self, session: Session) -> None:
        serve(self._controller, session)
