"""What a ``[[device]]`` of kind ``modbus`` and its tags may say, checked before anything runs."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final

import attrs

from agent.config.options import Between, Claim, Host, Length, OneOf, OptionFault, Port
from agent.devices.contract import address_of
from agent.devices.links.serial_port import BaudRate, Line, Parity, SerialPath
from agent.devices.modbus.address import BIT_AREAS, Address, parse
from agent.devices.modbus.plan import MOST_BITS, MOST_REGISTERS, Limits, PlannedTag
from agent.devices.modbus.types import TYPES, Order, can_be_missing, missing_test
from agent.devices.tags import AddressError, Factor, name_faults, scale_faults, scaling
from agent.errors import ConfigError
from agent.model import Metric, MetricType

MODBUS_PORT: Final = 502
ORDERS: Final = ("big", "little")
FIRST_UNIT, LAST_UNIT = 1, 247  # on a serial line: 0 calls all, those above are reserved
ByteOrder = Annotated[str, OneOf(ORDERS)]
OwnOrder = Annotated[str, OneOf(("", *ORDERS))]
UnitId = Annotated[int, Between(0, 255)]


@attrs.frozen
class Tag:
    """One value: ``address`` with its type in it or in ``type``.

    Numbers become ``value * scale + offset``, in ``unit``; both left out keep the device's number.
    A raw number that is ``missing`` means "not available".
    """

    name: Annotated[str, Length(1, 100)]
    address: Annotated[str, Length(1, 100)]
    type: Annotated[str, Length(0, 40)] = ""
    unit: Annotated[str, Length(0, 40)] = ""
    scale: Factor = 1.0
    offset: Factor = 0.0
    help: Annotated[str, Length(0, 500)] = ""
    unit_id: UnitId | None = None  # another than the device's
    missing: Annotated[int, Between(-(2**63), 2**64 - 1)] | None = None
    word_order: OwnOrder = ""  # "": the device's
    byte_order: OwnOrder = ""

    def parse(self) -> Address:
        """Raises AddressError."""
        return parse(self.address, self.type)


@attrs.frozen
class Options:
    """Where the device is, on a network or a serial line, how to talk to it, and what to read."""

    host: Host = ""
    port: Port = MODBUS_PORT
    serial: SerialPath = ""
    baud: BaudRate = 9600
    parity: Parity = "even"
    stop_bits: Annotated[int, Between(1, 2)] = 1
    unit_id: UnitId = 1
    word_order: ByteOrder = "big"
    byte_order: ByteOrder = "big"
    max_registers: Annotated[int, Between(1, MOST_REGISTERS)] = MOST_REGISTERS
    max_bits: Annotated[int, Between(1, MOST_BITS)] = MOST_BITS
    merge_gap: Annotated[int, Between(0, 100)] = 8
    pause_ms: Annotated[int, Between(0, 10_000, "ms")] = 0
    tag: tuple[Tag, ...] = ()

    @property
    def where(self) -> str:
        """``host:port`` or the path of the port."""
        return self.serial or address_of(self.host, self.port)

    @property
    def claims(self) -> Sequence[Claim]:
        """The serial port."""
        hint = "a device may have tags of several units: unit_id in [[device.tag]]"
        return [Claim(f"the serial port {self.serial}", hint)] if self.serial else []

    @property
    def line(self) -> Line:
        """How the serial line is set."""
        return Line(self.baud, self.parity, self.stop_bits)

    @property
    def limits(self) -> Limits:
        return Limits(self.max_registers, self.max_bits, self.merge_gap)

    def unit_of(self, tag: Tag) -> int:
        """The unit that has a tag."""
        return self.unit_id if tag.unit_id is None else tag.unit_id

    def order_of(self, tag: Tag) -> Order:
        """How the numbers of a tag are laid out."""
        return Order(tag.word_order or self.word_order, tag.byte_order or self.byte_order)

    def check(self) -> Iterator[OptionFault]:
        """Every fault that the types of the options do not show."""
        yield from _place_faults(self)
        if not self.tag:
            yield OptionFault("tag", "no tag", "one [[device.tag]] or more, with name and address")
        yield from name_faults(self.tag)
        for number, tag in enumerate(self.tag, 1):
            try:
                address = tag.parse()
            except AddressError as error:
                yield error.fault(number)
            else:
                is_number = TYPES[address.type].is_number
                yield from scale_faults(number, tag, address.type, is_number=is_number)
                yield from _missing_faults(number, tag, address)
                yield from self._size_faults(number, tag, address)
            if self.serial and tag.unit_id is not None:
                yield from _unit_faults(f"tag[{number}].unit_id", tag.unit_id)

    def _size_faults(self, number: int, tag: Tag, address: Address) -> Iterator[OptionFault]:
        if address.area not in BIT_AREAS and address.size > self.max_registers:
            allowed = f"a value of at most max_registers = {self.max_registers} registers"
            hint = f", {address.type} has {address.size}"
            yield OptionFault(f"tag[{number}].address", tag.address, allowed, hint)

    def planned_tags(self) -> tuple[PlannedTag, ...]:
        """The tags as they are read.

        Raises:
            ConfigError: ``check()`` has faults for them.
        """
        return tuple(self._planned(tag) for tag in self.tag)

    def _planned(self, tag: Tag) -> PlannedTag:
        try:
            address = tag.parse()
        except AddressError as error:
            raise ConfigError(f"tag {tag.name!r}: {error}") from error
        order = self.order_of(tag)
        decode = address.decoder(order)
        apply = scaling(
            tag.scale,
            tag.offset,
            is_whole=TYPES[address.type].metric is MetricType.INT,
            is_real=address.type == "FLOAT32",
        )
        unit_id = self.unit_of(tag)
        scaled = decode if apply is None else lambda cells, at: apply(decode(cells, at))
        if tag.missing is None or not can_be_missing(address.type, tag.missing):
            return PlannedTag(tag.name, unit_id, address, scaled)
        is_missing = missing_test(address.type, tag.missing, order)
        return PlannedTag(
            tag.name,
            unit_id,
            address,
            lambda cells, at: None if is_missing(cells, at) else scaled(cells, at),
            is_missing,
        )

    def metrics(self) -> tuple[Metric, ...]:
        """What the tags offer; ``ConfigError`` as above."""
        planned = self.planned_tags()
        return tuple(_metric(tag, one) for tag, one in zip(self.tag, planned, strict=True))


def _metric(tag: Tag, planned: PlannedTag) -> Metric:
    is_raw = tag.scale == 1.0 and tag.offset == 0.0
    metric_type = TYPES[planned.address.type].metric if is_raw else MetricType.FLOAT
    place = f"{planned.address.canonical}, in data sheets {planned.address.classic}"
    place += f", unit {planned.unit_id}" if tag.unit_id is not None else ""
    return Metric(tag.name, tag.unit, metric_type, tag.help or place)


def _place_faults(options: Options) -> Iterator[OptionFault]:
    if not options.host and not options.serial:
        allowed = 'an address or a name such as "192.168.0.10"'
        yield OptionFault("host", "nothing", allowed, ', or serial = "/dev/ttyUSB0" for RTU')
    if options.host and options.serial:
        yield OptionFault("serial", options.serial, "host or serial, not both")
    elif options.host:
        for key in ("baud", "parity", "stop_bits"):
            if getattr(options, key) != getattr(attrs.fields(Options), key).default:
                yield OptionFault(key, getattr(options, key), "only with serial")
    elif options.port != MODBUS_PORT:
        yield OptionFault("port", options.port, "only with host; a serial line has none")
    if options.serial:
        yield from _unit_faults("unit_id", options.unit_id)


def _unit_faults(key: str, unit_id: int) -> Iterator[OptionFault]:
    if not FIRST_UNIT <= unit_id <= LAST_UNIT:
        yield OptionFault(key, unit_id, f"{FIRST_UNIT} to {LAST_UNIT} on a serial line")


def _missing_faults(number: int, tag: Tag, address: Address) -> Iterator[OptionFault]:
    if tag.missing is not None and not can_be_missing(address.type, tag.missing):
        allowed = f"a number that a {address.type} can be"
        if not TYPES[address.type].is_number:
            allowed = f"no missing: {address.type} is no number"
        yield OptionFault(f"tag[{number}].missing", tag.missing, allowed)


def units_text(units: Sequence[int]) -> str:
    """For people.

    >>> units_text([1]), units_text([1, 2, 5])
    ('unit 1', 'units 1, 2 and 5')
    """
    if len(units) == 1:
        return f"unit {units[0]}"
    return f"units {', '.join(map(str, units[:-1]))} and {units[-1]}"
