"""The ways into a simulated device, a TCP port or a serial one, and the faults that they have."""

from typing import Protocol

from hw_sim.serial_line import SerialLine
from hw_sim.tcp import Listener


class Entrance(Protocol):
    """Where clients come in; ``host`` is empty and ``port`` 0 where there is neither."""

    host: str
    port: int

    @property
    def address(self) -> str:
        """As a driver's configuration says it; known once it is open."""

    def open(self) -> None:
        """Let clients in; twice is fine.

        Raises:
            OSError: The address is taken, not ours or not allowed.
        """

    def close(self) -> None:
        """Drop the clients, and be gone; twice is fine."""

    def reset(self) -> None:
        """Drop the clients, and let them in again at once."""

    def switch(self, fault: str) -> None:
        """Be as the fault of this name wants it; open for all that do not concern it."""


class TcpEntrance(Listener):
    """Knows the fault ``refuse`` of ``TCP_FAULTS``."""

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def reset(self) -> None:
        """Drop the clients, and let them in again at once."""
        self.refuse()
        self.open()

    def switch(self, fault: str) -> None:
        """The port stays ours where connections are refused."""
        if fault == "refuse":
            self.refuse()
        else:
            self.open()


class SerialEntrance(SerialLine):
    """Knows the faults ``unplug`` and ``replug``."""

    host = ""
    port = 0

    @property
    def address(self) -> str:
        """The path of the port."""
        return str(self.path)

    def open(self) -> None:
        """Make the port; twice is fine."""
        self.plug()

    def close(self) -> None:
        """Take it away; twice is fine."""
        self.unplug()

    def reset(self) -> None:
        """Take it away, and make a new one."""
        self.unplug()
        self.plug()

    def switch(self, fault: str) -> None:
        """The port goes, or goes and comes back."""
        match fault:
            case "unplug":
                self.close()
            case "replug":
                self.reset()
            case _:
                self.open()
