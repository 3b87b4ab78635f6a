"""Where in time the blocks of a device lie: read from the index alone, not from the blocks."""

from collections.abc import Sequence

import attrs

from agent.store.query import Reader
from agent.store.sql.bounds import AFTER_ALL, BEFORE_ALL, NOTHING, Stretch


@attrs.frozen
class Span:
    """Which times and which keys a block has, and how many samples."""

    first_ms: int
    last_ms: int
    first_key: int
    last_key: int
    count: int


class Index:
    """Looks up the blocks of devices; ``lag_ms`` is how far a key may lie behind its time.

    Raises:
        StoreError: From the constructor and every method: the file can't be read.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._spans: dict[str, Sequence[Span]] = {}
        self._times: dict[str, Stretch] = {}
        sql = "SELECT coalesce((SELECT value FROM meta WHERE key = 'lag_ms'), 0)"
        ((self.lag_ms,),) = reader.file.rows(sql)

    def spans(self, device: str) -> Sequence[Span]:
        """All blocks of a device."""
        if device not in self._spans:
            sql = "SELECT first_ms, last_ms, first_key, last_key, count FROM block WHERE device = ?"
            has_blocks = self._reader.sealed.is_there
            number = self._reader.entry(device).id
            rows = self._reader.file.rows(sql, number) if has_blocks else ()
            self._spans[device] = [Span(*row) for row in rows]
        return self._spans[device]

    def unsealed(self, device: str) -> Stretch:
        """From about the first sample that is in no block to behind the newest one."""
        spans, last_ms = self.spans(device), self._reader.last_ms(device)
        sealed_ms = max((span.last_ms for span in spans), default=BEFORE_ALL)
        if last_ms is None or sealed_ms >= last_ms:
            return NOTHING
        first_ms = self._reader.first_ms(device, sealed_ms + 1, last_ms + 1)
        return NOTHING if first_ms is None else Stretch(first_ms, last_ms + 1)

    def times(self, device: str) -> Stretch:
        """From the earliest sample to behind the latest, also where the clock was set back."""
        if device not in self._times:
            known = [Stretch(span.first_ms, span.last_ms + 1) for span in self.spans(device)]
            known += [each for each in [self.unsealed(device)] if not each.is_empty]
            start_ms = min((each.start for each in known), default=0)
            end_ms = max((each.end for each in known), default=0)
            for segment in self._reader.segments(device, BEFORE_ALL, start_ms):
                start_ms = min(start_ms, *segment.times())
            for segment in self._reader.segments(device, end_ms, AFTER_ALL):
                end_ms = max(end_ms - 1, *segment.times()) + 1
            self._times[device] = Stretch(start_ms, end_ms)
        return self._times[device]
