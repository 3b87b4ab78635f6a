"""A small file system of memory in a mount namespace of its own, gone with the test."""

import functools
import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.agent_process import wait_for

BALLAST = "ballast"


def unshare_command() -> list[str]:
    """Root needs no user namespace; others become root in one."""
    return ["unshare", "-m" if os.getuid() == 0 else "-rm", "--propagation", "private"]


@functools.cache
def missing_disk() -> str:
    """Why no file system can be mounted here; empty when one can."""
    if not (shutil.which("unshare") and shutil.which("nsenter")):
        return "unshare and nsenter are not installed (apt install util-linux)"
    mount = ["sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"]
    done = subprocess.run([*unshare_command(), *mount], capture_output=True, text=True, check=False)
    return f"nothing can be mounted here: {done.stderr.strip()}" if done.returncode else ""


class SmallDisk:
    """A tmpfs on ``path``, which only commands behind ``prefix`` see.

    Whoever stands outside sees its files below ``outside``; SQLite does not, as it resolves the
    link in that path. Killing ``_holder`` ends the namespace, and with it the mount.
    """

    def __init__(self, path: Path, size: str = "8m", *, is_mounted: bool = True) -> None:
        path.mkdir()
        self.path = path
        self._size = size
        self._holder = subprocess.Popen(
            [*unshare_command(), "sh", "-c", "echo ready; exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "ready\n"
        namespaces = ["-m"] if os.getuid() == 0 else ["-U", "-m", "--preserve-credentials"]
        self.prefix = ("nsenter", "-t", str(self._holder.pid), *namespaces, "--")
        if is_mounted:
            self.mount()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._holder.kill()
        self._holder.communicate()

    @property
    def outside(self) -> Path:
        """The mounted folder as seen by everybody else."""
        return Path(f"/proc/{self._holder.pid}/root{self.path}")

    def mount(self) -> None:
        self.run("mount", "-t", "tmpfs", "-o", f"size={self._size}", "tmpfs", str(self.path))

    def make_read_only(self) -> None:
        """For whoever opens a file from now on; the kernel keeps open ones as they are."""
        self.run("mount", "--bind", str(self.path), str(self.path))
        self.run("mount", "-o", "remount,bind,ro", str(self.path))

    def make_writable(self) -> None:
        """End ``make_read_only()``, at a moment in which nobody has a file open there."""
        command = [*self.prefix, "umount", str(self.path)]
        wait_for(
            lambda: subprocess.run(command, capture_output=True).returncode == 0, what="umount"
        )

    def fill(self) -> None:
        """Not one more byte fits."""
        script = f"cat /dev/zero >> {self.path / BALLAST} 2>/dev/null; true"
        wait_for(lambda: self.run("sh", "-c", script) and self.free_bytes() == 0, what="full")

    def free(self) -> None:
        """Take away what ``fill()`` put there."""
        self.run("rm", "-f", str(self.path / BALLAST))

    def free_bytes(self) -> int:
        """What still fits."""
        found = os.statvfs(self.outside)
        return found.f_bavail * found.f_frsize

    def copy_out(self, name: str, to: Path) -> Path:
        """A file of the disk, whose writer has ended."""
        return Path(shutil.copy(self.outside / name, to))

    def run(self, *command: str) -> bool:
        """Run a command inside; always true."""
        subprocess.run([*self.prefix, *command], check=True, capture_output=True)
        return True
