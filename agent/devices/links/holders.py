"""Who has a serial port open, as far as /proc shows it."""

import contextlib
import os
from pathlib import Path
from typing import Final

AGENT: Final = "the agent"
OURS: Final = "the port is in use by another device of this agent"


def is_ours(path: str) -> bool:
    """Whether this process has the port open: one of its devices, or one that only looks."""
    try:
        device = os.stat(path).st_rdev  # noqa: PTH116 - of what the path leads to
        return any(_is_port(each, device) for each in Path("/proc/self/fd").iterdir())
    except OSError:
        return False


def locked_text(path: str) -> str:
    """Who holds a port, and what to do about it."""
    holders = _holders(path)
    others = {pid: name for pid, name in holders.items() if pid != os.getpid()}
    for pid, name in others.items():
        if name == AGENT:
            return f"the agent (process {pid}) polls what is at the port, see: agent status"
    if others:
        named = ", ".join(f"{name} (process {pid})" for pid, name in sorted(others.items())[:3])
        return f"the port is locked by {named}: stop it, a port serves one program at a time"
    if holders:
        return OURS
    return (
        "the port is locked by another program, perhaps of another user: "
        f"look with: sudo fuser -v {path}"
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
                    found[int(process.name)] = _name(process)
                    break
    return found


def _is_port(descriptor: Path, device: int) -> bool:
    try:
        return bool(device) and descriptor.stat().st_rdev == device
    except OSError:
        return False


def _name(process: Path) -> str:
    """What people call a program."""
    words = (process / "cmdline").read_bytes().split(b"\0")
    program = next((word for word in words if word.rpartition(b"/")[2] == b"agent"), None)
    if program is not None and b"run" in words[words.index(program) :]:
        return AGENT
    return (process / "comm").read_text().strip()
