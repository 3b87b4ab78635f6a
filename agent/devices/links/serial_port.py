"""Serial links for drivers: exclusive, in time, with errors that say what to do."""

import contextlib
import errno
import fcntl
import math
import os
import select
import stat
import termios
from collections.abc import Callable, Iterator
from typing import Annotated, Final

import attrs

from agent.clock import Deadline
from agent.config.options import Between, Length, OneOf
from agent.devices.links.holders import OURS, is_ours, locked_text
from agent.devices.links.usb import PSEUDO_MAJORS

CLOSED: Final = -1
LOCKED_RETRY_S: Final = 0.05  # another of our drivers may be looking what is at this port
GROUP_USES: Final = stat.S_IRGRP | stat.S_IWGRP
UNPLUGGED: Final = "it was unplugged"

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

    def __str__(self) -> str:
        """As terminal programs write it.

        >>> str(Line(9600, "even", 1))
        '9600 baud 8E1'
        """
        return f"{self.baud} baud {self.data_bits}{self.parity[0].upper()}{self.stop_bits:g}"


class SerialLink:
    """A link over an open serial port; ``path`` may be a symbolic link such as those by-id."""

    def __init__(
        self, path: str, line: Line, deadline: Deadline, *, is_patient: bool = True
    ) -> None:
        """Open and lock it; a port that one of our own holds is waited for within the deadline.

        Args:
            is_patient: False: a locked port is an error at once, and nobody looks who holds it.

        Raises:
            PortLockedError: Held by another program, which is named where that can be seen.
            OSError: No such port, no permission, no serial port.
        """
        import serial

        self.path = path
        self._port = serial.Serial(
            baudrate=line.baud,
            bytesize=line.data_bits,
            parity={"none": "N", "even": "E", "odd": "O"}[_parity(path, line)],
            stopbits=line.stop_bits,
            timeout=0,
            exclusive=True,
        )
        self._port.port = path
        self._fd = CLOSED
        self._poll = select.poll()
        with _port_errors(path, line):
            self._open(deadline if is_patient else None)

    def send(self, data: bytes, deadline: Deadline) -> None:
        with _gone():
            while data:
                if not self._is_ready(select.POLLOUT, deadline.left_s()):
                    raise TimeoutError(f"nothing could be sent within {deadline.timeout_s:g} s")
                with contextlib.suppress(BlockingIOError):
                    data = data[os.write(self._fd, data) :]

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        while True:
            if self._is_ready(select.POLLIN, deadline.left_s()):
                data = self._read(limit)
                if data:
                    return data

    def receive_now(self, limit: int) -> bytes:
        return self._read(limit) if self._is_ready(select.POLLIN, 0) else b""

    def close(self) -> None:
        self._forget_unsent()
        self._fd = CLOSED
        with contextlib.suppress(OSError):  # an unplugged port can't be let go of in order
            self._port.close()

    def _forget_unsent(self) -> None:
        """Else closing waits until the device takes it: 30 s by default, whatever the deadline.

        A pseudo-terminal waits for nobody, and would lose what it was sent just now.
        """
        with contextlib.suppress(OSError, termios.error):
            if self._fd != CLOSED and not self._is_pseudo():
                termios.tcflush(self._fd, termios.TCIOFLUSH)

    def _is_pseudo(self) -> bool:
        return os.major(os.fstat(self._fd).st_rdev) in PSEUDO_MAJORS

    def _is_ready(self, event: int, within_s: float) -> bool:
        """Also when it was unplugged, which the next step then finds."""
        with _gone():
            self._poll.register(self._fd, event)
            return bool(self._poll.poll(math.ceil(within_s * 1000)))

    def _read(self, limit: int) -> bytes:
        with _gone():
            try:
                data = os.read(self._fd, limit)
            except BlockingIOError:
                return b""
            if not data:
                raise ConnectionAbortedError(UNPLUGGED)
            return data

    def _open(self, deadline: Deadline | None) -> None:
        """Wait for a lock of ours until the deadline, if there is one."""
        is_ours_now = True
        while True:
            try:
                self._port.open()
                self._fd = self._port.fileno()
                self._keep_others_out()
                return
            except OSError as exc:
                self.close()
                if exc.errno not in (errno.EAGAIN, errno.EBUSY):
                    raise
                if deadline is None:
                    raise PortLockedError(errno.EBUSY, "the port is locked") from exc
                was_ours, is_ours_now = is_ours_now, is_ours(self.path)
                has_time = pause(LOCKED_RETRY_S if is_ours_now else 0.0, deadline)
                # One of ours may have let go of it in between: another program has it two times.
                if not has_time or not (is_ours_now or was_ours):
                    text = OURS if is_ours_now else locked_text(self.path)
                    raise PortLockedError(errno.EBUSY, text) from exc

    def _keep_others_out(self) -> None:
        """The lock is advice that other programs may ignore; this they can't.

        A pseudo-terminal would stay closed to everybody after its program was killed.
        """
        if not self._is_pseudo():
            fcntl.ioctl(self._fd, termios.TIOCEXCL)


def _parity(path: str, line: Line) -> str:
    """That of the line; a pseudo-terminal has none, and the second opening with one fails."""
    try:
        device = os.stat(path).st_rdev  # noqa: PTH116 - of what the path leads to
    except OSError:  # opening says what is wrong
        return line.parity
    return "none" if os.major(device) in PSEUDO_MAJORS else line.parity


def serial_opener(path: str, line: Line) -> Callable[[Deadline], SerialLink]:
    """Opens links to one port."""
    return lambda deadline: SerialLink(path, line, deadline)


def pause(seconds: float, deadline: Deadline) -> bool:
    """Wait before a locked port is tried again; False when there is no time left for that."""
    try:
        if deadline.left_s() <= seconds:
            return False
    except TimeoutError:
        return False
    select.select([], [], [], seconds)
    return True


@contextlib.contextmanager
def _port_errors(path: str, line: Line) -> Iterator[None]:
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
        if exc.args[0] == errno.EINVAL:
            raise OSError(errno.EINVAL, f"it can't be set to {line}") from exc
        raise OSError(errno.ENOTTY, "it is no serial port") from exc


def _permission_text(path: str) -> str:
    import grp

    try:
        status = os.stat(path)  # noqa: PTH116
        group = grp.getgrgid(status.st_gid).gr_name
        is_open = status.st_mode & GROUP_USES == GROUP_USES
    except (OSError, KeyError):
        group, is_open = "dialout", True
    if group == "root" or not is_open:
        return f"permission denied: only its owner may use it; see: ls -l {path}"
    return (
        f"permission denied: serial ports belong to the group {group!r}; "
        f"run: sudo usermod -aG {group} $USER, then log in again"
    )


@contextlib.contextmanager
def _gone() -> Iterator[None]:
    """An unplugged port fails in many ways."""
    try:
        yield
    except (TimeoutError, ConnectionError):
        raise
    except (OSError, TypeError, ValueError) as exc:  # closed ports have no descriptor
        raise ConnectionAbortedError(UNPLUGGED) from exc
