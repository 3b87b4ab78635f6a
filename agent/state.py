"""What the running agent says of itself, in a small file that is never on the card."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from agent.errors import ConfigError

SIZE_LIMIT = 16 * 1024 * 1024
MEMORY_FILE_SYSTEM = Path("/dev/shm")  # noqa: S108 - a folder of our own in it, owner checked
SYSTEM_FOLDER = Path("/run/agent")


def _name(data_dir: Path) -> str:
    return f"state-{hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:16]}.json"


def _folders(environ: Mapping[str, str], user: int) -> Iterator[Path]:
    """Where a user's agent may keep its state, best first; all but the last are in memory."""
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
        for folder in _folders(os.environ if environ is None else environ, os.getuid()):
            try:
                folder.mkdir(mode=0o755, parents=True, exist_ok=True)
                owner = folder.lstat()
                if owner.st_uid in (os.getuid(), 0) and not folder.is_symlink():
                    self._path = folder / _name(data_dir)
                    self._write("{}")
                    return
            except OSError:
                self._path = None

    def write(self, state: Mapping[str, Any]) -> None:
        """Replace what is said; without a place to say it, nothing happens."""
        if self._path is not None:
            self._write(json.dumps(state, ensure_ascii=False))

    def remove(self) -> None:
        """The agent stops; twice is fine."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _write(self, text: str) -> None:
        # In memory nothing needs to be synced; the rename keeps readers from half a file.
        assert self._path is not None
        beside = self._path.with_suffix(".new")
        beside.write_text(text, "utf-8")
        beside.replace(self._path)


def read(data_dir: Path, environ: Mapping[str, str] | None = None) -> dict[str, Any] | None:
    """What the agent that runs on a data folder says, or ``None`` when none runs."""
    name = _name(data_dir)
    environ = os.environ if environ is None else environ
    folders = [*_folders(environ, os.getuid()), SYSTEM_FOLDER]
    for pattern, root in (("agent-*", MEMORY_FILE_SYSTEM), ("*/agent", Path("/run/user"))):
        folders += sorted(root.glob(pattern)) if root.is_dir() else []
    for folder in dict.fromkeys(folders):
        state = _read_one(folder / name)
        if state is not None:
            return state
    return None


def _read_one(path: Path) -> dict[str, Any] | None:
    try:
        with path.open("rb") as stream:
            state = json.loads(stream.read(SIZE_LIMIT))
        pid = state["pid"]
        os.kill(pid, 0)
    except PermissionError:
        pass  # it runs as somebody else
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return state if isinstance(state, dict) else None


class DataLock:
    """Keeps a second agent away from a data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._stream: IO[bytes] | None = None
        path = data_dir / "agent.lock"
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            self._stream = path.open("ab")
        except OSError:
            return  # the folder can't be written: the store says so, and goes on trying
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            self._stream.close()
            other = read(data_dir)
            who = f"another agent (process {other['pid']})" if other else "another agent"
            raise ConfigError(
                f"{who} is running on {data_dir}, stop it or name another data_dir"
            ) from exc

    def release(self) -> None:
        """Let the next agent in; twice is fine."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
