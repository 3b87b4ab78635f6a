"""Accounts for what could not be saved of a file: in the log, and as gaps in the store."""

from collections.abc import Iterator
from pathlib import Path

import attrs

from agent.model import Reason
from agent.store.query import Reader
from agent.store.repair.aside import CUT, LOG, beside, stamp_ms, why_of
from agent.store.repair.content import Content
from agent.store.repair.intake import Intake
from agent.store.repair.losses import (
    EARLIEST_MS,
    LATEST_MS,
    Loss,
    Stretch,
    block_loss,
    head,
    holes,
    joined_stretches,
    missing_of,
    stretch_of,
    tail,
)
from agent.store.repair.target import Target, put_gap
from agent.store.writer import Writer

MOST_A_BYTE = 1  # samples, in blocks of few values that hardly change


@attrs.define
class Report:
    """What became of a file that was set aside."""

    saved: int = 0  # samples
    losses: list[Loss] = attrs.field(factory=list)  # of many, the first ones
    lost: int = 0  # samples, as far as that is known
    identity: list[int] = attrs.field(factory=list)  # of the file; empty until it is done


class Account:
    """Finds out what is lost, in small steps, and notes it in the store and in ``report``.

    Raises:
        StoreError: From ``settle``: the store can't be read or written now.
    """

    def __init__(self, path: Path, source: Path, target: Target, report: Report) -> None:
        self._path = path
        self._source = source
        self._target = target
        self._report = report
        self._most = _most(source)

    def settle(self, intake: Intake, content: Content) -> Iterator[None]:
        """Compare what was found with what must have been there."""
        stretches = [each for keys in intake.lost_keys if (each := stretch_of(keys)) is not None]
        if any(keys.table == "block" for keys in intake.lost_keys):
            yield from self._without_list(content, stretches)
        yield from self._blocks(intake, stretches)
        if why_of(self._source) == CUT and intake.oldest_ms is not None:
            # All before it is in the store, which is in use still.
            stretches = [(max(first, intake.oldest_ms - 1), last) for first, last in stretches]
        names = sorted(device.name for device in self._target.numbers.devices.values())
        for stretch in joined_stretches(stretches):
            for name in names:
                yield from self._holes(name, stretch, Reason.DAMAGED)
        if intake.began_ms is not None and any(first == EARLIEST_MS for first, _ in stretches):
            for name in names:
                self._head(name, intake.began_ms)
                yield
        if stretches:
            yield from self._gone(intake, stretches)
        is_open = any(last == LATEST_MS for _, last in stretches)
        for old, newest_ms in intake.newest.items():
            yield from self._end(self._target.name(old), newest_ms, intake, is_open=is_open)

    def _gone(self, intake: Intake, stretches: list[Stretch]) -> Iterator[None]:
        """Devices of which nothing is left but their names."""
        firsts = [first for first, _ in stretches if first != EARLIEST_MS]
        lasts = [last for _, last in stretches if last != LATEST_MS]
        first_ms = min(
            [*firsts, *([] if intake.began_ms is None else [intake.began_ms])], default=0
        )
        last_ms = max([*lasts, intake.end_ms], default=first_ms)
        for old in self._target.numbers.named - intake.newest.keys():
            if old not in {block.device for block in intake.lost_blocks}:
                name = self._target.name(old)
                self._lose(Loss(name, first_ms, last_ms, 0, is_exact=False), Reason.DAMAGED)
            yield

    def _without_list(self, content: Content, stretches: list[Stretch]) -> Iterator[None]:
        """Of blocks that nothing lists any more, what they came to is kept elsewhere."""
        days = 0
        for found in content.counts():
            if found is not None:
                days += 1
                self._by_sums(*found)
            yield
        if not days:
            stretches.append((EARLIEST_MS, LATEST_MS))

    def _blocks(self, intake: Intake, stretches: list[Stretch]) -> Iterator[None]:
        """Blocks that are listed, and can't be read."""
        for block in intake.lost_blocks:
            name = self._target.name(block.device)
            with Reader(self._path) as reader:
                loss = block_loss(reader, name, block)
            if loss is None:
                stretches.append((block.first_ms, block.last_ms))
            else:
                self._lose(loss, Reason.DAMAGED)
            yield

    def _by_sums(self, device: int, counts: list[tuple[int, int]]) -> None:
        """What is missing of so many samples in each quarter of an hour of a day."""
        name = self._target.name(device)
        with Reader(self._path) as reader:
            losses = [*missing_of(reader, name, counts)]
        for loss in losses:
            self._lose(loss, Reason.DAMAGED)

    def _head(self, name: str, began_ms: int) -> None:
        with Reader(self._path) as reader:
            loss = head(reader, name, began_ms)
        if loss is not None:
            self._lose(loss, Reason.DAMAGED)

    def _end(self, name: str, newest_ms: int, intake: Intake, *, is_open: bool) -> Iterator[None]:
        """What lies behind the last sample of a device; ``is_open``: perhaps more is lost."""
        loss = None
        with Reader(self._path) as reader:
            next_ms = reader.first_ms(name, newest_ms + 1, LATEST_MS)
            if next_ms is None and is_open:
                loss = tail(reader, name, newest_ms, max(intake.end_ms, stamp_ms(self._source)))
        if loss is not None:
            self._lose(loss, Reason.DAMAGED)
        if next_ms is not None:
            yield from self._holes(name, (newest_ms + 1, next_ms - 1), Reason.AGENT_DOWN)
        yield

    def _holes(self, name: str, stretch: Stretch, reason: Reason) -> Iterator[None]:
        found = []
        with Reader(self._path) as reader:
            for loss in holes(reader, name, stretch):
                if loss is not None:
                    found.append(loss)
                yield
        for loss in found:
            self._lose(loss, reason)
            yield

    def _lose(self, loss: Loss, reason: Reason) -> None:
        if not loss.is_exact and loss.count > self._most:
            loss = attrs.evolve(loss, count=0)  # what it goes by was wrong itself
        is_damage = reason is Reason.DAMAGED
        detail = f"{loss.text} lost with {self._source.name}" if is_damage else ""

        def note(writer: Writer) -> None:
            entry = writer.book.find(loss.device)
            if entry is not None:
                put_gap(writer.connection, entry.id, loss.first_ms, loss.last_ms, reason, detail)

        self._target.write(note)
        if is_damage:
            self._report.losses.append(loss)
            self._report.lost += loss.count


def _most(source: Path) -> int:
    """More samples than this were never in a file and its log."""
    found = [each for each in (source, beside(source, LOG)) if each.exists()]
    return MOST_A_BYTE * sum(each.stat().st_size for each in found)
