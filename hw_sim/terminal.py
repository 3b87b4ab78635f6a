"""What the simulators have in common on a terminal: lines typed, signals, errors in one line."""

import errno
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
LINE_SIZE = 4096


@contextmanager
def signals_wake() -> Iterator[socket.socket]:
    """Within it Ctrl+C and SIGTERM make the socket readable instead of ending the program."""
    wake, written = socket.socketpair()
    with wake, written:
        written.setblocking(False)
        former = {number: signal.signal(number, lambda *_: None) for number in STOP_SIGNALS}
        # In the background of a shell, reading the terminal fails instead of stopping us.
        former[signal.SIGTTIN] = signal.signal(signal.SIGTTIN, signal.SIG_IGN)
        descriptor = signal.set_wakeup_fd(written.fileno())
        try:
            yield wake
        finally:
            signal.set_wakeup_fd(descriptor)
            for number, handler in former.items():
                signal.signal(number, handler)


def run_until_stopped(
    wake: socket.socket,
    on_line: Callable[[str], None] | None = None,
    on_tick: Callable[[], None] | None = None,
    interval_s: float | None = None,
) -> None:
    """Give lines from standard input to ``on_line`` and call ``on_tick`` every interval.

    Ends with Ctrl+C or SIGTERM only: standard input may be closed, empty or a file.
    """
    typed = _standard_input() if on_line else None
    rest = b""
    while True:
        waited: list[socket.socket | int] = [wake] if typed is None else [wake, typed]
        ready, _, _ = select.select(waited, [], [], interval_s)
        if wake in ready:
            return
        if typed is not None and typed in ready:
            data = _read(typed)
            if not data:
                typed = None
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                assert on_line is not None
                on_line(line.decode(errors="replace").strip())
        elif on_tick is not None:
            on_tick()


def _standard_input() -> int | None:
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):  # closed, or replaced by a test
        return None


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, LINE_SIZE)
    except OSError:  # a terminal whose foreground is another program's
        return b""


def explain(error: OSError, host: str, port: int) -> str:
    """Why a simulator can't listen there, and what to do about it, in one line."""
    where = f"cannot listen on {host}:{port}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"{where}: the port is in use by another program: choose one with --port"
        case errno.EACCES | errno.EPERM:
            return f"{where}: ports below 1024 need root: use --port 1102, or run it with sudo"
        case errno.EADDRNOTAVAIL:
            return f"{where}: not an address of this machine: try --host 127.0.0.1 or 0.0.0.0"
    if isinstance(error, socket.gaierror):
        return f"{where}: name not known: {error.strerror}"
    return f"{where}: {error.strerror or error}"
