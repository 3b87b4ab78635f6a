"""What one poll of a Modbus device found, and what is remembered of tags that can't be read."""

from typing import Final

import attrs

from agent.devices.modbus.losses import Loss
from agent.devices.modbus.plan import Block, PlannedTag
from agent.devices.modbus.types import Cells
from agent.model import Reason, Value

RETRY_EVERY: Final = 60  # reads at most; a tag that was refused is tried again then
LONGEST_WAIT_S: Final = 30.0  # a silent unit is asked again then: that stops the others for a while


@attrs.frozen
class Now:
    """When a poll happens: how many there were, this one included, and seconds that only rise."""

    reads: int
    clock_s: float


@attrs.frozen
class Unread:
    """Why a tag can't be read, and from when on it is tried again: each time after twice as long.

    ``is_of_unit``: the whole unit is silent, the tag itself may be good, and ``due`` and ``wait``
    are seconds, else reads. ``is_alone``: it was refused by itself, and would take others with it.
    """

    text: str
    due: float
    wait: float
    is_of_unit: bool = False
    is_alone: bool = False
    reason: Reason = Reason.REFUSED

    def is_due(self, now: Now) -> bool:
        """Whether to try it again."""
        return self.due <= (now.clock_s if self.is_of_unit else now.reads)


@attrs.define
class Poll:
    """One ``read()``: values so far, and what was refused or lost."""

    values: dict[str, Value]
    invalid: dict[str, Cells] = attrs.Factory(dict)
    refused: list[tuple[Block, str]] = attrs.Factory(list)  # with more than one tag
    lost_units: dict[int, Loss] = attrs.Factory(dict)
    _lost: dict[str, tuple[str, bool]] = attrs.Factory(dict)  # text, and whether alone
    _read: set[str] = attrs.Factory(set)

    @property
    def has_read(self) -> bool:
        """Whether any tag was read, be its value valid or not."""
        return bool(self._read)

    def decode(self, block: Block, cells: Cells) -> None:
        """Put the values of an answer in their places."""
        start = block.request.start
        for tag in block.tags:
            offset = tag.address.start - start
            value = self.values[tag.name] = tag.decode(cells, offset)
            self._read.add(tag.name)
            if value is None and not (tag.is_missing and tag.is_missing(cells, offset)):
                self.invalid[tag.name] = cells[offset : offset + tag.address.size]

    def lose(self, block: Block, text: str) -> None:
        """The device refuses these tags."""
        for tag in block.tags:
            is_alone = len(block.tags) == 1
            self._lost[tag.name] = f"{tag.address.canonical}: {text}", is_alone

    def unread(self, tag: PlannedTag, before: Unread | None, now: Now) -> Unread | None:
        """What to remember of a tag; ``None`` once it was read."""
        if tag.name in self._read:
            return None
        if before is not None and not before.is_due(now):
            return before  # it was not its turn
        is_of_unit = tag.name not in self._lost
        wait = 1.0
        if before is not None and before.is_of_unit == is_of_unit:
            wait = min(2 * before.wait, LONGEST_WAIT_S if is_of_unit else RETRY_EVERY)
        if is_of_unit:
            loss, due = self.lost_units[tag.unit_id], now.clock_s + wait
            return Unread(loss.text, due, wait, is_of_unit=True, reason=loss.reason)
        text, is_alone = self._lost[tag.name]
        return Unread(text, now.reads + wait, wait, is_alone=is_alone)
