"""What is read from a file: samples with the place that they stood at, and all that is wrong."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import attrs

from agent.errors import AgentError
from agent.model import Metric, Value

NAMED = 10  # bad, doubtful and conflicting rows that are told one by one
NOTES_LIMIT = 50  # of one file
SHOWN = 40  # characters of foreign text in an error


class FileError(AgentError):
    """A file that can't be imported; the others can."""


# A tuple, not attrs.frozen: there are millions of them.
class Reading(NamedTuple):
    """One row of a file as a sample; ``names`` are the same object as long as they don't change."""

    ts_ms: int
    names: tuple[str, ...]
    values: Sequence[Value]
    line: int


@attrs.frozen
class Remark:
    """What is to be said of one row: ``line`` as the file counts them, or its key in a table."""

    line: int
    text: str


@attrs.define
class Tally:
    """Rows of one sort: how many there are, and the first of them."""

    count: int = 0
    first: list[Remark] = attrs.field(factory=list)

    def add(self, line: int, text: str) -> None:
        """One more."""
        self.count += 1
        if len(self.first) < NAMED:
            self.first.append(Remark(line, text))


@attrs.define
class Trouble:
    """What came up while a file was read."""

    bad: Tally = attrs.field(factory=Tally)
    doubtful: Tally = attrs.field(factory=Tally)
    notes: dict[str, None] = attrs.field(factory=dict)  # each once, in order

    def note(self, text: str) -> None:
        """Something about the whole file."""
        if len(self.notes) < NOTES_LIMIT:
            self.notes.setdefault(text)


@attrs.frozen
class Facts:
    """What can be said of a file before it is imported; ``None``: not without reading it all."""

    title: str
    kind: str | None
    device: str | None = None  # the name that it had when it was written
    count: int | None = None
    first_ms: int | None = None
    last_ms: int | None = None
    is_by_second: bool = False  # whether its times have no parts of seconds
    is_sure: bool = True  # whether it can be of no other kind
    notes: Sequence[str] = ()


@attrs.frozen
class Into:
    """What a file's names and values are to become: those of the device that it goes into."""

    kind: str
    stored: Mapping[str, Metric]  # what the store knows of it, by name
    known: Mapping[str, Metric]  # that, and what all devices of its kind have
    options: object | None = None  # of its kind; ``None``: it is not configured


class Source(Protocol):
    """One file."""

    @property
    def facts(self) -> Facts: ...

    def readings(self, into: Into, trouble: Trouble) -> Iterator[Reading]:
        """Its samples, in the order of the file.

        Raises:
            FileError: It can't be read on; what came until then is right.
        """

    def metrics(self, into: Into) -> Mapping[str, Metric]:
        """Units and types of what it has, as far as they are known."""


def shown(text: object) -> str:
    """Foreign text for an error, cut.

    >>> shown("x" * 50)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'"
    """
    whole = str(text)
    return repr(whole if len(whole) <= SHOWN else f"{whole[:SHOWN]}...")
