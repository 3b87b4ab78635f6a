"""What is at the other side of a serial port, and other programs that hold it."""

import os
import subprocess
import sys
import tty
from collections.abc import Iterator
from contextlib import contextmanager

HOLDER = """
import fcntl, os, sys
port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
fcntl.flock(port, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


class FarEnd:
    """The other end of a pseudo-terminal, in the hands of the test."""

    def __init__(self) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        os.close(slave)
        self._is_plugged = True

    def write(self, data: bytes) -> None:
        os.write(self.master, data)

    def read(self) -> bytes:
        return os.read(self.master, 4096)

    def unplug(self) -> None:
        if self._is_plugged:
            os.close(self.master)
        self._is_plugged = False


@contextmanager
def held_by_a_program(path: str) -> Iterator[int]:
    """Another program has the port locked; its process number."""
    command = [sys.executable, "-c", HOLDER, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdout.readline()
        try:
            yield holder.pid
        finally:
            holder.stdin.close()
