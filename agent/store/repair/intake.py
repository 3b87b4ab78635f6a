"""Takes what is found in a damaged store, and hands it on in pieces worth a transaction."""

from collections.abc import Iterator

from agent.model import Reason
from agent.store.codec import Block, Damaged
from agent.store.planning import Extent, groups
from agent.store.repair.content import Line, LostBlock, LostKeys
from agent.store.repair.target import OldBlock, OldGap, OldRow, Target

ROWS_AT_ONCE, BATCHES_AT_ONCE, VALUES_AT_ONCE = 500, 200, 250_000
REASONS = frozenset(Reason)

Run = tuple[str, str, int, int | None]  # boot id, version, start and end


class Intake:
    """``saved`` samples are in the store; the rest is what is still to be said of the file."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._rows: list[OldRow] = []
        self._batches: dict[int, list[OldBlock]] = {}
        self._extents: dict[int, Extent] = {}  # of those batches
        self._gaps: list[tuple[int, int, int | None, str, str]] = []
        self._runs: list[Run] = []
        self.saved = 0
        self.lost_keys: list[LostKeys] = []
        self.lost_blocks: list[LostBlock] = []
        self.newest: dict[int, int] = {}  # time of the last sample, by old number of the device
        self.oldest_ms: int | None = None  # of all

    def take(self, found: Line | LostKeys | LostBlock) -> bool:
        """Whether that was much work."""
        if isinstance(found, LostKeys):
            self.lost_keys.append(found)
            return False
        if isinstance(found, LostBlock):
            self.lost_blocks.append(found)
            return False
        match found.table, found.record:
            case "block", (None, int(device), int(first), int(last), int(), int(), int(n), data):
                return self._block(LostBlock(device, first, last, n), data)
            case "batch", (None, int(device), data):
                return self._batch(found, device, data)
            case "row" | "host_row", (None, int(dev), int(ts), int(layout), int(clock), str(v)):
                return self._row(OldRow(found.table, found.key, dev, ts, layout, clock, v))
            case "gap", (None, int(device), int(start), int() | None as end, str(why), str(detail)):
                if why in REASONS:
                    self._gaps.append((device, start, end, why, detail))
            case "run", (None, str(boot_id), str(version), int(start), int() | None as end):
                self._runs.append((boot_id, version, start, end))
        return False

    def _block(self, about: LostBlock, data: object) -> bool:
        block = _block_of(data, about.device)
        if block is None or (block.block.first_ms, block.block.count) != (
            about.first_ms,
            about.count,
        ):
            self.lost_blocks.append(about)
            return False
        self._note_times(about.device, block.block.first_ms, block.block.last_ms)
        try:
            self.saved += self._target.add_blocks([block])
        except Damaged:
            self.lost_blocks.append(about)
        return True

    def _batch(self, line: Line, device: int, data: object) -> bool:
        batch = _block_of(data, device)
        if batch is None:
            self.lost_keys.append(LostKeys("batch", line.key - 1, line.key))
            return False
        self._note_times(device, batch.block.first_ms, batch.block.last_ms)
        own = self._batches.setdefault(device, [])
        own.append(batch)
        extent = Extent.of(batch.block)
        if len(own) > 1:
            extent = self._extents[device] + extent
        self._extents[device] = extent
        if len(own) < BATCHES_AT_ONCE and extent.values < VALUES_AT_ONCE and extent.fits:
            return False
        self._add_batches(device)
        return True

    def _add_batches(self, device: int) -> None:
        own = sorted(self._batches.pop(device, ()), key=lambda each: each.block.first_key)
        for group in groups([Extent.of(each.block) for each in own]):
            part = own[group.start : group.stop]
            try:
                self.saved += self._target.add_blocks(part)
            except Damaged:
                self.lost_keys += [_keys_of(each.block) for each in part]

    def _row(self, row: OldRow) -> bool:
        self._rows.append(row)
        self._note_times(row.device, row.ts_ms, row.ts_ms)
        if len(self._rows) < ROWS_AT_ONCE:
            return False
        self._add_rows()
        return True

    def _add_rows(self) -> None:
        alike: dict[tuple[str, int, int], list[OldRow]] = {}
        for row in self._rows:
            alike.setdefault((row.table, row.device, row.layout), []).append(row)
        self._rows.clear()
        for rows in alike.values():
            saved, damaged = self._target.add_rows(rows)
            self.saved += saved
            self.lost_keys += [LostKeys(row.table, row.key - 1, row.key) for row in damaged]

    def rest(self) -> Iterator[None]:
        """Hand on what is left, one piece after the other."""
        self._add_rows()
        yield
        for device in list(self._batches):
            self._add_batches(device)
            yield
        end_ms = self.end_ms
        self._target.add_gaps(
            OldGap(device, start, max(start, end_ms) if end is None else end, why, detail)
            for device, start, end, why, detail in self._gaps
        )
        yield
        self._target.add_runs(sorted(self._runs, key=lambda run: -run[2]))

    @property
    def is_whole(self) -> bool:
        """Whether all that there should be could be read."""
        return not self.lost_keys and not self.lost_blocks

    @property
    def end_ms(self) -> int:
        """When the agent was last heard of in the file."""
        ends = [end for *_, end in self._runs if end is not None]
        return max([*self.newest.values(), *ends], default=0)

    @property
    def began_ms(self) -> int | None:
        """When the agent was first heard of in it."""
        return min((start for _, _, start, _ in self._runs), default=None)

    def _note_times(self, device: int, first_ms: int, last_ms: int) -> None:
        self.newest[device] = max(last_ms, self.newest.get(device, last_ms))
        self.oldest_ms = first_ms if self.oldest_ms is None else min(first_ms, self.oldest_ms)


def _block_of(data: object, device: int) -> OldBlock | None:
    """A block, if it is one of that device and not damaged."""
    if not isinstance(data, bytes):
        return None
    try:
        block = Block(data)
    except Damaged:
        return None
    return OldBlock(data, block) if block.device == device else None


def _keys_of(block: Block) -> LostKeys:
    return LostKeys("batch", block.first_ms * 1000 - 1, block.last_ms * 1000)
