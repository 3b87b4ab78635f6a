"""Steps that put files and links in place, and take them away again."""

import os
from collections.abc import Callable
from pathlib import Path

from agent.errors import AgentError
from agent.files import sync_folder, whole_file
from agent.service.folders import Owner, missing_folders, myself, remove_empty


class WriteFile:
    """A file with its text, owner and mode; one that is there is replaced, or kept if ``keep``."""

    def __init__(
        self,
        path: Path,
        text: str,
        mode: int,
        owner: Owner,
        *,
        sentence: str,
        keep: bool = False,
        after: Callable[[], None] | None = None,
    ) -> None:
        self._path = path
        self._text = text.encode()
        self._mode = mode
        self._owner = owner
        self._keep = keep
        self._after = after
        self._former: bytes | None = None
        self._has_begun = False
        self.sentence = sentence
        self.detail = text
        self.is_action = False

    def is_done(self) -> bool:
        try:
            return self._path.exists() and (self._keep or self._path.read_bytes() == self._text)
        except PermissionError:  # of root, and this is a dry run
            return self._keep

    def do(self) -> str:
        self._former = self._path.read_bytes() if self._path.exists() else None
        self._has_begun = True
        self._write(self._text)
        return ""

    def undo(self) -> str:
        if not self._has_begun:
            return ""
        if self._former is not None:
            self._write(self._former)
            return ""
        self._path.unlink(missing_ok=True)
        if self._after is not None:
            self._after()
        return ""

    def _write(self, content: bytes) -> None:
        owner = self._owner()
        with whole_file(self._path) as stream:
            if owner != myself():
                os.fchown(stream.fileno(), *owner)
            os.fchmod(stream.fileno(), self._mode)
            stream.write(content)
        if self._after is not None:
            self._after()


class Link:
    """A symbolic link; one that is there is replaced in one step."""

    def __init__(self, path: Path, target: str, *, sentence: str) -> None:
        self._path = path
        self._target = target
        self._former: str | None = None
        self._made: list[Path] = []
        self._has_begun = False
        self.sentence = sentence
        self.detail = ""
        self.is_action = False

    def is_done(self) -> bool:
        return link_target(self._path) == self._target

    def do(self) -> str:
        self._former = link_target(self._path)
        if self._former is None and self._path.exists():
            raise AgentError(f"{self._path} is there and is not the agent's: move it away")
        self._has_begun = True
        for folder in missing_folders(self._path.parent):
            folder.mkdir(mode=0o755)
            self._made.append(folder)
        _point(self._path, self._target)
        return ""

    def undo(self) -> str:
        if not self._has_begun:
            return ""
        if self._former is not None:
            _point(self._path, self._former)
            return ""
        self._path.unlink(missing_ok=True)
        remove_empty(self._made)
        return ""


def link_target(path: Path) -> str | None:
    """Where a symbolic link points; ``None`` where there is none."""
    try:
        return str(path.readlink())
    except OSError:
        return None


def _point(path: Path, target: str) -> None:
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    beside.symlink_to(target)
    beside.replace(path)
    sync_folder(path.parent)
