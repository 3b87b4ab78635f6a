"""What every simulator at the end of a byte link does: be there, misbehave, be gone."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Generic, TypeVar

from hw_sim.contract import RunsInside
from hw_sim.entrance import Entrance
from hw_sim.faults import Fault

F = TypeVar("F", bound=Fault)


class LinkSimulator(RunsInside, Generic[F]):
    """One device with one entrance, TCP or serial, and one fault at a time.

    What is left for a kind is to serve the sessions of its entrance.

    Args:
        parse: Makes a fault of its text; ``ValueError`` if the device can't have it, "" is none.
    """

    FAULTS: ClassVar[Mapping[str, str]]

    def __init__(self, entrance: Entrance, parse: Callable[[str], F]) -> None:
        self.fault_in_force = parse("")
        self._entrance = entrance
        self._parse = parse
        self._is_started = False

    @property
    def host(self) -> str:
        """Where it listens; empty for a serial port."""
        return self._entrance.host

    @property
    def port(self) -> int:
        """The TCP port; the real one once started."""
        return self._entrance.port

    @property
    def address(self) -> str:
        """``host:port``, or the path of a serial port."""
        return self._entrance.address

    @property
    def fault(self) -> str | None:
        """The name and argument of the fault in force."""
        return self.fault_in_force.text or None

    def start(self) -> None:
        """Let clients in; twice is fine.

        Raises:
            OSError: The address is taken, not ours or not allowed.
        """
        if not self._is_started:
            self._entrance.open()
            self._is_started = True
            self.set_fault(self.fault)  # one that was set before

    def stop(self) -> None:
        """Drop the sessions, end their threads, be gone; twice is fine."""
        self._is_started = False
        self.fault_in_force.end()
        self._entrance.close()

    def set_fault(self, fault: str | None) -> None:
        """Misbehave as ``NAME`` or ``NAME:ARG`` of ``FAULTS``; ``None`` ends it.

        Those about connecting meet only connections made from now on, ``refuse`` drops the
        others. Whatever waits because of the former fault goes on at once.

        Raises:
            ValueError: No such fault, or an argument it can't have.
        """
        new = self._parse(fault or "")
        self.fault_in_force.end()
        self.fault_in_force = new
        self._apply_fault(new)
        if self._is_started:
            self._entrance.switch(new.name)

    def _apply_fault(self, fault: F) -> None:
        """What a new fault means to the device itself; nothing if only answers differ."""
