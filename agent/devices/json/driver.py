"""Anything that speaks JSON: read by HTTP GET, or as lines over TCP or a serial port."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from agent.clock import Deadline
from agent.devices.contract import device_errors
from agent.devices.json.lines import LineTransport, Transport
from agent.devices.json.options import Options
from agent.devices.json.plan import make_plan
from agent.devices.json.values import Answer, RefusedError
from agent.devices.links.link import OpenLink
from agent.devices.links.serial_port import Line, serial_opener
from agent.devices.links.tcp import LookUp, connecting, tcp_opener
from agent.errors import DeviceError
from agent.model import Metric, Value


class Json:
    """Reads the values of one device.

    Args:
        options: Where and what; bad ones raise ``ConfigError`` or ``ValueError``.
        timeout_s: Bound of one whole ``read()``, connecting included.
        open_link: How it connects; over TCP or a serial port by default.
    """

    def __init__(
        self, options: Options, timeout_s: float, open_link: OpenLink | None = None
    ) -> None:
        self._options = options
        self._timeout_s = timeout_s
        self._where = options.where
        self._transport = _transport(options, open_link)
        self._plan = make_plan(options)
        self._is_utf8 = True
        self._has_read = False

    @property
    def metrics(self) -> Sequence[Metric]:
        return self._plan.metrics

    def read(self) -> Mapping[str, Value]:
        """All tags in the order of the configuration, or all values of the answer.

        A connection that was kept and turns out to be closed is opened again, once.
        """
        deadline = Deadline(self._timeout_s)
        try:
            answer = self._answer(deadline)
            with device_errors(f"reading {self._where}"):
                values = self._plan.values(answer.value)
        except DeviceError:
            self.close()  # an answer that is late must not meet the next request
            raise
        if not self._options.keep_open:
            self.close()
        self._is_utf8 = answer.is_utf8
        self._has_read = True
        return values

    def describe(self) -> Sequence[str]:
        """Where it is read, and how much of its answer is taken."""
        plan = self._plan.describe() if self._has_read else ()
        return [f"JSON from {self._where}", *plan]

    def warnings(self) -> Sequence[str]:
        """Tags that are missing or of another type, values that are left out."""
        found = list(self._plan.warnings) if self._has_read else []
        if not self._is_utf8:
            found.append("the answer is not in UTF-8: some letters of texts are lost")
        return found

    def close(self) -> None:
        self._transport.close()

    def _answer(self, deadline: Deadline) -> Answer:
        transport = self._transport
        if transport.is_open:
            with _errors(f"reading {self._where}"):
                try:
                    return transport.answer(deadline)
                except ConnectionError:  # the device closed it meanwhile, as many do
                    transport.close()
        refused = "nothing listens at this port, check it and the device"
        with (
            _errors(f"connecting to {self._where}"),
            connecting(self._where, deadline.timeout_s, refused),
        ):
            transport.open(deadline)
        with _errors(f"reading {self._where}"):
            return transport.answer(deadline)


def _transport(options: Options, open_link: OpenLink | None) -> Transport:
    if options.url:
        from agent.devices.json.address import parse_url
        from agent.devices.json.web import HttpTransport

        url = parse_url(options.url)
        return HttpTransport(options, open_link or tcp_opener(LookUp(url.host, url.port)))
    if options.serial is not None:
        line = Line(options.baud, options.parity, options.stop_bits, options.data_bits)
        return LineTransport(options, open_link or serial_opener(options.serial, line))
    look_up = LookUp(options.host or "", options.port or 0)
    return LineTransport(options, open_link or tcp_opener(look_up))


@contextmanager
def _errors(doing: str) -> Iterator[None]:
    with device_errors(doing):
        try:
            yield
        except RefusedError as exc:
            raise DeviceError(f"{doing}: {exc}", exc.reason) from exc
