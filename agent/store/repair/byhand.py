"""The store as ``agent store repair`` works on it, while no agent has it open."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from agent import __version__
from agent.clock import Clock
from agent.errors import StoreError
from agent.store.codec import Block, Damaged
from agent.store.repair.account import Report
from agent.store.repair.content import Content, Line, LostBlock
from agent.store.repair.losses import Loss
from agent.store.repair.names import names_from
from agent.store.repair.pages import pages_of
from agent.store.repair.start import in_use
from agent.store.replacing import Workplace
from agent.store.schema import SAMPLE_TABLES
from agent.store.writer import Writer

T = TypeVar("T")


@contextmanager
def workplace(path: Path, clock: Clock, warn: Callable[[str], None]) -> Iterator[Workplace]:
    """What steps of upkeep work with, without an agent.

    Raises:
        StoreError: The store can't be opened for writing.
    """
    writer = Writer(in_use(path), clock, __version__, clock.now_ms(), warn)

    def transact(work: Callable[[Writer], T], /) -> T | None:
        with writer.transaction():
            return work(writer)

    try:
        yield Workplace(path, transact, lambda: None)
    except BaseException:
        writer.abandon()
        raise
    writer.close()


def could_be_saved(path: Path) -> Report:
    """How many samples of a file can be read, and what can't, without writing anything.

    Raises:
        StoreError: It can't be read at all.
    """
    report = Report()
    try:
        with pages_of(path) as pages:
            content = Content(pages)
            names = names_from([line for line in content.naming() if line], content.tables)
            for found in content.holding():
                if isinstance(found, Line):
                    report.saved += _samples(found)
                elif isinstance(found, LostBlock):
                    device = names.devices.get(found.device)
                    name = device.name if device is not None else f"device-{found.device}"
                    ends = found.first_ms, found.last_ms
                    report.losses.append(Loss(name, *ends, found.count, is_exact=True))
                    report.lost += found.count
    except OSError as exc:
        raise StoreError(f"cannot read {path}: {exc.strerror}") from exc
    return report


def _samples(line: Line) -> int:
    if line.table in SAMPLE_TABLES:
        return 1
    data = line.record[-1]
    if line.table not in ("batch", "block") or not isinstance(data, bytes):
        return 0
    try:
        return Block(data).count
    except Damaged:
        return 0
