"""Takes what other loggers wrote into a device's history: each sample once, nothing replaced."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import attrs

from agent.clock import CLOCK_SET_MS, Clock
from agent.config import Config
from agent.errors import AgentError
from agent.importing.identify import identify
from agent.importing.reading import (
    Facts,
    FileError,
    Reading,
    Remark,
    Source,
    Tally,
    Trouble,
)
from agent.importing.target import Target, Targets, Wanted
from agent.store import Reader
from agent.store.history import SAMPLES, VALUES, Fate, History
from agent.zones import zone_of

__all__ = ["Facts", "Importer", "Outcome", "Planned", "Remark", "Tally", "Wanted"]

DAY_MS = 86_400_000
ASKED_EVERY = 500  # readings between two looks whether to stop


@attrs.frozen
class Planned:
    """A file, what it is and where it goes; or why it can't be imported."""

    path: Path
    source: Source | None = None
    target: Target | None = None
    error: str = ""
    notes: Sequence[str] = ()

    @property
    def facts(self) -> Facts | None:
        """What the file is."""
        return self.source.facts if self.source is not None else None


@attrs.define
class Outcome:
    """What became of a file."""

    path: Path
    target: Target
    facts: Facts
    read: int = 0
    stored: int = 0
    known: int = 0
    conflicts: Tally = attrs.field(factory=Tally)
    trouble: Trouble = attrs.field(factory=Trouble)
    first_ms: int | None = None  # of what was read
    last_ms: int | None = None
    old: int = 0  # are in the store, and older than the agent keeps samples
    error: str = ""

    def add(self, chunk: Sequence[Reading], fates: Iterable[Fate], kept_ms: float) -> None:
        """Count what became of some samples; the agent keeps those from ``kept_ms`` on."""
        self.read += len(chunk)
        for reading, fate in zip(chunk, fates, strict=True):
            if fate is not Fate.IN_CONFLICT and reading.ts_ms < kept_ms:
                self.old += 1
            if fate is Fate.STORED:
                self.stored += 1
            elif fate is Fate.KNOWN:
                self.known += 1
            else:
                self.conflicts.add(reading.line, "the store has other values of that time")
        times = [reading.ts_ms for reading in chunk]
        self.first_ms = min([*times, *_given(self.first_ms)])
        self.last_ms = max([*times, *_given(self.last_ms)])


@attrs.frozen
class Progress:
    """How far an import is, about; ``total`` is ``None`` where that is not known."""

    file: str
    read: int
    total: int | None
    seconds: float


Tell = Callable[[Progress], bool]  # ``False``: it is to stop


class Importer:
    """Imports files into the store of a configuration, which no agent has open meanwhile."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._zone = zone_of(config.agent.timezone)
        if clock.now_ms() < CLOCK_SET_MS:
            raise AgentError(
                "the clock of this machine is not set, so nobody can tell what is past: set it "
                "first, such as with timedatectl"
            )

    def plan(self, paths: Sequence[Path], wanted: Wanted) -> list[Planned]:
        """What the files are and where they would go; nothing is written.

        Raises:
            ConfigError: The device or the kind that was asked for can't be.
            StoreError: There is a store, and it can't be read.
        """
        stored = []
        if self._config.store_path.exists():
            with Reader(self._config.store_path) as reader:
                stored = reader.devices()
        targets = Targets(self._config, stored, wanted)
        return [self._planned(path, targets) for path in paths]

    def _planned(self, path: Path, targets: Targets) -> Planned:
        source = None
        try:
            source = identify(path, self._zone, self._clock.now_ms())
            target = targets.of(source.facts)
        except FileError as exc:
            return Planned(path, source, error=str(exc))
        return Planned(path, source, target, notes=[*source.facts.notes, *self._old(source)])

    def _old(self, source: Source) -> Iterator[str]:
        first_ms = source.facts.first_ms
        if first_ms is not None and first_ms < self._kept_ms():
            yield (
                f"what is older than {self._config.store.retention_days} days the agent deletes "
                "again a week after the import: raise retention_days in [store] before that"
            )

    def _kept_ms(self) -> float:
        """Since when the agent keeps samples."""
        days = self._config.store.retention_days
        return self._clock.now_ms() - days * DAY_MS if days else -math.inf

    def _say_old(self, outcome: Outcome) -> None:
        """What a look at the file could not tell: how many, and which setting keeps them."""
        if not outcome.old or outcome.first_ms is None:
            return
        oldest_days = (self._clock.now_ms() - outcome.first_ms) // DAY_MS + 1
        outcome.trouble.note(
            f"{outcome.old:,} of them are older than {self._config.store.retention_days} days, the "
            "agent deletes them a week after the import: before that, set retention_days in "
            f"[store] to 0, which keeps all for ever, or to more than {oldest_days}"
        )

    def run(self, planned: Planned, outcome: Outcome, tell: Tell) -> bool:
        """Import one file; ``False`` when it was told to stop: the same again goes on then.

        Raises:
            StoreError: The store can't be written. What is counted in ``outcome`` is in it.
        """
        source, target = planned.source, planned.target
        assert source is not None
        assert target is not None
        began_s = self._clock.monotonic()

        def go_on(read: int) -> bool:
            seconds = self._clock.monotonic() - began_s
            return tell(Progress(planned.path.name, read, source.facts.count, seconds))

        history = History(
            self._config.store_path,
            self._clock,
            target.device,
            target.kind,
            source.metrics(target.into),
            plain=target.plain,
            by_second=source.facts.is_by_second,
            kept_ms=self._kept_ms(),
        )
        readings = source.readings(target.into, outcome.trouble)
        is_done = True
        with closing(history):
            for chunk in chunks(readings, outcome, source.facts.is_by_second, go_on):
                outcome.add(chunk, history.write(chunk), self._kept_ms())
                is_done = go_on(outcome.read)
                if not is_done:
                    break
        self._say_old(outcome)
        return is_done


def outcome_of(planned: Planned) -> Outcome:
    """Of a file that is still to be imported."""
    assert planned.target is not None
    assert planned.facts is not None
    return Outcome(planned.path, planned.target, planned.facts)


def chunks(
    readings: Iterator[Reading],
    outcome: Outcome,
    by_second: bool,
    go_on: Callable[[int], bool],
) -> Iterator[list[Reading]]:
    """As many samples as go into one block; those of one second are not parted.

    An error of the file is noted in ``outcome``, after what came before it.
    """
    chunk: list[Reading] = []
    values = 0
    slot_ms = 1000 if by_second else 1
    try:
        for number, reading in enumerate(readings, 1):
            is_full = len(chunk) >= SAMPLES or values + len(reading.names) > VALUES
            is_cut = chunk and chunk[-1].ts_ms // slot_ms != reading.ts_ms // slot_ms
            is_much = len(chunk) >= 2 * SAMPLES or values > 2 * VALUES  # all in one second
            if is_full and (is_cut or is_much):
                yield chunk
                chunk, values = [], 0
            chunk.append(reading)
            values += len(reading.names)
            if number % ASKED_EVERY == 0 and not go_on(outcome.read + len(chunk)):
                break
    except FileError as exc:
        outcome.error = str(exc)
    if chunk:
        yield chunk


def _given(ts_ms: int | None) -> Iterator[int]:
    if ts_ms is not None:
        yield ts_ms
