"""The names that people know from loggers of a host: rows by ``ts``, which counts seconds."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

from agent.store.query import Reader
from agent.store.rows import PROCESS_COLUMNS
from agent.store.sql.bounds import NOTHING, Stretch, by_number
from agent.store.sql.contents import Contents, Device, Rows, Samples
from agent.store.sql.index import Index, Span
from agent.store.sql.pages import ROWID, Column, Columns, Page
from agent.store.sql.plans import Axis, Wanted
from agent.store.sql.windows import SECOND_MS, Part, Windows
from agent.store.views import SYSTEM_COLUMNS

TS, RANK = range(2)
TS_COLUMN = "ts INTEGER NOT NULL"  # so that its least is looked up and not searched for
RANKS = 1 << 16  # cores or processes of one second at most
RankedRow = tuple[Any, ...]  # second, rank, cells

UNSEALED_ROWS = 140_000  # as many as there may be beside the blocks: 8 days of 5 s


class Hosts:
    """All devices that are hosts: the tables show them together."""

    def __init__(self, reader: Reader, devices: Sequence[Device], index: Index) -> None:
        self._reader = reader
        self._devices = devices
        self._index = index

    @cached_property
    def rows(self) -> float:
        """About as many as there are seconds with samples."""
        return float(UNSEALED_ROWS + sum(each.count for each in self._spans))

    @property
    def _spans(self) -> Sequence[Span]:
        return [*chain.from_iterable(self._index.spans(each.name) for each in self._devices)]

    def ranks(self, pattern: str) -> list[int]:
        """The numbers in the names of metrics that any of them has."""
        names = chain.from_iterable(each.positions for each in self._devices)
        return sorted({int(found[1]) for name in names if (found := re.fullmatch(pattern, name))})

    def contents(self, arrange: Callable[[Samples], Rows]) -> Contents:
        """Their samples, by the seconds that their keys count."""
        parts = [Part(e.first_key, e.last_key, e.first_ms, e.last_ms) for e in self._spans]
        windows = Windows(parts, self._known_seconds(), self._index.lag_ms)
        return Contents(self._reader, self._devices, windows, arrange, is_by_key=True)

    def _known_seconds(self) -> Stretch:
        known = [self._index.unsealed(each.name) for each in self._devices]
        found = [each for each in known if not each.is_empty]
        if not found:
            return NOTHING
        start, end = min(each.start for each in found), max(each.end for each in found)
        return Stretch(start // SECOND_MS, end // SECOND_MS + 1)


class SystemSample:
    """What a host says of itself: a row for each second in which it was read."""

    name = "system_sample"
    columns = (TS_COLUMN, *SYSTEM_COLUMNS)
    axis = Axis({TS: by_number})
    rows_of_one = 1.0

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts

    @property
    def rows(self) -> float:
        """About as many as there are seconds with samples."""
        return self._hosts.rows

    @cached_property
    def _contents(self) -> Contents:
        return self._hosts.contents(arranged)

    def pages(self, wanted: Wanted) -> Iterator[Page]:
        """The seconds of a stretch."""
        return self._contents.pages(wanted)


def arranged(samples: Samples) -> Rows:
    """The columns of ``system_sample``."""

    def decode(number: int) -> Column:
        return (
            samples.places if number in (ROWID, TS) else samples.cells(SYSTEM_COLUMNS[number - 1])
        )

    return Rows(samples.places, Columns(decode))


class Ranked:
    """Several rows for each second, one for each core or process that had a value then.

    ``metrics`` are those of each rank; the first of them says whether there is a row.
    """

    axis = Axis({TS: by_number})

    def __init__(
        self,
        hosts: Hosts,
        name: str,
        columns: Sequence[str],
        metrics: Sequence[tuple[int, Sequence[str]]],
    ) -> None:
        self.name = name
        self.columns = columns
        self._metrics = metrics
        # The rank itself is a column of those that name it.
        self._has_rank = len(columns) == 2 + len(metrics[0][1]) if metrics else True
        self.rows_of_one = float(max(1, len(metrics)))
        self._hosts = hosts

    @property
    def rows(self) -> float:
        """As many as there are samples, for each rank."""
        return self._hosts.rows * self.rows_of_one

    @cached_property
    def _contents(self) -> Contents:
        return self._hosts.contents(self._arrange)

    def pages(self, wanted: Wanted) -> Iterator[Page]:
        """The rows of a stretch of seconds."""
        return self._contents.pages(wanted)

    def _arrange(self, samples: Samples) -> Rows:
        of_ranks = [zip(*map(samples.cells, names), strict=True) for _, names in self._metrics]
        ranks = [rank for rank, _ in self._metrics]
        rows: list[RankedRow] = [
            (ts, rank, *cells)
            for ts, of_all in zip(samples.places, zip(*of_ranks, strict=True), strict=True)
            for rank, cells in zip(ranks, of_all, strict=True)
            if cells[0] is not None
        ]
        return Rows([row[TS] for row in rows], Columns(self._decoder(rows)))

    def _decoder(self, rows: Sequence[RankedRow]) -> Callable[[int], Column]:
        def decode(number: int) -> Column:
            if number == ROWID:
                return [row[TS] * RANKS + row[RANK] for row in rows]
            at = number if self._has_rank or number == TS else number + 1
            return [row[at] for row in rows]

        return decode


def cpu_core(hosts: Hosts) -> Ranked:
    """How busy each core is."""
    metrics = [(core, [f"core{core}_usage"]) for core in hosts.ranks(r"core(\d{1,4})_usage")]
    return Ranked(hosts, "cpu_core", [TS_COLUMN, "core INTEGER", "usage"], metrics)


def process_sample(hosts: Hosts) -> Ranked:
    """The processes that used most."""
    shown = PROCESS_COLUMNS[:4]
    ranks = hosts.ranks(r"process([1-9]\d{0,2})_pid")
    metrics = [(rank, [f"process{rank}_{each}" for each in shown]) for rank in ranks]
    return Ranked(hosts, "process_sample", [TS_COLUMN, *shown], metrics)
