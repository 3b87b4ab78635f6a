"""Keeps the agent away while its store is written to by somebody else, and says how to stop it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.errors import AgentError
from agent.state import DataLock, is_locked, read

USER_SERVICE = re.compile(r"/user@\d+\.service/.*\bagent\.service")
SERVICE = re.compile(r"/agent\.service\b")


@contextmanager
def alone(data_dir: Path) -> Iterator[None]:
    """Hold a data folder as an agent does.

    Raises:
        AgentError: One runs; with the command that stops it.
    """
    if is_locked(data_dir):
        raise AgentError(
            f"{data_dir} is in use by an agent or another import, and one at a time can write "
            f"there: stop it with: {stop_command(data_dir)}"
        )
    lock = DataLock(data_dir)
    lock.hold()
    try:
        yield
    finally:
        lock.release()


def stop_command(data_dir: Path) -> str:
    """What stops the agent of a data folder, as far as that can be told."""
    state = read(data_dir)
    pid = state.get("pid") if state else None
    if pid is None:
        return "sudo systemctl stop agent, or Ctrl+C where you started it"
    try:
        group = Path(f"/proc/{pid}/cgroup").read_text("utf-8", "replace")
    except OSError:
        group = ""
    if USER_SERVICE.search(group):
        return "systemctl --user stop agent"
    return "sudo systemctl stop agent" if SERVICE.search(group) else f"kill {pid}"
