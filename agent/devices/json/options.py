"""What a ``[[device]]`` of kind ``json`` and its tags may say, checked before anything runs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final

import attrs

from agent.config.options import Between, Claim, Host, Length, OneOf, OptionFault, Port, Secret
from agent.devices.contract import address_of
from agent.devices.json.address import Header, UrlError, header_faults, parse_url, text_faults
from agent.devices.json.path import Step, parse_path
from agent.devices.links.serial_port import BaudRate, Parity, SerialPath
from agent.devices.tags import AddressError, Factor, name_faults, scale_faults
from agent.errors import ConfigError
from agent.model import Metric, MetricType

TYPES: Final = tuple(each.name for each in MetricType)
# What means something for one way alone; elsewhere another value than the default is a mistake.
ONLY_HTTP: Final = ("headers", "verify_tls", "user", "password")
ONLY_SERIAL: Final = ("baud", "parity", "stop_bits", "data_bits")
ONLY_LINES: Final = ("request", "line_end")


@attrs.frozen
class Type:
    """A metric's type, or none: then the first value tells."""

    def allows(self, value: str) -> bool:
        return not value or value in TYPES

    def hint(self, value: str) -> str:
        return f", did you mean {value.upper()!r}?" if value.upper() in TYPES else ""

    def __str__(self) -> str:
        return f"one of {', '.join(map(repr, TYPES))}, or nothing: the first value tells"


@attrs.frozen
class Tag:
    """One value of the answer: ``path`` leads to it, as ``main.temp`` or ``list[0].x``.

    Numbers become ``value * scale + offset``, in ``unit``; both left out keep the device's number.
    """

    name: Annotated[str, Length(1, 100)]
    path: Annotated[str, Length(1, 500)]
    type: Annotated[str, Type()] = ""
    unit: Annotated[str, Length(0, 40)] = ""
    scale: Factor = 1.0
    offset: Factor = 0.0
    help: Annotated[str, Length(0, 500)] = ""

    @property
    def is_scaled(self) -> bool:
        """Whether its number is another than the device's."""
        return (self.scale, self.offset) != (1.0, 0.0)

    @property
    def metric_type(self) -> MetricType | None:
        """The type of its metric; ``None`` until the first value tells."""
        if self.is_scaled:
            return MetricType.FLOAT
        return MetricType[self.type] if self.type else None

    def steps(self) -> tuple[Step, ...]:
        """Raises AddressError."""
        return parse_path(self.path)

    def metric(self, known: MetricType | None) -> Metric:
        """What it offers, with the type that is known by now."""
        return Metric(self.name, self.unit, known or MetricType.FLOAT, self.help or self.path)


@attrs.frozen
class Options:
    """Where the device is, by exactly one way, how to ask it, and what to take of its answer."""

    url: Annotated[str, Length(0, 2000)] = ""
    host: Host | None = None
    port: Port | None = None
    serial: SerialPath | None = None
    baud: BaudRate = 115200
    parity: Parity = "none"
    stop_bits: Annotated[int, Between(1, 2)] = 1
    data_bits: Annotated[int, Between(7, 8)] = 8
    request: Annotated[str, Length(0, 1000)] = ""
    line_end: Annotated[str, OneOf(("\n", "\r\n", "\r"))] = "\n"
    keep_open: bool = True
    max_bytes: Annotated[int, Between(256, 16 * 1024 * 1024, "bytes")] = 65536
    headers: tuple[Header, ...] = ()
    verify_tls: bool = True
    user: Annotated[str, Length(0, 255)] = ""
    password: Secret | None = None
    tag: tuple[Tag, ...] = ()

    def check(self) -> Iterator[OptionFault]:
        """Every fault that the types of the options do not show."""
        yield from self._way_faults()
        if self.url:
            try:
                parse_url(self.url)
            except UrlError as error:
                yield OptionFault("url", error.found or self.url, error.allowed, error.hint)
        yield from header_faults(self.headers, self.user, self.password)
        yield from text_faults("serial", self.serial or "", "the path of a serial port")
        yield from text_faults("request", self.request, "one line; line_end follows by itself")
        yield from name_faults(self.tag)
        for number, tag in enumerate(self.tag, 1):
            try:
                tag.steps()
            except AddressError as error:
                yield error.fault(number)
            is_number = tag.type in ("", MetricType.FLOAT.name, MetricType.INT.name)
            yield from scale_faults(number, tag, tag.type, is_number=is_number)

    @property
    def where(self) -> str:
        """The address as texts show it; of an URL without what may be a secret."""
        if self.url:
            return parse_url(self.url).shown
        if self.serial is not None:
            return self.serial
        return address_of(self.host or "", self.port or 0)

    @property
    def claims(self) -> Sequence[Claim]:
        """The serial port."""
        return [Claim(f"the serial port {self.serial}")] if self.serial else []

    def planned_tags(self) -> Mapping[str, tuple[Step, ...]]:
        """The way to the value of each tag, by name.

        Raises:
            ConfigError: ``check()`` has faults for them.
        """
        try:
            return {tag.name: tag.steps() for tag in self.tag}
        except AddressError as error:
            raise ConfigError(str(error)) from error

    def _way_faults(self) -> Iterator[OptionFault]:
        ways = {"url": self.url, "host": self.host, "serial": self.serial}
        given = [key for key, value in ways.items() if value]
        if not given:
            allowed = 'one of url = "http://...", host and port, or serial = "/dev/..."'
            yield OptionFault("url", "nothing", allowed)
            return
        for key in given[1:]:
            yield OptionFault(key, ways[key], f"one way to the device alone, there is {given[0]}")
        if self.host and self.port is None:
            allowed = "the TCP port of the device; for HTTP write url in place of host"
            yield OptionFault("port", "nothing", allowed)
        if not self.host and self.port is not None:
            yield OptionFault("port", self.port, f"no port: it goes with host, there is {given[0]}")
        unfit: list[tuple[tuple[str, ...], str]] = [] if self.url else [(ONLY_HTTP, "url")]
        unfit += [] if self.serial else [(ONLY_SERIAL, "serial")]
        unfit += [(ONLY_LINES, "host or serial")] if self.url else []
        for keys, way in unfit:
            for key in keys:
                if getattr(self, key) != _default(key):
                    found: Any = getattr(self, key)
                    found = "a secret" if isinstance(found, Secret) else found
                    allowed = f"nothing: {key} goes with {way}, there is {given[0]}"
                    yield OptionFault(key, [] if key == "headers" else found, allowed)


def _default(key: str) -> Any:
    return next(field.default for field in attrs.fields(Options) if field.name == key)
