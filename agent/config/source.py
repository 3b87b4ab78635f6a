"""Where the configuration is, and its text: files read with suspicion."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.config.faults import Fault, FaultyConfigError
from agent.config.structure import ReferencedText

DEFAULT_FILES = (Path("agent.toml"), Path("/etc/agent/agent.toml"))
SIZE_LIMIT = 4 * 1024 * 1024  # bytes; ten thousand S7 tags are about one
SECRET_LIMIT = 64 * 1024


def find(files: Sequence[Path] = DEFAULT_FILES) -> Path | None:
    """The first of the default files that exists."""
    return next((file for file in files if file.exists()), None)


def _text(file: Path, limit: int) -> str:
    """The text of a file, without the byte order mark that some editors add.

    Raises:
        ValueError: With a text for the user.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as exc:
        raise ValueError(f"cannot be read: {exc.strerror}") from exc
    if len(data) > limit:
        raise ValueError(f"larger than {limit} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data[: exc.start].count(b"\n") + 1
        raise ValueError(f"line {line}: not UTF-8, save it with that encoding") from exc


def read_table(file: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        FaultyConfigError: The file cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(_text(file, SIZE_LIMIT))
    except tomllib.TOMLDecodeError as exc:
        raise FaultyConfigError([Fault(str(file), f"not TOML: {exc}")]) from exc
    except ValueError as exc:
        raise FaultyConfigError([Fault(str(file), str(exc))]) from exc


class References:
    """Puts ``{ env = "NAME" }`` and ``{ file = "path" }`` values in their places."""

    def __init__(self, source: str, folder: Path, environ: Mapping[str, str]) -> None:
        self._source = source
        self._folder = folder
        self._environ = environ
        self.faults: list[Fault] = []

    def resolve(self, value: Any, key: str = "") -> Any:
        """``value`` with every reference in it replaced by the text that it names."""
        if isinstance(value, list):
            return [self.resolve(each, f"{key}[{n}]") for n, each in enumerate(value, 1)]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((word, name),) = value.items()
            if word in ("env", "file") and isinstance(name, str) and key:
                return self._referenced(word, name, key)
        return {k: self.resolve(v, f"{key}.{k}" if key else k) for k, v in value.items()}

    def _referenced(self, word: str, name: str, key: str) -> str:
        if word == "env":
            if name not in self._environ:
                text = f"{key}: environment variable {name!r} is not set"
                self.faults.append(Fault(self._source, text))
            return ReferencedText(self._environ.get(name, ""))
        try:
            return ReferencedText(_text(self._folder / name, SECRET_LIMIT).rstrip("\r\n"))
        except ValueError as exc:
            self.faults.append(Fault(self._source, f"{key}: file {name!r}: {exc}"))
            return ReferencedText("")
