"""Stops one thread of another process, as a hung disk, driver or lock does; Linux only.

Source: ptrace(2). The tracer is the thread that calls; it must be the one that lets go.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.agent_process import wait_for

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WAIT_ALL = 0x40000000  # __WALL: threads, too
LIBC = ctypes.CDLL(None, use_errno=True)


def thread_of(pid: int, name: str) -> int:
    """The number of the thread that has this name in the kernel."""

    def found() -> int | None:
        for path in Path(f"/proc/{pid}/task").iterdir():
            if (path / "comm").read_text() == f"{name}\n":
                return int(path.name)
        return None

    number: int = wait_for(found, what=f"a thread named {name!r}")
    return number


@contextmanager
def stopped(pid: int, name: str) -> Iterator[None]:
    """One thread stands still, while it waits in the kernel: there it keeps no lock of Python's."""
    thread = thread_of(pid, name)
    wait_for(lambda: _stop(pid, thread), what=f"{name!r} waits")
    try:
        yield
    finally:
        _ask(PTRACE_DETACH, thread)


def _stop(pid: int, thread: int) -> bool:
    _ask(PTRACE_SEIZE, thread)
    _ask(PTRACE_INTERRUPT, thread)
    os.waitpid(thread, WAIT_ALL)
    if not Path(f"/proc/{pid}/task/{thread}/syscall").read_text().startswith("-1"):
        return True
    _ask(PTRACE_DETACH, thread)  # it computes: all others would wait for the interpreter
    return False


def _ask(request: int, thread: int) -> None:
    # Without types ctypes hands on 32 bits of what are addresses.
    none = ctypes.c_void_p(0)
    if LIBC.ptrace(ctypes.c_long(request), ctypes.c_int(thread), none, none) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
