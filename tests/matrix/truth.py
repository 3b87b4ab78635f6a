"""What a device that stands still must be read as: as it was before, or not at all."""

from collections.abc import Iterable, Mapping, Sequence, Set
from fnmatch import fnmatch
from typing import Protocol, runtime_checkable

from agent.model import Sample, Value

SHOWN_COUNT = 5
TEXT_LIMIT = 30


@runtime_checkable
class CanFreeze(Protocol):
    """A simulator whose values can be made to stand still, which most can."""

    def freeze(self) -> object:
        """Values stay as they are from now on."""


def wrong(
    true: Mapping[str, Value], samples: Iterable[Sample], moving: Sequence[str] = ()
) -> Set[str]:
    """Each value that is another than it was; one may be missing, but never wrong.

    ``moving`` are patterns of metrics that may move.
    """
    found = {
        (name, value) for each in samples for name, value in each.values.items()
        if value is not None and value != true.get(name)
    }  # fmt: skip
    return {
        f"{name} is {_short(value)}, was {_short(true.get(name))}"
        for name, value in found
        if not any(fnmatch(name, pattern) for pattern in moving)
    }


def _short(value: Value) -> str:
    text = repr(value)
    return text if len(text) <= TEXT_LIMIT else f"{text[:TEXT_LIMIT]}..."


def shown(texts: Set[str]) -> str:
    """The first of them, on a line."""
    return ", ".join(sorted(texts)[:SHOWN_COUNT]) + (" ..." if len(texts) > SHOWN_COUNT else "")
