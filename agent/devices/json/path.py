"""Where a value stands in a JSON answer: ``main.temp``, ``channels[0].temperature``."""

import re
from collections.abc import Sequence
from typing import Any, Final

from agent.devices.tags import AddressError

DEPTH_LIMIT: Final = 32
KEYS_SHOWN: Final = 8
STEP: Final = re.compile(
    r"""
    \[ \s* (?P<index> -? [0-9]{1,9} ) \s* \]
    | \[ \s* (?P<quoted> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' ) \s* \]
    | (?P<dot> \. ) (?P<key> [^.\[\]"']+ )
    """,
    re.VERBOSE,
)
FORM: Final = 'a path such as main.temp, channels[0].temperature or ["odd key"].x'

Step = str | int


class AbsentError(LookupError):
    """A path leads to nothing; ``there`` says what there is in its place."""

    def __init__(self, there: str) -> None:
        super().__init__(there)
        self.there = there


def parse_path(text: str) -> tuple[Step, ...]:
    """The steps of a path, keys and indices; none for ``$``, which is the whole answer.

    >>> parse_path("main.temp"), parse_path('$.list[0]["odd key"].x')
    (('main', 'temp'), ('list', 0, 'odd key', 'x'))

    Raises:
        AddressError: It is none.
    """
    rest = text.strip().removeprefix("$")
    if rest and rest[0] not in ".[":
        rest = f".{rest}"
    if not rest and "$" not in text:
        raise _no_path(text)
    steps: list[Step] = []
    at = 0
    while at < len(rest):
        found = STEP.match(rest, at)
        if found is None:
            raise _no_path(text, _hint(text))
        if (found["index"] or "").startswith("-"):
            raise _no_path(text, "an index counts from 0, and not from the end")
        if found["key"] and found["key"] != found["key"].strip():
            raise _no_path(text, 'a key with blanks around it stands in [" "]')
        steps.append(_step(found))
        at = found.end()
    if len(steps) > DEPTH_LIMIT:
        raise _no_path(text, f"at most {DEPTH_LIMIT} steps long")
    return tuple(steps)


def find(answer: Any, steps: Sequence[Step]) -> Any:
    """What is at the path; a key of digits is an index where it meets a list.

    >>> find({"list": [{"x": 1.5}]}, ("list", "0", "x"))
    1.5

    Raises:
        AbsentError: There is nothing.
    """
    here = answer
    for step in steps:
        if isinstance(here, dict) and str(step) in here:
            here = here[str(step)]
        elif isinstance(here, list) and -1 < _index(step) < len(here):
            here = here[_index(step)]
        else:
            raise AbsentError(what_is(here))
    return here


def what_is(value: Any) -> str:
    """A value in words, with what stands below it.

    >>> what_is({"temp": 1, "hum": 2}), what_is([1, 2]), what_is(None)
    ('an object with temp, hum', 'a list of 2', 'null')
    """
    if isinstance(value, dict) and value:
        keys = [cleaned(key)[:30] for key in list(value)[:KEYS_SHOWN]]
        more = ", ..." if len(value) > len(keys) else ""
        return f"an object with {', '.join(keys)}{more}"
    if isinstance(value, list) and value:
        return f"a list of {len(value)}"
    return sort_of(value)


def sort_of(value: Any) -> str:
    """A value in words that stay the same while it moves.

    >>> sort_of(21.5), sort_of({"temp": 1})
    ('a number', 'an object')
    """
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "a text"
    return "a number"


def cleaned(text: str) -> str:
    """A foreign text without what can't be printed.

    >>> cleaned(" a\\nb\\x00 ")
    'a_b_'
    """
    return "".join(sign if sign.isprintable() else "_" for sign in text.strip())


def _no_path(text: str, hint: str = "") -> AddressError:
    return AddressError("path", text, FORM, hint)


def _step(found: re.Match[str]) -> Step:
    if found["index"]:
        return int(found["index"])
    if found["quoted"]:
        return re.sub(r"\\(.)", r"\1", found["quoted"][1:-1])
    key: str = found["key"]
    return key


def _index(step: Step) -> int:
    """The index that a step is, -1 where it is none."""
    if isinstance(step, int):
        return step
    return int(step) if step.isascii() and step.isdigit() and len(step) < 10 else -1


def _hint(text: str) -> str:
    if "/" in text and "." not in text:
        return "with dots in place of slashes"
    if "*" in text or ".." in text:
        return "to one value; for several write several tags"
    return ""
