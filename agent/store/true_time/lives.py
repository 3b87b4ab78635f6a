"""When the agent ran since the clock was wrong, by the true time."""

import sqlite3

import attrs

from agent.store.query import Reader
from agent.store.true_time.moves import Move


@attrs.frozen
class Life:
    """A run by the true time; ``end_ms`` is ``None`` if it outlasted the era.

    ``said_ms`` is the start that is in the file.
    """

    run: int
    said_ms: int
    start_ms: int
    end_ms: int | None
    began_in_era: bool


def lives(connection: sqlite3.Connection, reader: Reader, move: Move) -> list[Life]:
    """The runs of a boot, from the first one that began in an era, oldest first."""
    last_ms = _last_ms(reader, move, move.true_ms[1] + 1)
    last_said_ms = move.era.ts_ms if last_ms is None else last_ms - move.moved_ms

    def is_in_era(said_ms: int) -> bool:
        # Of a clock that was set back both eras may have said it: the longer one has samples.
        return move.has(said_ms) and (move.moved_ms > 0 or said_ms <= last_said_ms)

    runs = connection.execute(
        "SELECT id, start_ms, end_ms, boot_id = ? FROM run ORDER BY id", (move.era.boot_id,)
    ).fetchall()
    in_era = [bool(is_own) and is_in_era(said_ms) for _, said_ms, _, is_own in runs]
    starts = [
        said_ms + (move.moved_ms if is_moved else 0)
        for (_, said_ms, _, _), is_moved in zip(runs, in_era, strict=True)
    ]
    found: list[Life] = []
    for number, (id_, said_ms, end_ms, is_own) in enumerate(runs):
        if in_era[number]:
            is_followed = number + 1 < len(runs) and runs[number + 1][3]
            next_ms = starts[number + 1] if is_followed else None
            end = _end(reader, move, starts[number], end_ms, next_ms)
            found.append(Life(id_, said_ms, starts[number], end, began_in_era=True))
        elif is_own and found:
            found.append(Life(id_, said_ms, said_ms, None, began_in_era=False))
    return found


def _end(
    reader: Reader, move: Move, start_ms: int, end_ms: int | None, next_ms: int | None
) -> int | None:
    """When a run ended that began in the era, if it did so in it; ``next_ms``: the next began."""
    if end_ms is not None:
        return end_ms + move.moved_ms if move.has(end_ms) else None
    if next_ms is None or next_ms > move.true_ms[1]:
        return None
    return _last_ms(reader, move, next_ms) or start_ms


def _last_ms(reader: Reader, move: Move, before_ms: int) -> int | None:
    """When a sample of the era was read last before a time; all have their true times by now."""
    first_ms = move.first_ms + move.moved_ms
    found = [
        ts_ms
        for device in reader.devices()
        for segment in reader.segments(device.name, first_ms, before_ms)
        for ts_ms, clock in zip(segment.times(), segment.clocks(), strict=True)
        if clock == move.target
    ]
    return max(found, default=None)
