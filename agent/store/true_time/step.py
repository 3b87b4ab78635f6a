"""The step of upkeep that gives samples their true time."""

import logging
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC

from agent.store.eras import forget_before, note_before
from agent.store.query import Reader, open_to_read
from agent.store.replacing import StoppedError, Workplace
from agent.store.schema import SAMPLE_TABLES
from agent.store.true_time.batches import MoveBatches
from agent.store.true_time.blocks import MoveBlocks
from agent.store.true_time.gaps import Heard, MendGaps
from agent.store.true_time.lives import lives
from agent.store.true_time.moves import Move, unfinished
from agent.store.true_time.rows import MoveRows
from agent.store.writer import Writer

log = logging.getLogger(__name__)

LONG_AGO_MS = -(10**14)


class TrueTime:
    """Moves one era after the other; what is left when the agent stops, the next run goes on with.

    An era is in hand while it has a line of ``clock`` for its moved samples and a note of what was
    in the file before it. Rows become batches' neighbours in blocks, batches become blocks, and
    blocks larger ones: looked for in this order, no sample slips through.

    ``intervals_s`` says by name how often devices are polled.
    """

    def __init__(
        self, workplace: Workplace, intervals_s: Callable[[], Mapping[str, float]]
    ) -> None:
        self._workplace = workplace
        self._intervals_s = intervals_s
        self._in_hand: Move | None = None
        self._parts: list[Callable[[], bool]] = []

    def __call__(self) -> bool:
        """Do some of it; whether there may be more.

        Raises:
            StoreError: The file can't be read or written now.
        """
        with closing(open_to_read(self._workplace.path)) as connection:
            move = next(unfinished(connection), None)
        if move is None:
            return False
        if move.target is None:
            self._write(lambda writer: _begin(writer, move))
            return True
        if move != self._in_hand:
            self._in_hand = move
            self._parts = self._parts_of(move, move.target)
        if self._parts:
            if not self._parts[0]():
                del self._parts[0]
            return True
        self._finish(move)
        return True

    def _parts_of(self, move: Move, target: int) -> list[Callable[[], bool]]:
        rows = [MoveRows(self._workplace, move, target, table) for table in SAMPLE_TABLES]
        batches = MoveBatches(self._workplace, move, target)
        return [*rows, batches, MoveBlocks(self._workplace, move, target)]

    def _finish(self, move: Move) -> None:
        said: list[str] = []
        with (
            Reader(self._workplace.path) as reader,
            closing(open_to_read(self._workplace.path)) as connection,
        ):
            ids = {name: id_ for id_, name in connection.execute("SELECT id, name FROM device")}
            heard = []
            bounds = move.first_ms + move.moved_ms, move.true_ms[1]
            for name, id_ in ids.items():
                found = [m for m in reader.moved(name, *bounds) if m.moved_ms == move.moved_ms]
                said += [each.text(name, UTC) for each in found]
                if found:
                    since_ms = move.before.since_ms
                    before = None if since_ms is None else reader.first_ms(
                        name, LONG_AGO_MS, since_ms + 1
                    )  # fmt: skip
                    heard.append(Heard(id_, was_known=before is not None))
            ran = lives(connection, reader, move)
        every = self._intervals_s()
        intervals_ms = {id_: every[name] * 1000 for name, id_ in ids.items() if name in every}

        def write(writer: Writer) -> bool:
            if not move.before.again:
                MendGaps(writer.connection, move, ran, intervals_ms).mend(heard)
            forget_before(writer.connection, move.era.id)
            writer.reread()
            return True

        self._write(write)
        for text in () if move.before.again else said:
            log.info("store: %s", text)

    def _write(self, work: Callable[[Writer], bool]) -> None:
        if self._workplace.transact(work) is None:
            raise StoppedError


def _begin(writer: Writer, move: Move) -> bool:
    """From now on no sample gets the number of the era."""
    era = move.era
    writer.connection.execute(
        "INSERT INTO clock(boot_id, monotonic_ms, ts_ms, synchronised, moved_ms) "
        "VALUES(?, ?, ?, ?, ?)",
        (era.boot_id, era.monotonic_ms, era.ts_ms, era.synchronised, move.moved_ms),
    )
    note_before(writer.connection, era.id, move.before)
    writer.reread()
    return True
