"""The batch in hand: taken from the queue for a commit, until it is known to be in the file or not.

A commit whose sync fails may be whole in the file's log all the same: who opens the file next finds
it there, and must not write it again.
"""

from collections.abc import Mapping, Sequence

from agent.store.journal import Journal
from agent.store.waiting import Dropped, Event, Waiting
from agent.store.witness import Witness
from agent.store.writer import Writer


class Hand:
    """Takes a batch, and lets go of it once; used by one thread at a time.

    A batch in doubt is not given back: its oldest would be dropped, and counted as lost.
    """

    def __init__(self, waiting: Waiting, journal: Journal | None) -> None:
        self._waiting = waiting
        self._journal = journal
        self._events: list[Event] = []
        self._dropped: dict[str, Dropped] = {}
        self._made: Witness | None = None

    @property
    def is_in_doubt(self) -> bool:
        """Whether a commit failed that the file may have; ``settle`` comes before ``take``."""
        return self._made is not None

    def take(self) -> tuple[Sequence[Event], Mapping[str, Dropped]]:
        """Everything that waits and everything that was dropped."""
        self._events, self._dropped = self._waiting.take()
        return self._events, self._dropped

    def mark(self, made: Witness) -> None:
        """The batch is in the file once that row is there."""
        self._made = made
        if self._journal is not None:
            self._journal.mark(made)

    def done(self) -> None:
        """The batch is in the file."""
        self._waiting.done()
        self._forget()

    def failed(self) -> None:
        """The commit failed: what was not marked can't be in the file, and waits again."""
        if self._made is None:
            self._give_back()

    def settle(self, writer: Writer) -> None:
        """Look in the file, opened anew, for a batch in doubt.

        Raises:
            StoreError: That can't be told now.
        """
        if self._made is None:
            return
        if writer.holds(self._made):
            self.done()
        else:
            self._give_back()

    def _give_back(self) -> None:
        self._waiting.give_back(self._events, self._dropped)
        self._forget()

    def _forget(self) -> None:
        self._events, self._dropped, self._made = [], {}, None
