"""A serial port that isn't there: a pseudo-terminal that can be unplugged and plugged in again."""

import contextlib
import errno
import os
import select
import threading
import tty
from collections.abc import Callable
from pathlib import Path

LOOK_S = 0.01  # how often is looked whether somebody has opened the port
FULL_S = 0.02  # how long a reader that takes nothing is left alone before the next try


class SerialSession:
    """The time between somebody opening the port and closing it."""

    def __init__(self, line: "SerialLine", master: int, ended: threading.Event) -> None:
        self._line = line
        self._master = master
        self._ended = ended
        self._received = b""

    def receive(self, size: int) -> bytes:
        """Exactly ``size`` bytes.

        Raises:
            EOFError: The port was closed or unplugged first.
        """
        while len(self._received) < size:
            self._received += self._read(4096, None) or b""
        data, self._received = self._received[:size], self._received[size:]
        return data

    def receive_some(self, limit: int, within_s: float | None) -> bytes | None:
        """What comes next, ``None`` if nothing came within the time.

        Raises:
            EOFError: The port was closed or unplugged.
        """
        if self._received:
            data, self._received = self._received[:limit], self._received[limit:]
            return data
        return self._read(limit, within_s)

    def _read(self, limit: int, within_s: float | None) -> bytes | None:
        left_s = within_s
        while not self._ended.is_set():
            wait_s = LOOK_S if left_s is None else min(LOOK_S, left_s)
            ready, _, _ = select.select([self._master], [], [], wait_s)
            if ready:
                try:
                    return os.read(self._master, limit)
                except OSError as exc:  # nobody has the port open any more
                    raise EOFError from exc
            if left_s is not None:
                left_s -= wait_s
                if left_s <= 0:
                    return None
        raise EOFError

    def send(self, data: bytes) -> None:
        """All of ``data``; ``OSError`` when the port was closed or unplugged."""
        while data:
            if self._ended.is_set() or not self._line.is_opened(self._master):
                raise OSError("the port is closed")
            try:
                data = data[os.write(self._master, data) :]
            except BlockingIOError:  # the other side does not read
                self._ended.wait(FULL_S)


class SerialLine:
    """Serves whoever opens the port, one session after the other, in a thread of its own.

    Args:
        path: A symbolic link to the port, made by ``plug()`` and taken away by ``unplug()``.
        serve: Called with each session; ends with ``EOFError`` or ``OSError`` when that does. If
            it returns, the device resets: whoever has the port open loses it, and it comes back.
    """

    def __init__(self, path: Path, serve: Callable[[SerialSession], None]) -> None:
        self.path = path
        self._serve = serve
        self._master: int | None = None
        self._ended = threading.Event()
        self._serving: threading.Thread | None = None

    @property
    def is_plugged(self) -> bool:
        """Whether the port is there."""
        return self._master is not None

    def plug(self, path: Path | None = None) -> None:
        """Make the port, at another path if one is given; twice is fine.

        Raises:
            OSError: Something else is at the path, or it can't be written.
        """
        if self.is_plugged:
            return
        self.path = path or self.path
        self._master, self._ended = self._make_port(), threading.Event()
        self._serving = threading.Thread(
            target=self._run, args=(self._ended,), name=f"serial {self.path}", daemon=True
        )
        self._serving.start()

    def unplug(self) -> None:
        """Take the port away from whoever has it open; twice is fine."""
        if self._master is None or self._serving is None:
            return
        self._ended.set()
        if self._serving is not threading.current_thread():
            self._serving.join()
        with contextlib.suppress(OSError):
            self.path.unlink()
        os.close(self._master)
        self._master = None

    def is_opened(self, master: int) -> bool:
        """Whether a program has the port open."""
        poll = select.poll()
        poll.register(master, 0)
        return not any(event & select.POLLHUP for _, event in poll.poll(0))

    def _make_port(self) -> int:
        """A new pseudo-terminal at the path; its master."""
        master, slave = os.openpty()
        link = self.path.with_name(f".{self.path.name}.new")
        try:
            tty.setraw(slave)
            os.set_blocking(master, False)
            if self.path.exists() and not self.path.is_symlink():
                raise FileExistsError(errno.EEXIST, "something else is there", str(self.path))
            link.unlink(missing_ok=True)
            link.symlink_to(os.ttyname(slave))
            link.replace(self.path)  # what a simulator that was killed has left is replaced too
        except OSError:
            os.close(master)
            raise
        finally:
            os.close(slave)
        return master

    def _run(self, ended: threading.Event) -> None:
        while not ended.is_set():
            master = self._master
            assert master is not None  # until unplug() has seen the end of this
            if not self.is_opened(master):
                ended.wait(LOOK_S)
                continue
            try:
                self._serve(SerialSession(self, master, ended))
            except (EOFError, OSError):  # the usual end of a session
                continue
            if not ended.is_set() and self.is_opened(master):
                self._master = self._make_port()
                os.close(master)
