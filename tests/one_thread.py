"""Stops one thread of another process, as a hung disk, driver or lock does; Linux only.

Run as a program it holds the thread that its arguments name. That is a program of its own because
the kernel keeps a thread that was killed for the one who stopped it, and its process as long: that
one has to wait for it. Source: ptrace(2).
"""

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.agent_process import wait_for

ROOT = Path(__file__).parent.parent
DETACH, SEIZE, INTERRUPT = 17, 0x4206, 0x4207
WAIT_ALL = 0x40000000  # __WALL: threads, too
NAME_LENGTH = 15  # of a thread, in the kernel
PTRACE = ctypes.CDLL(None, use_errno=True).ptrace
PTRACE.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
PTRACE.restype = ctypes.c_long


@contextmanager
def stopped(pid: int, name: str) -> Iterator[None]:
    """One thread stands still, while it waits in the kernel: there it keeps no lock of Python's.

    It goes on afterwards, if it is still there.
    """
    thread = wait_for(lambda: thread_of(pid, name), what=f"a thread {name!r}")
    program = [sys.executable, "-m", "tests.one_thread", str(pid), str(thread)]
    process = subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "stopped\n"
        yield
    finally:
        process.kill()  # the kernel lets the thread go on
        process.communicate()


def thread_of(pid: int, name: str) -> int:
    """The number of the thread that has this name in the kernel; 0 while there is none."""
    for path in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # it has ended meanwhile
            if (path / "comm").read_text() == f"{name[:NAME_LENGTH]}\n":
                return int(path.name)
    return 0


def hold(pid: int, thread: int) -> None:
    """Stop it until it ends: only then does its process end, too."""
    wait_for(lambda: _stop(pid, thread), what="a thread that waits")
    print("stopped", flush=True)
    with suppress(ChildProcessError):
        while os.WIFSTOPPED(os.waitpid(thread, WAIT_ALL)[1]):
            pass


def _stop(pid: int, thread: int) -> bool:
    _ask(SEIZE, thread)
    _ask(INTERRUPT, thread)
    os.waitpid(thread, WAIT_ALL)
    if not Path(f"/proc/{pid}/task/{thread}/syscall").read_text().startswith("-1"):
        return True
    _ask(DETACH, thread)  # it computes: all others would wait for the interpreter
    return False


def _ask(request: int, thread: int) -> None:
    if PTRACE(request, thread, None, None) == -1:
        raise OSError(ctypes.get_errno(), f"thread {thread}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    hold(*map(int, sys.argv[1:]))
