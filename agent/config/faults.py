"""What is wrong with a configuration, in the words of who wrote it."""

import datetime as dt
from collections.abc import Iterable
from difflib import get_close_matches

import attrs

from agent.errors import ConfigError

FOUND_LIMIT = 60  # characters of what was found that an error repeats
NEAR = 0.6  # how alike two words are for one to be meant by the other


class ReferencedText(str):
    """A text that came from a file or the environment, and so may be a secret."""

    __slots__ = ()


@attrs.frozen
class Unresolved:
    """Stands where a reference led to no text; ``reason`` says why."""

    reason: str


@attrs.frozen
class Fault:
    """One thing that is wrong: where (file, device), which key, and what to do."""

    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


class FaultyConfigError(ConfigError):
    """All faults of a configuration at once, a line each."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


def shown(found: object) -> str:
    """What was found, quoted and cut; of tables and lists, which may hold secrets, only that.

    >>> shown("x" * 100)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."
    >>> shown({"password": "1234"})
    'a table'
    """
    match found:
        case ReferencedText():
            return "a text from a file or the environment"
        case dict():
            return "a table"
        case list():
            return "a list"
        case bool():
            text = str(found).lower()
        case int() if abs(found) >= 10**FOUND_LIMIT:
            return "a very large number"  # which Python may refuse to print
        case dt.date() | dt.time():
            text = found.isoformat()
        case _:
            text = repr(found)
    return text if len(text) <= FOUND_LIMIT else text[: FOUND_LIMIT - 1] + "..."


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """The end of an error text: the nearest allowed word, or all of them.

    >>> did_you_mean("rak", ["rack", "slot"]), did_you_mean("SLOT", ["rack", "slot"])
    (", did you mean 'rack'?", ", did you mean 'slot'?")
    """
    words = sorted(allowed)
    near = nearest(word, words)
    if near is not None:
        return f", did you mean {near!r}?"
    return f", allowed: {', '.join(words)}" if words else ""


def nearest(word: str, allowed: Iterable[str], cutoff: float = NEAR) -> str | None:
    """The allowed word that is most like ``word`` if the case of letters is left out of account."""
    by_lower = {each.lower(): each for each in allowed}
    near = get_close_matches(word.lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[near[0]] if near else None
