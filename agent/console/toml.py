"""Values as TOML writes them, whatever devices call themselves."""

import math
import re
from collections.abc import Mapping
from typing import Any

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def value(found: Any) -> str:
    """One value on one line.

    >>> print(value({"name": 'a "b"', "bits": [1, True, 0.5]}))
    { name = "a \\"b\\"", bits = [1, true, 0.5] }

    Raises:
        TypeError: TOML has no such value.
    """
    match found:
        case bool():
            return "true" if found else "false"
        case int():
            return str(found)
        case float():
            return repr(found) if math.isfinite(found) else str(found)
        case str():
            return text(found)
        case Mapping():
            pairs = ", ".join(f"{key(name)} = {value(each)}" for name, each in found.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case list() | tuple():
            return f"[{', '.join(map(value, found))}]"
    raise TypeError(f"no value of TOML: {found!r}")


def text(found: str) -> str:
    r"""A text in quotes, on one line.

    >>> print(text("a\x00b\x7f"))
    "a\u0000b\u007f"
    """
    return f'"{"".join(map(_character, found))}"'


def key(name: str) -> str:
    """The name of an option."""
    return name if BARE_KEY.fullmatch(name) else text(name)


def _character(character: str) -> str:
    if "\ud800" <= character <= "\udfff":
        return "\ufffd"  # half a character, which UTF-8 can't hold
    if character in ESCAPES:
        return ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
