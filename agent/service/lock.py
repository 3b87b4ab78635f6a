"""One installation or removal at a time: two at once would undo each other's work."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.errors import AgentError
from agent.service.paths import Places

NAME = "agent-install.lock"
PID_DIGITS = 20


@contextmanager
def alone(places: Places) -> Iterator[None]:
    """Hold the lock of all that is installed here, for root or for one user.

    Raises:
        AgentError: Another one is at work.
    """
    # In /run, which is root's alone, or in the user's own: nobody else can hold it up.
    path = places.runtime.parent / NAME
    try:
        handle = _taken(os.fspath(path))
    except OSError as exc:
        raise AgentError(f"cannot write {path}: {exc.strerror}") from exc
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # while it is held: whoever opened it sees that it is gone
        os.close(handle)


def _taken(path: str) -> int:
    """The open file, locked; it is the one that lies there."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_there(handle, path):
                os.ftruncate(handle, 0)
                os.write(handle, str(os.getpid()).encode())
                return handle
        except BlockingIOError as exc:
            number = os.pread(handle, PID_DIGITS, 0).decode("ascii", "replace")
            process = f" (process {number})" if number.isdecimal() else ""
            os.close(handle)
            raise AgentError(
                f"another install-service or uninstall-service{process} is at work: wait for it"
            ) from exc
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # the one before has ended meanwhile


def _is_there(handle: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), Path(path).lstat())
    except FileNotFoundError:
        return False
