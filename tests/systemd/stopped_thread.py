"""Stops one thread of a process that runs elsewhere, as a debugger does; the others go on.

Source: ptrace(2), PTRACE_SEIZE and PTRACE_INTERRUPT.
"""

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.agent_process import wait_for

SEIZE, INTERRUPT = 0x4206, 0x4207
ALL_CHILDREN = 0x40000000  # __WALL: threads, too


def thread_of(pid: int, name: str) -> int:
    """The number of a thread with this name in the kernel; 0 while there is none."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            if (task / "comm").read_text().rstrip("\n") == name[:15]:
                return int(task.name)
    return 0


@contextmanager
def stopped_thread(pid: int, name: str) -> Iterator[None]:
    """The thread stands still meanwhile, and goes on afterwards if it is still there."""
    thread = wait_for(lambda: thread_of(pid, name), what=f"a thread {name!r}")
    program = [sys.executable, "-m", "tests.systemd.stopped_thread", str(thread)]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "stopped\n"
        yield
    finally:
        process.kill()  # the kernel lets the thread go on
        process.communicate()


def hold(thread: int) -> None:
    """Stop it until it ends: only then does its process end, too."""
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    for request in (SEIZE, INTERRUPT):
        if ptrace(request, thread, None, None) == -1:
            raise OSError(ctypes.get_errno(), f"thread {thread} cannot be stopped")
    os.waitpid(thread, ALL_CHILDREN)
    print("stopped", flush=True)
    with suppress(ChildProcessError):
        while os.WIFSTOPPED(os.waitpid(thread, ALL_CHILDREN)[1]):
            pass


if __name__ == "__main__":
    hold(int(sys.argv[1]))
