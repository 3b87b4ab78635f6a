"""Names what could not be saved: of which device, from when to when, and how many samples.

Of a block its own table or index says that. Of rows and batches only the keys are known that a lost
page may have had, and keys are times: where samples of a device are missing among those, as often
as it was read, they were lost. What a gap explains was not.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import attrs

from agent.model import GAP_INTERVALS
from agent.store.aggregates import QUARTER_MS
from agent.store.query import Reader
from agent.store.repair.checks import usual_length
from agent.store.repair.content import LostBlock, LostKeys
from agent.store.schema import SAMPLE_TABLES

# So much around a stretch is looked at: samples there tell how often there are any.
MARGINS_MS = (600_000, 86_400_000, 10**13)
FEW = 5  # samples do not tell how often there are any
AT_ONCE = 5000  # samples that are looked at together
EARLIEST_MS, LATEST_MS = -(10**14), 10**14

Stretch = tuple[int, int]


@attrs.frozen
class Loss:
    """Samples of a device that are lost; ``count`` may be off by some unless ``is_exact``."""

    device: str
    first_ms: int
    last_ms: int
    count: int
    is_exact: bool

    @property
    def text(self) -> str:
        """How much it is; nothing is known where nothing was saved that one could go by."""
        if not self.count:
            return "an unknown number of samples"
        about = "" if self.is_exact else "about "
        return f"{about}{self.count} sample{'' if self.count == 1 else 's'}"


def stretch_of(lost: LostKeys) -> Stretch | None:
    """The times that lost keys stand for; of some tables keys are no times."""
    scale = {**SAMPLE_TABLES, "batch": 1}.get(lost.table)
    if scale is None:
        return None
    first = EARLIEST_MS if lost.after is None else lost.after * scale // 1000
    last = LATEST_MS if lost.last is None else lost.last * scale // 1000
    return (first, last) if first <= last else None


def joined_stretches(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Stretches in order, with those together that touch, or nearly so.

    >>> joined_stretches([(5, 9), (1, 3), (8, 12)])
    [(1, 12)]
    """
    found: list[Stretch] = []
    for first, last in sorted(stretches):
        if found and first <= found[-1][1] + MARGINS_MS[0]:
            found[-1] = found[-1][0], max(last, found[-1][1])
        else:
            found.append((first, last))
    return found


def block_loss(reader: Reader, device: str, lost: LostBlock) -> Loss | None:
    """What a lost block costs; ``None`` where the store has some of it otherwise."""
    there = sum(
        segment.count for segment in reader.segments(device, lost.first_ms, lost.last_ms + 1)
    )
    if there:
        return None
    return Loss(device, lost.first_ms, lost.last_ms, lost.count, is_exact=True)


def missing_of(reader: Reader, device: str, counts: Iterable[tuple[int, int]]) -> Iterator[Loss]:
    """What is missing of so many samples in each quarter of an hour; those together that follow."""
    first_ms = last_ms = missing = 0
    for start_ms, count in [*counts, (LATEST_MS, 0)]:
        end_ms = start_ms + QUARTER_MS
        there = 0
        if count:
            there = sum(each.count for each in reader.segments(device, start_ms, end_ms))
        if missing and (count <= there or start_ms > last_ms):
            yield Loss(device, first_ms, last_ms, missing, is_exact=False)
            missing = 0
        if count > there:
            first_ms = first_ms if missing else start_ms
            last_ms, missing = end_ms, missing + count - there


def holes(reader: Reader, device: str, stretch: Stretch) -> Iterator[Loss | None]:
    """Where samples of a device are missing in a stretch of time; ``None`` after some work."""
    around = _wide_enough(reader, device, stretch)
    times: list[int] = []
    if reader.first_ms(device, around[0], stretch[0]) is None:
        # All before it is lost, too; but the device was known by then if there are gaps.
        gaps = reader.gaps(device, EARLIEST_MS, stretch[1])
        times += [max(stretch[0], gap.start_ms) for gap in gaps[:1]]
    for segment in reader.segments(device, *around):
        yield None
        times += segment.times()
        if len(times) >= AT_ONCE:
            yield from _holes(reader, device, times, stretch)
            times = times[-FEW:]
    next_ms = reader.first_ms(device, stretch[1] + 1, LATEST_MS)
    yield from _holes(reader, device, [*times, *_given(next_ms)], stretch)


def head(reader: Reader, device: str, start_ms: int) -> Loss | None:
    """What is missing before the first sample of a device, in a store that began then."""
    first_ms = reader.first_ms(device, EARLIEST_MS, LATEST_MS)
    if first_ms is None or first_ms <= start_ms:
        return None
    usual_ms = _usual_ms(reader, device, first_ms)
    if usual_ms is None or first_ms - start_ms <= GAP_INTERVALS * usual_ms:
        return None
    return Loss(device, start_ms, first_ms, round((first_ms - start_ms) / usual_ms), False)


def tail(reader: Reader, device: str, newest_ms: int, end_ms: int) -> Loss | None:
    """What is missing behind the last sample of a device that gave none since."""
    usual_ms = _usual_ms(reader, device, newest_ms)
    if usual_ms is None or end_ms - newest_ms <= GAP_INTERVALS * usual_ms:
        return None
    return Loss(device, newest_ms, end_ms, round((end_ms - newest_ms) / usual_ms), False)


def _usual_ms(reader: Reader, device: str, ts_ms: int) -> float | None:
    """How long it usually is from one sample to the next, around a time."""
    around = _wide_enough(reader, device, (ts_ms, ts_ms))
    times = {ts_ms for segment in reader.segments(device, *around) for ts_ms in segment.times()}
    lengths = [after - before for before, after in pairwise(sorted(times))]
    return usual_length(lengths) if len(lengths) >= FEW else None


def _wide_enough(reader: Reader, device: str, stretch: Stretch) -> Stretch:
    """A stretch with so much around it that one sees how often there are samples."""
    found = stretch
    for margin_ms in MARGINS_MS:
        found = stretch[0] - margin_ms, stretch[1] + margin_ms
        count, is_before = 0, False
        for segment in reader.segments(device, *found):
            count += segment.count
            is_before = is_before or min(segment.times()) < stretch[0]
            if count > FEW and is_before:
                return found
    return found


def _given(ts_ms: int | None) -> Iterator[int]:
    if ts_ms is not None:
        yield ts_ms


def _holes(reader: Reader, device: str, times: list[int], stretch: Stretch) -> Iterator[Loss]:
    steps = [*pairwise(sorted({*times}))]
    lengths = [after - before for before, after in steps if after > before]
    if len(lengths) < FEW:
        return
    usual_ms = usual_length(lengths)
    for before, after in steps:
        if after < stretch[0] or before > stretch[1]:
            continue
        if after - before <= GAP_INTERVALS * usual_ms:
            continue
        for first, last in _unexplained(reader, device, (before, after)):
            if last - first > GAP_INTERVALS * usual_ms:
                count = max(1, round((last - first) / usual_ms) - 1)
                yield Loss(device, first, last, count, is_exact=False)


def _unexplained(reader: Reader, device: str, hole: Stretch) -> Iterator[Stretch]:
    """What of a hole no gap is noted for."""
    start = hole[0]
    for gap in reader.gaps(device, *hole):
        if gap.start_ms > start:
            yield start, gap.start_ms
        start = max(start, hole[1] if gap.end_ms is None else gap.end_ms)
    if start < hole[1]:
        yield start, hole[1]
