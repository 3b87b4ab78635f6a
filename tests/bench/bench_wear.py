"""Bytes that reach a memory card in a day: ours, and one commit for each poll as others do it.

Twice: with a clock that runs as fast as it can, through whole hours with their sealing; and in real
time for some minutes, which has also what the file system itself writes because time passes: a
changed file's time of change goes into ext4's journal with each of its own commits, every 5 s.
"""

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from functools import partial

import attrs

from agent.clock import Clock, SystemClock
from agent.model import Sample, Value
from agent.store import Store
from agent.store.log_file import LOG_BYTES
from agent.store.upkeep import Upkeep
from tests.bench.card import Card, card
from tests.bench.polled import Polled, five_kinds, mixed_load
from tests.bench.result import Result
from tests.fakes import FakeClock
from tests.loop_disk import DiskError

DAY_S = 86_400
LOADS = {"mixed load, 100 channels at 1 s": mixed_load, "five kinds, 187 values/s": five_kinds}
TARGETS_MB = {"mixed load, 100 channels at 1 s": 120.0, "five kinds, 187 values/s": 180.0}
BOUNDS_S = (0, 1, 10, 30, 60)
TARGET_BOUND_S = 10
HOURS = {0: 2, 1: 4, 10: 24, 30: 12, 60: 12}  # of simulated time, by bound
PEERS_HOURS = 1
WARM_UP_S = 4500  # until the first hour is sealed
SHORT_S = 600
REAL_MINUTES = 10
MOUNTS = "lazytime", "commit=60"  # of ext4, what may spare the times of change
BLOCK_BYTES = 4096
SIDE_BY_SIDE = 2  # for each processor
PLAIN_DAYS = 8

Take = Callable[[Polled, Mapping[str, Value]], None]
Second = Callable[[int], None]
Writing = Callable[[Card, Sequence[Polled], Clock], Iterator[tuple[Take, Second]]]


def run(*, short: bool = False) -> list[Result]:
    """Megabytes a day of each load, bound and way; or a line that says why not."""
    try:
        with card(size_mb=64):
            pass
    except DiskError as exc:
        return [Result("bytes to the card", f"not measured here: {exc}", None, "")]
    cases: list[tuple[Result, str, Writing, int, int]] = []
    for name in LOADS:
        group = f"MB a day to the card, whole hours at full speed: {name}"
        for bound_s in BOUNDS_S:
            span_s = SHORT_S if short else HOURS[bound_s] * 3600
            warm_up_s = 60 if short else WARM_UP_S
            result, ours_so = _result(group, name, bound_s, None), partial(ours, bound_s=bound_s)
            cases.append((result, name, ours_so, span_s, warm_up_s))
        for peer, way in PEERS.items():
            span_s = SHORT_S if short else PEERS_HOURS * 3600
            cases.append((Result(group, peer, None, "MB/day"), name, way, span_s, 60))
    # Side by side, as most of the time is waiting for the disk; bytes don't depend on that.
    with ProcessPoolExecutor(SIDE_BY_SIDE * (os.cpu_count() or 1)) as pool:
        values = pool.map(at_full_speed, *zip(*(case[1:] for case in cases), strict=True))
        results = [
            attrs.evolve(case[0], value=value) for case, value in zip(cases, values, strict=True)
        ]
    return results + in_real_time(5 if short else REAL_MINUTES * 60)


def _result(group: str, load: str, bound_s: int, value: float | None) -> Result:
    target = TARGETS_MB[load] if bound_s == TARGET_BOUND_S else None
    bound = f"at most {bound_s} s are lost" if bound_s else "each poll is committed"
    return Result(group, f"ours, {bound}", value, "MB/day", target)


def ours(
    place: Card, devices: Sequence[Polled], clock: Clock, *, bound_s: int
) -> Iterator[tuple[Take, Second]]:
    """Our store with its upkeep, through its public interface, as it is after some hours."""
    path = place.folder / "telemetry.db"
    store = Store(path, clock, flush_interval_s=float(bound_s))
    for device in devices:
        store.add_device(device.name, device.kind, float(device.interval_s))
    plain = {device.name: device.kind == "host" for device in devices}
    upkeep = Upkeep(store, clock, PLAIN_DAYS, plain)

    store.flush()
    with path.with_name(f"{path.name}-wal").open("ab") as log:  # it gets so long, once
        log.write(bytes(LOG_BYTES))

    def take(device: Polled, values: Mapping[str, Value]) -> None:
        store.append(Sample(device.name, clock.stamp(), values))
        if not bound_s:
            store.flush()

    def second(number: int) -> None:
        if bound_s and number % bound_s == bound_s - 1:
            store.flush()
        if number % 60 == 59:
            while upkeep.run() is not None:
                pass

    yield take, second
    store.close()


def columns_in_wal(
    place: Card, devices: Sequence[Polled], clock: Clock
) -> Iterator[tuple[Take, Second]]:
    """A table of columns for each device, a commit for each poll, synchronous = NORMAL."""
    with closing(sqlite3.connect(place.folder / "peer.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        made: set[str] = set()

        def take(device: Polled, values: Mapping[str, Value]) -> None:
            if device.name not in made:
                made.add(device.name)
                columns = ", ".join(f'"{name}"' for name in values)
                connection.execute(f"CREATE TABLE {device.name}(ts INTEGER PRIMARY KEY, {columns})")
            marks = ", ".join("?" * (len(values) + 1))
            connection.execute(
                f"INSERT INTO {device.name} VALUES({marks})", (clock.now_ms(), *values.values())
            )

        yield take, lambda _: None


def json_in_a_rollback_journal(
    place: Card, devices: Sequence[Polled], clock: Clock
) -> Iterator[tuple[Take, Second]]:
    """One table of JSON texts with all names, a commit for each poll, as SQLite does by itself."""
    with closing(sqlite3.connect(place.folder / "peer.db", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE cache(id INTEGER PRIMARY KEY, ts INTEGER, data TEXT)")

        def take(device: Polled, values: Mapping[str, Value]) -> None:
            connection.execute(
                "INSERT INTO cache(ts, data) VALUES(?, ?)", (clock.now_ms(), json.dumps(values))
            )

        yield take, lambda _: None


def one_block(
    place: Card, devices: Sequence[Polled], clock: Clock
) -> Iterator[tuple[Take, Second]]:
    """What the file system needs for any store that writes to a file so often."""
    with (place.folder / "block").open("w+b", buffering=0) as file:

        def second(number: int) -> None:
            if number % TARGET_BOUND_S == TARGET_BOUND_S - 1:
                file.seek(0)
                file.write(bytes([number % 256]) * BLOCK_BYTES)
                os.fdatasync(file.fileno())

        second(TARGET_BOUND_S - 1)
        yield lambda _device, _values: None, second


PEERS: Mapping[str, Writing] = {
    "a commit for each poll, columns, WAL NORMAL": columns_in_wal,
    "a commit for each poll, JSON rows, rollback journal": json_in_a_rollback_journal,
}


def at_full_speed(load: str, writing: Writing, span_s: int, warm_up_s: int) -> float:
    """Megabytes a day, with a clock that moves on when all of a second is done."""
    clock, devices = FakeClock(), LOADS[load]()
    with card() as place:
        for take, second in writing(place, devices, clock):
            polls = [(device, device.values()) for device in devices]
            before = 0
            for number in range(warm_up_s + span_s):
                if number == warm_up_s:
                    before = _written_bytes(place)
                _poll(polls, number, take)
                second(number)
                clock.advance(1)
            written = _written_bytes(place) - before
    return written / span_s * DAY_S / 1e6


def _written_bytes(place: Card) -> int:
    """With what stands in a log and will be written a second time."""
    for path in place.folder.glob("*.db"):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return place.written_bytes()


def in_real_time(span_s: int) -> list[Result]:
    """All of it at once, each on a card of its own."""
    cases: list[tuple[str, Result, Writing, str]] = []
    for name in LOADS:
        group = f"MB a day to the card, {span_s} s in real time, in which nothing is sealed: {name}"
        for bound_s in BOUNDS_S:
            way = partial(ours, bound_s=bound_s)
            cases.append((name, _result(group, name, bound_s, None), way, "defaults"))
        for options in MOUNTS:
            other = _result(group, name, TARGET_BOUND_S, None)
            other = attrs.evolve(other, name=f"at most {TARGET_BOUND_S} s, mounted with {options}")
            cases.append((name, other, partial(ours, bound_s=TARGET_BOUND_S), options))
        least = Result(
            group, f"a block of 4 KiB every {TARGET_BOUND_S} s: the least", None, "MB/day"
        )
        cases.append((name, least, one_block, "defaults"))
        cases += [
            (name, Result(group, peer, None, "MB/day"), way, "defaults")
            for peer, way in PEERS.items()
        ]
    with ThreadPoolExecutor(len(cases)) as pool:
        values = pool.map(lambda case: _really(LOADS[case[0]](), case[2], span_s, case[3]), cases)
        return [
            attrs.evolve(result, value=value)
            for (_, result, _, _), value in zip(cases, values, strict=True)
        ]


def _really(devices: Sequence[Polled], writing: Writing, span_s: int, options: str) -> float:
    with card(options=options) as place:
        for take, second in writing(place, devices, SystemClock()):
            polls = [(device, device.values()) for device in devices]
            _poll(polls, 0, take)  # the values are generated now
            second(0)
            before, begin = _written_bytes(place), time.monotonic()
            for number in range(span_s):
                _poll(polls, number, take)
                second(number)
                time.sleep(max(0.0, begin + number + 1 - time.monotonic()))
            written = _written_bytes(place) - before
    return written / span_s * DAY_S / 1e6


def _poll(
    polls: Sequence[tuple[Polled, Iterator[Mapping[str, Value]]]], number: int, take: Take
) -> None:
    for device, values in polls:
        if number % device.interval_s == 0:
            take(device, next(values))
