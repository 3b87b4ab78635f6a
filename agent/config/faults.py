"""What is wrong with a configuration, in the words of who wrote it."""

from collections.abc import Iterable
from difflib import get_close_matches

import attrs

from agent.errors import ConfigError

FOUND_LIMIT = 60  # characters of what was found that an error repeats


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
    """What was found, quoted and cut.

    >>> shown("x" * 100)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."
    """
    text = repr(found) if not isinstance(found, bool) else str(found).lower()
    return text if len(text) <= FOUND_LIMIT else text[: FOUND_LIMIT - 1] + "..."


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """The end of an error text: the nearest allowed word, or all of them.

    >>> did_you_mean("rak", ["rack", "slot"])
    ", did you mean 'rack'?"
    """
    words = sorted(allowed)
    near = get_close_matches(word, words, n=1, cutoff=0.6)
    if near:
        return f", did you mean {near[0]!r}?"
    return f", allowed: {', '.join(words)}" if words else ""
