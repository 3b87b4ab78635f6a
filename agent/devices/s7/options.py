"""What a ``[[device]]`` of kind ``s7`` and its tags may say, checked whole before anything runs."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Final

import attrs

from agent.config.options import Between, Host, Length, OneOf, OptionFault, Port
from agent.devices.contract import address_of
from agent.devices.s7.address import Address, parse
from agent.devices.s7.plan import PlannedTag
from agent.devices.s7.types import TYPES, Decode
from agent.devices.tags import AddressError, Factor, name_faults, scale_faults, scaling
from agent.errors import ConfigError
from agent.model import Metric, MetricType

PORT: Final = 102
CONNECTIONS: Final = {"PG": 1, "OP": 2, "BASIC": 3}
LOCAL_TSAP: Final = 0x0100
TSAP_FORM: Final = re.compile(r"(?:0[xX])?([0-9A-Fa-f]{2})\.?([0-9A-Fa-f]{2})")


@attrs.frozen
class Tag:
    """One value of the PLC: ``address`` as in TIA Portal, with the type in it or in ``type``.

    Numbers become ``value * scale + offset``, in ``unit``; both left out keep the PLC's number.
    """

    name: Annotated[str, Length(1, 100)]
    address: Annotated[str, Length(1, 100)]
    type: Annotated[str, Length(0, 40)] = ""
    unit: Annotated[str, Length(0, 40)] = ""
    scale: Factor = 1.0
    offset: Factor = 0.0
    help: Annotated[str, Length(0, 500)] = ""
    overlap: bool = False  # may share bytes with another tag

    def parse(self) -> Address:
        """Raises AddressError."""
        return parse(self.address, self.type)


@attrs.frozen
class Options:
    """Where the PLC is, how to talk to it, and what to read."""

    host: Host
    port: Port = PORT
    rack: Annotated[int, Between(0, 7)] = 0
    slot: Annotated[int, Between(0, 31)] = 1
    connection: Annotated[str, OneOf(tuple(CONNECTIONS))] = "OP"
    local_tsap: Annotated[str, Length(0, 10)] = ""
    remote_tsap: Annotated[str, Length(0, 10)] = ""
    pdu: Annotated[int, Between(240, 960, "bytes")] = 480
    merge_gap_bytes: Annotated[int, Between(0, 200, "bytes")] = 32
    tag: tuple[Tag, ...] = ()

    @property
    def where(self) -> str:
        """``host:port``."""
        return address_of(self.host, self.port)

    def check(self) -> Iterator[OptionFault]:
        """Every fault that the types of the options do not show."""
        yield from _tsap_faults(self)
        if not self.tag:
            yield OptionFault("tag", "no tag", "one [[device.tag]] or more, with name and address")
        yield from name_faults(self.tag)
        placed: list[tuple[int, Tag, Address]] = []
        for number, tag in enumerate(self.tag, 1):
            try:
                placed.append((number, tag, tag.parse()))
            except AddressError as error:
                yield error.fault(number)
            else:
                s7_type = placed[-1][2].s7_type
                yield from scale_faults(number, tag, s7_type.name, is_number=s7_type.is_number)
        yield from _overlap_faults(placed)

    def tsaps(self) -> tuple[int, int]:
        """Local and remote TSAP, those given or those of rack, slot and connection."""
        local, remote = parse_tsap(self.local_tsap), parse_tsap(self.remote_tsap)
        if local is not None and remote is not None:
            return local, remote
        return LOCAL_TSAP, CONNECTIONS[self.connection] << 8 | self.rack << 5 | self.slot

    def planned_tags(self) -> tuple[PlannedTag, ...]:
        """The tags as they are read.

        Raises:
            ConfigError: ``check()`` has faults for them.
        """
        return tuple(_planned(tag) for tag in self.tag)

    def metrics(self) -> tuple[Metric, ...]:
        """What the tags offer; ``ConfigError`` as above."""
        planned = self.planned_tags()
        return tuple(_metric(tag, one) for tag, one in zip(self.tag, planned, strict=True))


def parse_tsap(text: str) -> int | None:
    """Number of a TSAP; ``None`` where it is none.

    >>> parse_tsap("10.00") == parse_tsap("0x1000") == 0x1000
    True
    """
    match = TSAP_FORM.fullmatch(text.strip())
    return int(match[1] + match[2], 16) if match else None


def _planned(tag: Tag) -> PlannedTag:
    try:
        address = tag.parse()
    except AddressError as error:
        raise ConfigError(f"tag {tag.name!r}: {error}") from error
    decode = scaled(address.decoder(), address.type, tag.scale, tag.offset)
    return PlannedTag(tag.name, address, decode)


def _metric(tag: Tag, planned: PlannedTag) -> Metric:
    s7_type = planned.address.s7_type
    is_raw = tag.scale == 1.0 and tag.offset == 0.0
    metric_type = s7_type.metric if is_raw else MetricType.FLOAT
    unit = tag.unit or s7_type.unit
    return Metric(tag.name, unit, metric_type, tag.help or planned.address.canonical)


def _tsap_faults(options: Options) -> Iterator[OptionFault]:
    given = {"local_tsap": options.local_tsap, "remote_tsap": options.remote_tsap}
    for key, text in given.items():
        if text and parse_tsap(text) is None:
            yield OptionFault(key, text, 'four hex digits as "0100", "10.00" or "0x0200"')
        if not text and any(given.values()):
            other = next(name for name in given if name != key)
            yield OptionFault(key, "nothing", f"a TSAP too, since {other} is given", ", or neither")


def _overlap_faults(placed: Sequence[tuple[int, Tag, Address]]) -> Iterator[OptionFault]:
    """One fault for each tag that shares bytes with one before it in the PLC's memory."""
    open_tags: list[tuple[int, Tag, Address]] = []
    for number, tag, address in sorted(placed, key=_position):
        open_tags = [
            one
            for one in open_tags
            if (one[2].area, one[2].db) == (address.area, address.db) and one[2].end > address.start
        ]
        for other_number, other_tag, other in open_tags:
            if not (tag.overlap or other_tag.overlap or _may_share(address, other)):
                later, earlier = max(number, other_number), min(number, other_number)
                found = tag.address if later == number else other_tag.address
                name = other_tag.name if later == number else tag.name
                allowed = f"bytes that no other tag has: {name!r} (tag[{earlier}]) has some of them"
                hint = ", or overlap = true in one of the two"
                yield OptionFault(f"tag[{later}].address", found, allowed, hint)
                break
        open_tags.append((number, tag, address))


def _position(one: tuple[int, Tag, Address]) -> tuple[int, int, int, int, int]:
    number, _, address = one
    return address.area, address.db, address.start, -address.end, number


def _may_share(one: Address, other: Address) -> bool:
    bits = [address.type == "BOOL" for address in (one, other)]
    if all(bits):
        return one.bit != other.bit
    return any(bits) and (one.s7_type.is_bit_string or other.s7_type.is_bit_string)


def scaled(decode: Decode, name: str, scale: float, offset: float) -> Decode:
    """Decoder of ``value * scale + offset`` for a type of that name."""
    is_whole = TYPES[name].metric is MetricType.INT
    apply = scaling(scale, offset, is_whole=is_whole, is_real=name == "REAL")
    return decode if apply is None else lambda data, at: apply(decode(data, at))
