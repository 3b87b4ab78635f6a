"""Where the configuration is, and its text: files read with suspicion."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from agent.access import how_to_read
from agent.config.faults import (
    FOUND_LIMIT,
    Fault,
    FaultyConfigError,
    ReferencedText,
    Unresolved,
    shown,
)
from agent.config.schema import SECTIONS, DeviceSection

HERE, OF_THE_MACHINE = Path("agent.toml"), Path("/etc/agent/agent.toml")
SIZE_LIMIT = 4 * 1024 * 1024  # bytes; ten thousand S7 tags are about one
SECRET_LIMIT = 64 * 1024
DEPTH_LIMIT = 32  # of tables in tables that are looked through for references; 4 are in use
REFERENCES = ("env", "file")
POSITION = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]")
KEY = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=\s*(.*)")
SECRET = re.compile(r"pass|token|secret|key|pwd|credential|kennwort", re.IGNORECASE)
# What stands where a value belongs, and what to write in its place; the first that fits is it.
VALUE_HINTS = tuple(
    (re.compile(rf"(?:{pattern})\s*(?:#.*)?"), hint)
    for pattern, hint in (
        (r"", "there is no value behind the ="),
        (r"[^\"']*[\u2018-\u201f\u00ab\u00bb].*", 'quotes are straight ones: "'),
        (r"[-+]?\d+,\d+", "a number has a decimal point, not a comma"),
        (r"(?i:yes|no|on|off|true|false|ja|nein)", "it is true or false, in small letters"),
        (r"(?i:none|null|nil)", "there is no such value, leave the line out"),
        (r"[-+]?\.\d+|[-+]?\d+\.", "a number has digits on both sides of its decimal point"),
        (r"[-+]?\d[\d.]*\s*[A-Za-z%°]+", "a number stands alone, without its unit"),
        (r"0\d+", "a number does not begin with 0"),
        (r"[^\W\d_][^\"']*|[~/.][^\"']*|\d+[.:]\d+[.:\d]*", "a text needs quotes around it"),
    )
)


def default_files(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Where a configuration is looked for: here, the user's own, the machine's."""
    own = environ.get("XDG_CONFIG_HOME") or (environ.get("HOME") and f"{environ['HOME']}/.config")
    return (HERE, *([Path(own, "agent/agent.toml")] if own else []), OF_THE_MACHINE)


def hidden_by_here(named: Path | None, machine: Path = OF_THE_MACHINE) -> Path | None:
    """The machine's configuration, if there is one and nobody named the one of this folder."""
    if named is not None or os.environ.get("AGENT_CONFIG"):
        return None
    return machine if find([machine]) else None


def find(files: Sequence[Path] | None = None) -> Path | None:
    """The first of the default files that is there, be it readable or not."""
    for file in default_files(os.environ) if files is None else files:
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
        hint = how_to_read(file) if isinstance(exc, PermissionError) else ""
        text = f"cannot be read: {exc.strerror or exc}"
        raise ValueError(f"{text}; {hint}" if hint else text) from exc
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
    error: Exception
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        why, error = _explained(text, str(exc)), exc
    except ValueError as exc:  # Python's own limit of digits
        why, error = "not TOML: a number has too many digits", exc
    except RecursionError as exc:
        why, error = "not TOML: too many brackets in brackets", exc
    else:
        strays = [Fault(str(file), stray) for stray in _strays(table)]
        if strays:
            raise FaultyConfigError(strays)
        return table
    raise FaultyConfigError([Fault(str(file), why)]) from error


def _strays(table: Mapping[str, Any]) -> Iterator[str]:
    """A text for each key above the first section that one of the sections has."""
    homes = {field.name: "a [[device]]" for field in attrs.fields(DeviceSection)}
    for name, section in SECTIONS.items():
        homes |= {field.name: f"[{name}]" for field in attrs.fields(section)}
    for key, value in table.items():
        is_reference = isinstance(value, dict) and [*value] in ([word] for word in REFERENCES)
        is_list = isinstance(value, list) and all(isinstance(each, dict) for each in value)
        if key in homes and (is_reference or not (isinstance(value, dict) or is_list)):
            yield f"{key!r} stands outside of any section; it belongs in {homes[key]}"


def _explained(text: str, why: str) -> str:
    """What is wrong with a text that is no TOML: which line, that line, and what it may need."""
    position = POSITION.search(why)
    lines = text.split("\n")
    number = int(position[1]) if position and position[1] else len(text.rstrip().split("\n"))
    why = why[: position.start()] if position else why
    if why == 'Expected "\'"':  # found missing at the end of the file, behind the last of them
        number = text[: text.rfind("'")].count("\n") + 1
    before = "\n".join(lines[: number - 1])
    for quotes in ('"""', "'''"):
        if before.count(quotes) % 2:  # a text of many lines: they may be a secret
            opened = before[: before.rfind(quotes)].count("\n") + 1
            return f"line {number}: not TOML: {why}, in the text that begins in line {opened}"
    hint = _hint(lines[:number], why)
    return f"line {number}: not TOML: {hint or why}, in: {_quoted(lines[:number])}"


def _quoted(lines: Sequence[str]) -> str:
    """The last of the lines, cut; of one that may hold a secret only the key."""
    line = lines[-1].strip()
    key = KEY.match(line)
    owner = line
    if not key and not HEADER.match(line):  # it goes on with a list, perhaps
        owner += next((m[1] for m in map(KEY.match, reversed(lines)) if m), "")
    if SECRET.search(owner):
        named = key or re.match(r"([A-Za-z0-9_.-]+)\s*:", line)
        line = f"{named[1]} = ..." if named else "..."
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    return text if len(text) <= FOUND_LIMIT else text[:FOUND_LIMIT] + "..."


def _hint(lines: Sequence[str], why: str) -> str:
    """What the last of the lines needs, if that is one of the common mistakes."""
    line = lines[-1]
    header, pair = HEADER.match(line), KEY.match(line)
    if header and why.startswith("Cannot"):
        return _section_hint(lines, header[1], header[2])
    if pair and why.startswith("Cannot"):
        return _twice_hint(lines, pair[1])
    if why.startswith(("Unescaped", "Invalid hex", "Escaped character")):
        return "a \\ in a text needs single quotes around it, 'C:\\data', or write / in its place"
    if why.startswith(("Unterminated", "Illegal character '\\n'", "Found invalid", "Expected \"'")):
        return "the quotes are not closed"
    if pair and why.startswith(("Invalid value", "Expected newline")):
        return next((hint for form, hint in VALUE_HINTS if form.fullmatch(pair[2].rstrip())), "")
    if re.match(r"\s*[A-Za-z0-9_.-]+\s*:", line):
        return "between key and value stands =, not a colon"
    return ""


def _section_hint(lines: Sequence[str], brackets: str, name: str) -> str:
    headers = [(at, found) for at, line in enumerate(lines, 1) if (found := HEADER.match(line))]
    for at, found in headers[:-1]:
        above = found[0].strip() + "]" * (len(found[1]) - 1)
        if found[2] == name and found[1] == brackets:
            return f"{above} stands in line {at} already, a section may be there once"
        if found[2] == name:
            return f"line {at} has {above}, the brackets have to be the same"
        if found[2].startswith(f"{name}."):
            return f"{above} in line {at} stands above its [[{name}]], it goes below"
    return ""


def _twice_hint(lines: Sequence[str], key: str) -> str:
    for at in range(len(lines) - 1, 0, -1):
        found = KEY.match(lines[at - 1])
        if found and found[1] == key:
            return f"{key!r} has a value already, in line {at}"
        if HEADER.match(lines[at - 1]):
            break
    return ""


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
