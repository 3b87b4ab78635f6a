"""Serial links for drivers: exclusive, in time, with errors that say what to do."""

import contextlib
import errno
import fcntl
import os
import select
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Final

import attrs

from agent.clock import Deadline
from agent.config.options import Between, Length, OneOf

CLOSED: Final = -1
LOCKED_RETRY_S: Final = 0.05  # another of our drivers may be looking what is at this port

SerialPath = Annotated[str, Length(1, 255)]
BaudRate = Annotated[int, Between(50, 4_000_000, "baud")]
Parity = Annotated[str, OneOf(("none", "even", "odd"))]


class PortLockedError(OSError):
    """Another program, or another device of ours, has the port open."""


@attrs.frozen
class Line:
    """How a serial line is set; what USB devices make of it is their affair."""

    baud: int = 115200
    parity: str = "none"
    stop_bits: float = 1
    data_bits: int = 8


class SerialLink:
    """A link over an open serial port; ``path`` may be a symbolic link such as those by-id."""

    def __init__(self, path: str, line: Line, deadline: Deadline) -> None:
        """Open and lock it; a port that one of our own holds is waited for within the deadline.

        Raises:
            PortLockedError: Held by another program, which is named where that can be seen.
            OSError: No such port, no permission, no serial port.
        """
        import serial

        self.path = path
        self._port = serial.Serial(
            baudrate=line.baud,
            bytesize=line.data_bits,
            parity={"none": "N", "even": "E", "odd": "O"}[line.parity],
            stopbits=line.stop_bits,
            timeout=0,
            exclusive=True,
        )
        self._port.port = path
        self._fd = CLOSED
        with _port_errors(path):
            self._open(deadline)

    def send(self, data: bytes, deadline: Deadline) -> None:
        with _gone(self.path):
            while data:
                _, ready, _ = select.select([], [self._fd], [], deadline.left_s())
                if not ready:
                    raise TimeoutError(f"nothing could be sent within {deadline.timeout_s:g} s")
                with contextlib.suppress(BlockingIOError):
                    data = data[os.write(self._fd, data) :]

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        with _gone(self.path):
            while True:
                ready, _, _ = select.select([self._fd], [], [], deadline.left_s())
                if not ready:
                    deadline.left_s()  # raises
                    continue
                with contextlib.suppress(BlockingIOError):
                    data = os.read(self._fd, limit)
                    if not data:
                        raise ConnectionAbortedError(f"{self.path} was unplugged")
                    return data

    def receive_now(self, limit: int) -> bytes:
        with _gone(self.path):
            ready, _, _ = select.select([self._fd], [], [], 0)
            if not ready:
                return b""
            try:
                data = os.read(self._fd, limit)
            except BlockingIOError:
                return b""
            if not data:
                raise ConnectionAbortedError(f"{self.path} was unplugged")
            return data

    def close(self) -> None:
        self._fd = CLOSED
        with contextlib.suppress(OSError):  # an unplugged port can't be let go of in order
            self._port.close()

    def _open(self, deadline: Deadline) -> None:
        while True:
            try:
                self._port.open()
                self._fd = self._port.fileno()
                # The lock is advice that other programs may ignore; this keeps them out.
                fcntl.ioctl(self._fd, termios.TIOCEXCL)
                return
            except OSError as exc:
                self.close()
                holders = _holders(self.path) if _is_locked(exc) else {}
                if not _is_locked(exc):
                    raise
                if set(holders) == {os.getpid()}:
                    try:
                        left_s = deadline.left_s()
                    except TimeoutError:
                        left_s = 0.0
                    if left_s > LOCKED_RETRY_S:
                        select.select([], [], [], LOCKED_RETRY_S)
                        continue
                raise PortLockedError(errno.EBUSY, _locked_text(holders)) from exc


def serial_opener(path: str, line: Line) -> Callable[[Deadline], SerialLink]:
    """Opens links to one port."""
    return lambda deadline: SerialLink(path, line, deadline)


def _is_locked(error: OSError) -> bool:
    return error.errno in (errno.EAGAIN, errno.EBUSY)


def _locked_text(holders: dict[int, str]) -> str:
    if os.getpid() in holders:
        return "the port is in use by another device of this agent"
    if holders:
        named = ", ".join(f"{name} (process {pid})" for pid, name in sorted(holders.items())[:3])
        return f"the port is locked by {named}: stop it, a port serves one program at a time"
    return (
        "the port is locked by another program, perhaps of another user: "
        "look with: sudo fuser -v PORT"
    )


def _holders(path: str) -> dict[int, str]:
    """Process number and name of those who have the port open, as far as we may see."""
    found: dict[int, str] = {}
    try:
        device = os.stat(path).st_rdev  # noqa: PTH116 - of what the path leads to
    except OSError:
        return found
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended, or belongs to another user
            for each in (process / "fd").iterdir():
                if _is_port(each, device):
                    found[int(process.name)] = (process / "comm").read_text().strip()
                    break
    return found


def _is_port(descriptor: Path, device: int) -> bool:
    try:
        return bool(device) and descriptor.stat().st_rdev == device
    except OSError:
        return False


@contextlib.contextmanager
def _port_errors(path: str) -> Iterator[None]:
    """Name what is wrong with a port, and what to do about it."""
    try:
        yield
    except PortLockedError:
        raise
    except PermissionError as exc:
        raise PermissionError(exc.errno, _permission_text(path)) from exc
    except OSError as exc:  # pyserial's errors are among them, some without a number
        match exc.errno:
            case errno.EACCES | errno.EPERM:
                raise PermissionError(exc.errno, _permission_text(path)) from exc
            case errno.ENOENT | errno.ENODEV | errno.ENXIO:
                text = "no such serial port; is the device plugged in? see: agent discover"
                raise OSError(exc.errno, text) from exc
            case errno.EIO:
                raise OSError(errno.EIO, "the serial port does not answer, unplug it") from exc
            case errno.ENOTTY | None:
                raise OSError(errno.ENOTTY, "it is no serial port") from exc
        raise OSError(exc.errno, f"it can't be opened: {os.strerror(exc.errno)}") from exc
    except termios.error as exc:
        raise OSError(errno.ENOTTY, "it is no serial port") from exc


def _permission_text(path: str) -> str:
    import grp

    try:
        group = grp.getgrgid(os.stat(path).st_gid).gr_name  # noqa: PTH116
    except (OSError, KeyError):
        group = "dialout"
    return (
        f"permission denied: serial ports belong to the group {group!r}; "
        f"run: sudo usermod -aG {group} $USER, then log in again"
    )


@contextlib.contextmanager
def _gone(path: str) -> Iterator[None]:
    """An unplugged port fails in many ways."""
    try:
        yield
    except (TimeoutError, ConnectionError):
        raise
    except (OSError, TypeError, ValueError) as exc:  # closed ports have no descriptor
        raise ConnectionAbortedError(f"{path} was unplugged") from exc
