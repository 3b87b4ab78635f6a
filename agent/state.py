"""What the running agent says of itself, in a small file that is never on the card."""

import fcntl
import hashlib
import json
import logging
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from agent.errors import AgentError
from agent.files import make_file, make_folders, open_plain

log = logging.getLogger(__name__)

SIZE_LIMIT = 16 * 1024 * 1024
MEMORY_FILE_SYSTEM = Path("/dev/shm")  # noqa: S108 - a folder of our own in it, owner checked
LOCK_NAME = "agent.lock"
SYSTEM_FOLDER = Path("/run/agent")
START_FIELD = 19  # of /proc/PID/stat behind the name: ticks from boot to the process's start


def _name(data_dir: Path) -> str:
    # Not Path.resolve(), which raises where links lead in a circle.
    return f"state-{hashlib.sha256(os.fsencode(os.path.realpath(data_dir))).hexdigest()[:16]}.json"


def memory_folders(environ: Mapping[str, str], user: int) -> Iterator[Path]:
    """Where a user's agent may keep what the next start needs, best first; mostly in memory."""
    if environ.get("RUNTIME_DIRECTORY"):  # systemd made it for us
        yield Path(environ["RUNTIME_DIRECTORY"].split(":")[0])
    if user == 0:
        yield SYSTEM_FOLDER
    if environ.get("XDG_RUNTIME_DIR"):
        yield Path(environ["XDG_RUNTIME_DIR"]) / "agent"
    yield MEMORY_FILE_SYSTEM / f"agent-{user}"


class StateFile:
    """Written by the one running agent of a data folder; gone when it stops."""

    def __init__(self, data_dir: Path, environ: Mapping[str, str] | None = None) -> None:
        self._path: Path | None = None
        self._is_failing = False
        self._start = _start_of(os.getpid())
        for folder in memory_folders(os.environ if environ is None else environ, os.getuid()):
            try:
                folder.mkdir(mode=0o755, parents=True, exist_ok=True)
                owner = folder.lstat()
                if owner.st_uid in (os.getuid(), 0) and stat.S_ISDIR(owner.st_mode):
                    self._path = folder / _name(data_dir)
                    self._replace("{}")
                    return
            except OSError:
                self._path = None

    def write(self, state: Mapping[str, Any]) -> None:
        """Replace what is said; without a place to say it, nothing happens."""
        if self._path is None:
            return
        try:
            self._replace(json.dumps({**state, "start_ticks": self._start}, ensure_ascii=True))
        except OSError as exc:
            if not self._is_failing:
                log.warning("cannot write %s, status will be old: %s", self._path, exc.strerror)
            self._is_failing = True
            return
        if self._is_failing:
            log.info("%s can be written again", self._path)
        self._is_failing = False

    def remove(self) -> None:
        """The agent stops; twice is fine."""
        if self._path is None:
            return
        try:
            self._path.unlink(missing_ok=True)
        except OSError as exc:
            log.warning("cannot remove %s: %s", self._path, exc.strerror)

    def _replace(self, text: str) -> None:
        # In memory nothing needs to be synced; the rename keeps readers from half a file.
        assert self._path is not None
        beside = self._path.with_suffix(".new")
        beside.write_text(text, "utf-8")
        beside.replace(self._path)


def read(data_dir: Path, environ: Mapping[str, str] | None = None) -> dict[str, Any] | None:
    """What the agent that runs on a data folder says, or ``None`` when none runs."""
    name = _name(data_dir)
    environ = os.environ if environ is None else environ
    folders = [*memory_folders(environ, os.getuid()), SYSTEM_FOLDER]
    for pattern, root in (("agent-*", MEMORY_FILE_SYSTEM), ("*/agent", Path("/run/user"))):
        folders += sorted(root.glob(pattern)) if root.is_dir() else []
    trusted = _trusted(data_dir)
    for folder in dict.fromkeys(folders):
        state = _read_one(folder / name, trusted)
        if state is not None:
            return state
    return None


def _trusted(data_dir: Path) -> set[int]:
    """Whose words count: anybody may write a file into memory that looks like an agent's."""
    users = {0, os.getuid()}
    try:
        users.add(data_dir.stat().st_uid)
    except OSError:
        pass
    return users


def _read_one(path: Path, trusted: set[int]) -> dict[str, Any] | None:
    try:
        with os.fdopen(open_plain(path, os.O_RDONLY), "rb") as stream:
            owner = os.fstat(stream.fileno()).st_uid
            if owner not in trusted:
                return None
            state = json.loads(stream.read(SIZE_LIMIT))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(state, dict) or not _is_running(state, owner):
        return None
    return state


def _is_running(state: Mapping[str, Any], owner: int) -> bool:
    """Whether the process that wrote a state is there: not another one with its old number."""
    pid, start = state.get("pid"), state.get("start_ticks")
    if not isinstance(pid, int) or isinstance(pid, bool) or not 0 < pid < 2**31:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        pass  # it runs as somebody else
    except OSError:
        return False
    user, now = _user_of(pid), _start_of(pid)
    return user in (owner, None) and (start is None or now is None or start == now)


def _start_of(pid: int) -> int | None:
    """When a process started, in ticks since boot; ``None`` where that cannot be read."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
        return int(text.rpartition(")")[2].split()[START_FIELD])
    except (OSError, ValueError, IndexError):
        return None


def _user_of(pid: int) -> int | None:
    """Whose a process is; ``None`` where that cannot be read."""
    try:
        text = Path(f"/proc/{pid}/status").read_text("utf-8", "replace")
        return int(text.partition("\nUid:")[2].split()[1])  # the effective one, as for files
    except (OSError, ValueError, IndexError):
        return None


class DataLock:
    """Keeps a second agent away from a data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._stream: IO[bytes] | None = None

    def hold(self) -> None:
        """Take the lock, if there is a folder to lock by now; holding it already is fine.

        To be called at the start, and again before anything is written there: the folder may be
        on a disk that comes later.

        Raises:
            AgentError: Another agent holds it. It may be gone soon: a service is to try again.
        """
        if self._stream is not None:
            return
        stream = _open_lock(self._data_dir / LOCK_NAME)
        if stream is None:
            return
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            stream.close()
            other = read(self._data_dir)
            who = f"another agent (process {other['pid']})" if other else "another agent"
            raise AgentError(
                f"{who} is running on {self._data_dir}, stop it or name another data_dir"
            ) from exc
        except OSError as exc:  # some network file systems
            log.debug("%s cannot be locked: %s", self._data_dir, exc.strerror)
        self._stream = stream

    def release(self) -> None:
        """Let the next agent in; twice is fine."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _open_lock(path: Path) -> IO[bytes] | None:
    """The file that is locked, made where that is possible; ``None`` where there is none."""
    try:
        make_folders(path.parent)
        make_file(path)
        return os.fdopen(open_plain(path, os.O_WRONLY | os.O_APPEND), "ab")
    except OSError:
        pass
    try:
        # Of another user: it can be locked all the same.
        return os.fdopen(open_plain(path, os.O_RDONLY), "rb")
    except FileNotFoundError:
        return None
    except OSError as exc:
        if path.parent.is_dir():
            log.warning("%s cannot be locked, remove it: %s", path, exc.strerror)
        return None


def is_locked(data_dir: Path) -> bool | None:
    """Whether an agent holds a data folder, be it without a word; ``None``: we may not look."""
    try:
        with os.fdopen(open_plain(data_dir / LOCK_NAME, os.O_RDONLY), "rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except PermissionError:
        return None
    except (OSError, ValueError):  # there is none, or it can't be locked on this file system
        return False
    return False
