"""A Luxtronik heat pump controller that isn't there."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import ClassVar

from hw_sim.entrance import TcpEntrance
from hw_sim.link_simulator import LinkSimulator
from hw_sim.luxtronik.conversation import Controller, serve
from hw_sim.luxtronik.discovery import Discovery
from hw_sim.luxtronik.faults import FAULTS, Fault
from hw_sim.luxtronik.memory import Memory
from hw_sim.luxtronik.profiles import PROFILES
from hw_sim.luxtronik.wire import Write
from hw_sim.tcp import Session

EPOCH = 1_760_000_000.0  # 2025-10-09, the controller's clock at the start


class LuxtronikSimulator(LinkSimulator[Fault]):
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
        super().__init__(TcpEntrance(host, port, self._serve), partial(Fault, seed=seed))
        self.profile = PROFILES[profile]
        self._memory = Memory(self.profile, seed, epoch, clock)
        self._controller = Controller(self._memory, on_write, self.fault_in_force)
        if frozen:
            self._memory.freeze()
        self._discovery = None if discovery_port is None else Discovery(host, discovery_port)
        self._discovery_answer = discovery_answer

    @property
    def discovery_port(self) -> int:
        """The UDP port for calls, 0 if there is none."""
        return self._discovery.port if self._discovery else 0

    @property
    def write_requests(self) -> int:
        """Requests to write a parameter."""
        return len(self._controller.writes)

    @property
    def writes(self) -> Sequence[Write]:
        """What clients asked to write, in order."""
        return self._controller.writes

    @property
    def request_count(self) -> int:
        """How many requests there were."""
        return self._controller.request_count

    @property
    def requests(self) -> Sequence[int]:
        """The command of every request, in order."""
        return self._controller.requests

    @property
    def connections(self) -> int:
        """How many there were."""
        return self._controller.connections

    def start(self) -> None:
        """Accept connections, and answer calls; twice is fine.

        Raises:
            OSError: A port is taken or not allowed, or the host not ours.
        """
        super().start()
        if self._discovery is not None:
            try:
                self._discovery.start(self._discovery_answer.format(port=self.port))
            except OSError:
                self.stop()
                raise

    def stop(self) -> None:
        """Free the ports, drop the sessions, end their threads; twice is fine."""
        if self._discovery is not None:
            self._discovery.stop()
        super().stop()

    def restart(self) -> None:
        """Drop every connection, and accept new ones at once."""
        self._entrance.reset()

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

    def _apply_fault(self, fault: Fault) -> None:
        self._controller.fault = fault

    def _serve(self, session: Session) -> None:
        serve(self._controller, session)
