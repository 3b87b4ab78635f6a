"""Bytes a value of a whole file: ours as the agent makes it, and what others need for the same."""

import itertools
import sqlite3
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import attrs

from agent.model import Sample, Value
from agent.store import Store
from agent.store.upkeep import Upkeep
from tests.bench import size_peers
from tests.bench.loads import MIXED_CHANNELS, START_MS, heat_pump, mixed
from tests.bench.result import Result
from tests.fakes import FakeClock

HOUR_S, DAY_S, YEAR_DAYS = 3600, 86_400, 365
FLUSH_S, UPKEEP_S = 10, 300
PLAIN_DAYS = 8
LATER_S = 26 * HOUR_S  # no block joins those of the load any more: all that can be is merged
HEAT_PUMP_S, HEAT_PUMP_VALUES = 30, 1749
MIXED_BYTES, HEAT_PUMP_BYTES, HEAT_PUMP_MB = 0.50, 0.03, 100
PARTS = {
    "samples in blocks": "SELECT sum(length(data)) FROM block",
    "minutes beside them": "SELECT sum(length(data)) FROM aggregate WHERE span_ms = 60000",
    "hours beside them": "SELECT sum(length(data)) FROM aggregate WHERE span_ms = 3600000",
    "samples not sealed": "SELECT sum(length(data)) FROM batch",
    "pages that are free": "SELECT freelist_count * page_size "
    "FROM pragma_freelist_count, pragma_page_size",
}


@attrs.frozen
class Size:
    """Of a closed file, and of parts of it."""

    file: int
    log: int
    parts: Mapping[str, int]


def run(*, short: bool = False) -> list[Result]:
    """The mixed load beside its peers, and the heat pump."""
    results = [*_mixed(1 if short else 24), *_heat_pump(1 / 24 if short else 30)]
    # What is free in a file counts for much in one of an hour: only a whole day shows its share.
    return [attrs.evolve(each, target=None) for each in results] if short else results


def _mixed(hours: int) -> list[Result]:
    seconds = hours * HOUR_S
    group = f"bytes of a whole file, mixed load, {MIXED_CHANNELS} channels at 1 s for {hours} h"
    names = [f"channel{number}" for number in range(MIXED_CHANNELS)]
    columns = mixed(seconds)
    values = seconds * MIXED_CHANNELS
    with tempfile.TemporaryDirectory(prefix="agent-size-") as name:
        folder = Path(name)
        samples = (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))
        size = ours(folder / "telemetry.db", samples, every_s=1)
        results = [
            Result(group, "ours", size.file / values, "B a value", MIXED_BYTES),
            *_parts(group, size, values),
        ]
        table = size_peers.Table(names, columns, START_MS, 1000)
        for peer, measure in size_peers.PEERS.items():
            try:
                found = measure(table, folder)
            except size_peers.NotHereError as exc:
                results.append(Result(group, f"{peer}: not measured, {exc}", None, ""))
            else:
                results.append(Result(group, peer, found / values, "B a value"))
    return results


def _heat_pump(days: float) -> list[Result]:
    polls = round(days * DAY_S / HEAT_PUMP_S)
    group = (
        f"bytes of a whole file, heat pump, {HEAT_PUMP_VALUES:,} values at 30 s, {days:.3g} days"
    )
    names = [f"value{number}" for number in range(HEAT_PUMP_VALUES)]
    with tempfile.TemporaryDirectory(prefix="agent-size-") as name:
        samples = (dict(zip(names, row, strict=True)) for row in heat_pump(polls))
        size = ours(Path(name) / "telemetry.db", samples, every_s=HEAT_PUMP_S)
    values = polls * HEAT_PUMP_VALUES
    year_mb = size.file / days * YEAR_DAYS / 1e6
    return [
        Result(group, "ours, of 1,000 values", 1000 * size.file / values, "B",
               1000 * HEAT_PUMP_BYTES),
        Result(group, "ours, a year", year_mb, "MB", HEAT_PUMP_MB),
        *_parts(group, size, values / 1000),
    ]  # fmt: skip


def ours(path: Path, samples: Iterable[Mapping[str, Value]], every_s: int) -> Size:
    """The file once all is sealed, with upkeep as time goes on."""
    clock = FakeClock(START_MS)
    store = Store(path, clock, flush_interval_s=FLUSH_S)
    store.add_device("plant", "json", every_s)
    upkeep = Upkeep(store, clock, PLAIN_DAYS, {})
    for number, values in enumerate(samples, 1):
        store.append(Sample("plant", clock.stamp(), values))
        clock.advance(every_s)
        if number * every_s % FLUSH_S == 0:
            store.flush()
        if number * every_s % UPKEEP_S == 0:
            _keep_up(upkeep)
    store.flush()
    for _ in range(3):  # until the last batches, and then the last blocks, are as they stay
        clock.advance(LATER_S)
        _keep_up(upkeep)
    store.close()
    return _size(path)


def _keep_up(upkeep: Upkeep) -> None:
    while upkeep.run() is not None:
        pass


def _size(path: Path) -> Size:
    log = path.with_name(f"{path.name}-wal")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        parts = {name: connection.execute(sql).fetchone()[0] or 0 for name, sql in PARTS.items()}
    return Size(path.stat().st_size, log.stat().st_size if log.exists() else 0, parts)


def _parts(group: str, size: Size, values: float) -> Sequence[Result]:
    named = itertools.chain(size.parts.items(), [("its log, beside it", size.log)])
    return [Result(group, f"  {name}", part / values, "B") for name, part in named]
