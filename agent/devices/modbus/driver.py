"""A Modbus device, or several on one line or behind one gateway, over TCP or RTU."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from agent.clock import Deadline, monotonic_s
from agent.devices.contract import device_errors
from agent.devices.links.link import OpenLink
from agent.devices.modbus.connection import Connection
from agent.devices.modbus.doubt import Doubts
from agent.devices.modbus.losses import UNIT_ERRORS, Loss, loss_after
from agent.devices.modbus.opening import connect, opener
from agent.devices.modbus.options import Options, units_text
from agent.devices.modbus.plan import Block, make_plan
from agent.devices.modbus.poll import Now, Poll, Unread
from agent.devices.modbus.refusals import (
    ILLEGAL_FUNCTION,
    LATER,
    OF_UNIT,
    RefusedError,
    exception_text,
)
from agent.devices.modbus.types import BITS, Cells
from agent.errors import DeviceError
from agent.model import Metric, Reason, Value

SEARCH_SHARE: Final = 0.5  # of the time that a poll may take; looking on goes on in the next one
SHORTEST_SHARE_S: Final = 0.01


class Modbus:
    """Reads the tags of one or more units, in as few requests as their answers can hold.

    Answers on a serial line carry no number: those of equal size that come in another order than
    they were asked for, and an exception that is late, are not noticed.

    Args:
        options: Where and what; bad tags raise ``ConfigError``.
        timeout_s: Bound of one whole ``read()``, connecting included.
        open_link: How it connects; over TCP or the serial port by default.
        clock: Seconds that only rise.
    """

    def __init__(
        self,
        options: Options,
        timeout_s: float,
        open_link: OpenLink | None = None,
        clock: Callable[[], float] = monotonic_s,
    ) -> None:
        # pymodbus takes long to load: now, not for commands that only know of a device, nor
        # within the time that the first read has.
        from agent.devices.modbus import codec  # noqa: F401

        self._options = options
        self._timeout_s = timeout_s
        self._clock = clock
        self._open_link = open_link or opener(options)
        self._tags = {tag.name: tag for tag in options.planned_tags()}
        self._units = sorted({tag.unit_id for tag in self._tags.values()})
        self._metrics = options.metrics()
        self._connection: Connection | None = None
        self._unread: dict[str, Unread] = {}
        self._invalid: Mapping[str, Cells] = {}
        self._cuts: set[str] = set()  # tags that begin a request of their own
        self._blocks = self._make_plan()
        self._reads = 0
        self._doubts = Doubts(self._plan_of, options.limits, timeout_s, clock)

    @property
    def metrics(self) -> Sequence[Metric]:
        return self._metrics

    @property
    def tag_errors(self) -> Mapping[str, str]:
        """Why tags are ``None``: refused by the device, or no value of their type."""
        invalid = {
            name: f"{self._invalid_text(name)}, got {' '.join(f'{cell:04x}' for cell in cells)}"
            for name, cells in self._invalid.items()
        }
        return {name: unread.text for name, unread in self._unread.items()} | invalid

    def read(self) -> Mapping[str, Value]:
        """All tags in the order of the configuration.

        A tag that the device refuses, and those of a unit that is silent while others answer, are
        ``None``. Tags are tried again after 1, 2, 4 and so on up to 60 reads, units up to 30 s. If
        nothing can be read, that is a DeviceError.
        """
        deadline = Deadline(self._timeout_s)
        try:
            is_fresh = self._connection is None
            if self._connection is None:
                self._connection = self._connect(deadline)
            with device_errors(f"reading {self._options.where}"):
                try:
                    return self._read(deadline)
                except ConnectionError:
                    if is_fresh:
                        raise
            self._hang_up()  # devices close connections that nobody used for a while
            self._connection = self._connect(deadline)
            with device_errors(f"reading {self._options.where}"):
                return self._read(deadline)
        except DeviceError:
            self.close()  # an answer that is late must not meet the next request
            raise

    def describe(self) -> Sequence[str]:
        """Where it is, how many requests a poll takes, each tag's place and what is wrong there."""
        return list(self._sentences())

    def warnings(self) -> Sequence[str]:
        """Each tag's error, without its bits, which may move."""
        silent = {each.text: None for each in self._unread.values() if each.is_of_unit}
        found = [f"{text}; its tags are empty" for text in silent]
        found += [f"{name}: {it.text}" for name, it in self._unread.items() if not it.is_of_unit]
        return found + [f"{name}: {self._invalid_text(name)}" for name in self._invalid]

    def close(self) -> None:
        self._hang_up()
        self._unread, self._invalid, self._cuts = {}, {}, set()
        self._blocks = self._make_plan()

    def _connect(self, deadline: Deadline) -> Connection:
        return connect(self._options, self._open_link, self._doubts, deadline)

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _make_plan(self) -> tuple[Block, ...]:
        readable = [tag for name, tag in self._tags.items() if name not in self._unread]
        return make_plan(readable, self._options.limits, self._cuts)

    def _plan_of(self, unit_id: int) -> Sequence[Block]:
        own = [tag for tag in self._tags.values() if tag.unit_id == unit_id]
        return make_plan(own, self._options.limits, self._cuts)

    def _read(self, deadline: Deadline) -> Mapping[str, Value]:
        self._reads += 1
        poll = Poll(dict.fromkeys(self._tags))
        now = Now(self._reads, self._clock())
        due = [name for name, unread in self._unread.items() if unread.is_due(now)]
        cuts = self._cuts.union(name for name in due if self._unread[name].is_alone)
        again = make_plan((self._tags[name] for name in due), self._options.limits, cuts)
        self._run((*self._blocks, *again), poll, deadline)
        has_searched = self._search(poll, deadline)
        self._remember(poll, now, has_searched=has_searched)
        if not poll.has_read:
            self._fail()
        self._invalid = poll.invalid
        return poll.values

    def _run(self, blocks: Sequence[Block], poll: Poll, deadline: Deadline) -> None:
        assert self._connection is not None
        for number, block in enumerate(blocks):
            request = block.request
            if request.unit_id in poll.lost_units:
                continue
            try:
                share = self._share(blocks[number:], poll, deadline)
                cells = self._connection.ask(request, share)
            except RefusedError as error:
                self._note_refusal(block, error.code, poll)
            except UNIT_ERRORS as error:
                if len(self._units) == 1:
                    raise
                poll.lost_units[request.unit_id] = loss_after(error, request.unit_id)
            else:
                poll.decode(block, cells)

    def _share(self, blocks: Sequence[Block], poll: Poll, deadline: Deadline) -> Deadline:
        """As long as one unit may be silent, so that the others can still answer."""
        if len(self._units) == 1:
            return deadline
        left = len({block.request.unit_id for block in blocks} - poll.lost_units.keys())
        if left == 1:
            return deadline
        return Deadline(max(round(deadline.left_s() / left, 2), SHORTEST_SHARE_S))

    def _note_refusal(self, block: Block, code: int, poll: Poll) -> None:
        text = exception_text(code, block.request)
        unit_id = block.request.unit_id
        if code in LATER and len(self._units) == 1:
            raise DeviceError(f"reading {self._options.where}: {text}", Reason.REFUSED)
        if code in LATER:
            poll.lost_units[unit_id] = Loss(f"unit {unit_id}: {text}", Reason.REFUSED)
        elif code in OF_UNIT:
            poll.lost_units[unit_id] = Loss(text, Reason.UNREACHABLE)
        elif code == ILLEGAL_FUNCTION or len(block.tags) == 1:
            poll.lose(block, text)
        else:
            poll.refused.append((block, text))

    def _search(self, poll: Poll, deadline: Deadline) -> bool:
        """Split what was refused until only the bad tags are left, or the time for it is over.

        Returns:
            Whether there was anything to split.
        """
        has_searched = bool(poll.refused)
        while poll.refused and self._may_search(deadline):
            refused, poll.refused = poll.refused, []
            for block, _ in refused:
                self._cuts |= block.cuts()
            tags = [tag for block, _ in refused for tag in block.tags]
            self._run(make_plan(tags, self._options.limits, self._cuts), poll, deadline)
        for block, text in poll.refused:
            poll.lose(block, text)
        return has_searched

    def _may_search(self, deadline: Deadline) -> bool:
        try:
            return deadline.left_s() > self._timeout_s * (1 - SEARCH_SHARE)
        except TimeoutError:
            return False

    def _remember(self, poll: Poll, now: Now, *, has_searched: bool) -> None:
        """What this poll learned about the tags that can't be read."""
        before = self._unread
        self._unread = {
            name: unread
            for name, tag in self._tags.items()
            if (unread := poll.unread(tag, before.get(name), now))
        }
        if any(it.is_alone and name not in self._unread for name, it in before.items()):
            self._cuts = set()  # the device has changed: perhaps all can be read at once again
        if has_searched or before.keys() != self._unread.keys():
            self._blocks = self._make_plan()

    def _fail(self) -> None:
        first = next(iter(self._unread.values()), None)
        text = "no tag is configured" if first is None else first.text
        reason = Reason.REFUSED if first is None else first.reason
        if first is not None and not first.is_of_unit:
            text = f"no tag could be read: {text}"
        raise DeviceError(f"reading {self._options.where}: {text}", reason)

    def _invalid_text(self, name: str) -> str:
        address = self._tags[name].address
        return f"{address.canonical}: wanted a valid {address.type}"

    def _sentences(self) -> Iterator[str]:
        options, blocks = self._options, self._blocks
        units = units_text(self._units or [options.unit_id])
        if options.serial:
            bits = f"{options.stop_bits} stop bit{'s' if options.stop_bits > 1 else ''}"
            line = f"{options.baud} baud, parity {options.parity}, {bits}"
            yield f"Modbus RTU at {options.serial}, {line}, {units}"
        else:
            yield f"Modbus TCP at {options.where}, {units}"
        size = sum(block.request.size_bytes for block in blocks) * 8 // BITS
        requests = f"{len(blocks)} request{'s' if len(blocks) != 1 else ''}"
        yield f"{len(self._tags)} tags, {size} registers in {requests} a poll"
        errors = self.tag_errors
        helped = {tag.name for tag in options.tag if tag.help}  # of others it is the place
        for name, tag in self._tags.items():
            at = tag.address
            unit = f" of unit {tag.unit_id}" if len(self._units) > 1 else ""
            place = f"{at.canonical}{unit}, in data sheets {at.classic}"
            if name in errors or name in helped:
                yield f"{name}: {errors.get(name, place)}"
