"""Log records with their fields to systemd's journal, in its own protocol.

Source: systemd, JOURNAL_NATIVE_PROTOCOL. A datagram of ``NAME=value`` lines; a value of several
lines follows its name and its length. What is too large for a datagram goes as a sealed memory
file.
"""

import errno
import fcntl
import logging
import os
import select
import socket
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

SOCKET = Path("/run/systemd/journal/socket")
IDENTIFIER = "agent"
PRIORITIES = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}
TOO_LARGE = {errno.EMSGSIZE, errno.ENOBUFS}
KEPT = 1000  # records that wait while nobody takes any
SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


def priority(level: int) -> int:
    """A level of ours as the journal counts them."""
    return PRIORITIES.get(level, 6)


def fields(record: logging.LogRecord, message: str) -> Iterator[tuple[str, str]]:
    """What the journal is to know of a record; ``message`` is its text with any traceback."""
    yield "MESSAGE", message
    yield "PRIORITY", str(priority(record.levelno))
    yield "SYSLOG_IDENTIFIER", IDENTIFIER
    yield "LOGGER", record.name
    yield "THREAD_NAME", str(record.threadName)
    yield "CODE_FILE", record.pathname
    yield "CODE_LINE", str(record.lineno)
    yield "CODE_FUNC", record.funcName or ""
    device = getattr(record, "device", None)
    if isinstance(device, str):
        yield "DEVICE", device
    if record.exc_text:
        yield "EXCEPTION", record.exc_text


def encode(name: str, value: str) -> bytes:
    """One field.

    >>> encode("DEVICE", "plc")
    b'DEVICE=plc\\n'
    >>> encode("MESSAGE", "a\\nb")
    b'MESSAGE\\n\\x03\\x00\\x00\\x00\\x00\\x00\\x00\\x00a\\nb\\n'
    """
    data = value.encode("utf-8", "replace")
    if b"\n" not in data:
        return name.encode("ascii") + b"=" + data + b"\n"
    return name.encode("ascii") + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"


class JournalHandler(logging.Handler):
    """Sends records to the journal, and where that fails, prefixed lines to a stream.

    It never waits: what neither takes at once is kept and goes before the next record.

    Args:
        stream: Leads to the journal, too; systemd reads levels from the lines' beginnings.
        as_lines: A record as such lines.
    """

    def __init__(
        self,
        stream: IO[str],
        as_lines: Callable[[logging.LogRecord], str],
        path: Path = SOCKET,
    ) -> None:
        super().__init__()
        self._stream = stream
        self._as_lines = as_lines
        self._path = str(path)
        self._socket: socket.socket | None = None
        self._kept: deque[tuple[bytes, str]] = deque()
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        try:
            lines = self._as_lines(record) + "\n"
            message = self.format(record)  # sets the text of the exception, too
            data = b"".join(encode(*field) for field in fields(record, message))
            self._keep(data, lines)
            self._send_kept()
        except Exception:  # noqa: BLE001 - as every handler does: a log line must not fail a poll
            self.handleError(record)

    def close(self) -> None:
        self._send_kept()
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        super().close()

    def _keep(self, data: bytes, lines: str) -> None:
        if len(self._kept) >= KEPT:
            self._kept.popleft()
            self._lost += 1
        self._kept.append((data, lines))

    def _send_kept(self) -> None:
        while self._kept:
            data, lines = self._kept[0]
            if not self._send(data) and not self._write(lines):
                return
            self._kept.popleft()
        if self._lost:
            text = f"{self._lost} log messages were lost, the journal took none"
            self._lost = 0
            self._write(f"<4>{text}\n")

    def _send(self, data: bytes) -> bool:
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._socket.setblocking(False)
            try:
                self._socket.sendto(data, self._path)
            except OSError as exc:
                if exc.errno not in TOO_LARGE:
                    raise
                self._send_file(self._socket, data)
        except OSError:
            return False
        return True

    def _send_file(self, sender: socket.socket, data: bytes) -> None:
        handle = os.memfd_create("journal", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            with os.fdopen(handle, "wb", closefd=False) as stream:
                stream.write(data)
            fcntl.fcntl(handle, fcntl.F_ADD_SEALS, SEALS)
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handle.to_bytes(4, "little"))]
            sender.sendmsg([], rights, 0, self._path)
        finally:
            os.close(handle)

    def _write(self, lines: str) -> bool:
        try:
            _, ready, _ = select.select([], [self._stream], [], 0)
            if not ready:
                return False
            self._stream.write(lines)
            self._stream.flush()
        except (OSError, ValueError):  # closed, or nobody reads it
            return False
        return True
