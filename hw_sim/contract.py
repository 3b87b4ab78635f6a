"""What every simulator promises."""

from collections.abc import Mapping
from types import TracebackType
from typing import ClassVar, Protocol, Self


class Simulator(Protocol):
    """Stands for one device and speaks its real protocol, with faults on demand.

    Importable, without work before ``start()``. Starts in milliseconds, binds port 0 where asked,
    and leaves neither a thread nor a session behind when it is stopped.
    """

    FAULTS: ClassVar[Mapping[str, str]]
    """The names that ``set_fault`` takes, each with one line of help."""

    @property
    def address(self) -> str:
        """Where a driver reaches it, as its configuration says it; known once it has started."""

    @property
    def write_requests(self) -> int:
        """How many requests to change the device arrived, answered or not."""

    def start(self) -> None:
        """Be reachable when this returns; once more while running does nothing.

        Raises:
            OSError: The address is taken, not ours or not allowed.
        """

    def stop(self) -> None:
        """Drop every session and end every thread; twice is fine."""

    def set_fault(self, fault: str | None) -> None:
        """From now on misbehave as ``NAME`` or ``NAME:ARG``; ``None`` behaves well again.

        Raises:
            ValueError: No such fault, or an argument it can't have.
        """

    def __enter__(self) -> Self:
        """Start."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""


class RunsInside:
    """What ``with`` does for every simulator: it runs inside."""

    def start(self) -> None:
        """Of the simulator."""
        raise NotImplementedError

    def stop(self) -> None:
        """Of the simulator."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
