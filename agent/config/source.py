"""Where the configuration is, and its text: files read with suspicion."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.config.faults import Fault, FaultyConfigError, ReferencedText, Unresolved, shown

DEFAULT_FILES = (Path("agent.toml"), Path("/etc/agent/agent.toml"))
SIZE_LIMIT = 4 * 1024 * 1024  # bytes; ten thousand S7 tags are about one
SECRET_LIMIT = 64 * 1024
DEPTH_LIMIT = 32  # of tables in tables that are looked through for references; 4 are in use


def find(files: Sequence[Path] = DEFAULT_FILES) -> Path | None:
    """The first of the default files that is there, be it readable or not."""
    for file in files:
        try:
            file.stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            pass  # reading it says what is wrong
        return file
    return None


def _text(file: Path, limit: int) -> str:
    """The text of a file, without the byte order mark that some editors add.

    Raises:
        ValueError: With a text for the user.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as exc:
        raise ValueError(f"cannot be read: {exc.strerror or exc}") from exc
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
        text = _text(file, SIZE_LIMIT)
    except ValueError as exc:
        raise FaultyConfigError([Fault(str(file), str(exc))]) from exc
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        why = str(exc)
        error: Exception = exc
    except ValueError as exc:  # Python's own limit of digits
        why, error = "a number has too many digits", exc
    except RecursionError as exc:
        why, error = "too many brackets in brackets", exc
    raise FaultyConfigError([Fault(str(file), f"not TOML: {why}")]) from error


def resolve(value: Any, folder: Path, environ: Mapping[str, str], depth: int = 0) -> Any:
    """``value`` with its ``{ env = "NAME" }`` and ``{ file = "path" }`` replaced by their texts.

    A reference that leads nowhere becomes ``Unresolved``, which no option takes.
    """
    if depth > DEPTH_LIMIT:
        return value
    if isinstance(value, list):
        return [resolve(each, folder, environ, depth + 1) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and depth:
        ((word, name),) = value.items()
        if word == "env" and isinstance(name, str):
            return _variable(name, environ)
        if word == "file" and isinstance(name, str):
            return _file(name, folder)
    return {key: resolve(each, folder, environ, depth + 1) for key, each in value.items()}


def _variable(name: str, environ: Mapping[str, str]) -> ReferencedText | Unresolved:
    if name not in environ:
        return Unresolved(f"environment variable {shown(name)} is not set")
    return ReferencedText(environ[name])


def _file(name: str, folder: Path) -> ReferencedText | Unresolved:
    try:
        path = folder / Path(name).expanduser()
        return ReferencedText(_text(path, SECRET_LIMIT).rstrip("\r\n"))
    except (ValueError, RuntimeError) as exc:  # RuntimeError: the home of nobody
        return Unresolved(f"file {shown(name)}: {exc}")
