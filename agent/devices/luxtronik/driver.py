"""A Luxtronik 2.x heat pump controller, read over its configuration interface."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from agent.clock import Deadline, monotonic_s
from agent.devices.contract import device_errors
from agent.devices.links.link import OpenLink
from agent.devices.links.tcp import LookUp, connecting, tcp_opener
from agent.devices.luxtronik.connection import Answer, Connection, UnansweredError
from agent.devices.luxtronik.layout import Layout, chosen, early_layout
from agent.devices.luxtronik.options import Options
from agent.devices.luxtronik.tables import entry
from agent.devices.luxtronik.unit import absent_probes, firmware_of, heat_pump_type
from agent.devices.luxtronik.wire import CALCULATIONS, Table
from agent.errors import DeviceError
from agent.model import Metric, Value

CONNECT_S: Final = 5.0  # a controller in the house is connected in milliseconds
REOPEN_AFTER_S: Final = 10.0  # controllers have crashed when they were reconnected faster
ANSWER_S: Final = 1.0  # to connect and read everything takes 0.1 s
REFUSED: Final = (
    "older controllers listen at 8888, newer at 8889; or another program may hold its only "
    "connection"
)
USUAL_VALUES: Final = 500  # even firmware of 2013 has three times as many


class Luxtronik:
    """Reads all tables of one controller over one connection, which stays open between polls.

    Args:
        options: Where and what.
        timeout_s: Bound of one whole ``read()``, connecting included.
        open_link: How it connects; over TCP by default.
        monotonic_s: Seconds that only rise, for the age of the connection.
        wait: Lets so many seconds pass.
    """

    def __init__(
        self,
        options: Options,
        timeout_s: float,
        open_link: OpenLink | None = None,
        monotonic_s: Callable[[], float] = monotonic_s,
        wait: Callable[[float], None] | None = None,
    ) -> None:
        self._options = options
        self._timeout_s = timeout_s
        self._address = options.where
        self._open_link = open_link or tcp_opener(LookUp(options.host, options.port))
        self._monotonic_s = monotonic_s
        self._wait = wait or _wait
        self._tables = tuple(chosen(options))
        self._layout: Layout | None = None
        self._connection: Connection | None = None
        self._opened_s = 0.0
        self._found: Answer | None = None  # the calculations of the last read

    @property
    def metrics(self) -> Sequence[Metric]:
        return self._known_layout().metrics

    def read(self) -> Mapping[str, Value]:
        """All values of the tables; an answer of few values is an error, a gap in the data."""
        deadline = Deadline(self._timeout_s)
        try:
            first, *others = self._tables
            answers = [self._ask_first(first, deadline)]
            answers += [self._ask(table, deadline) for table in others]
            with device_errors(f"reading {self._address}"):
                return self._accept(answers)
        except DeviceError:
            self.close()  # an answer that is late must not meet the next request
            raise

    def describe(self) -> Sequence[str]:
        """Address, firmware and type, sizes of the tables, and probes that are not there."""
        return list(self._sentences())

    def warnings(self) -> Sequence[str]:
        """A status that is not usual, and fewer values than any known controller has."""
        found, layout = self._found, self._layout
        if found is None or layout is None:
            return []
        texts = []
        if found.status != 0:
            texts.append(
                "the controller gives its measurements with a status other than 0, which may mean "
                "that it is busy; they are kept as they came"
            )
        reads_all = self._options.parameters and self._options.visibilities
        if reads_all and len(layout.metrics) < USUAL_VALUES:
            texts.append(
                f"the controller gives fewer than {USUAL_VALUES} values, usual are 1600 or more"
            )
        return texts

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _known_layout(self) -> Layout:
        if self._layout is None:
            self._layout = early_layout(self._options)
        return self._layout

    def _accept(self, answers: Sequence[Answer]) -> Mapping[str, Value]:
        counts = {
            table: len(each.values) for table, each in zip(self._tables, answers, strict=True)
        }
        layout = self._known_layout()
        if layout.counts != counts:
            layout = Layout(counts, self._options)
        if len(layout.metrics) < self._options.min_values:
            came = ", ".join(f"{count} {table.name}" for table, count in counts.items())
            raise ValueError(
                f"wanted {self._options.min_values} values or more (min_values), got {came}; "
                "the controller may be starting"
            )
        values = layout.values([each.values for each in answers])
        self._layout, self._found = layout, answers[0]
        return values

    def _ask_first(self, table: Table, deadline: Deadline) -> Answer:
        """Ask over the connection that is open; anew if the controller closed it meanwhile."""
        if self._connection is not None:
            with device_errors(self._reading(table)):
                try:
                    return self._connection.ask(table, deadline)
                except UnansweredError as exc:
                    self.close()
                    self._wait_to_reopen(exc, deadline)
        self._connect(deadline)
        return self._ask(table, deadline)

    def _wait_to_reopen(self, why: UnansweredError, deadline: Deadline) -> None:
        wait_s = self._opened_s + REOPEN_AFTER_S - self._monotonic_s()
        if wait_s <= 0:
            return
        if wait_s + ANSWER_S > deadline.left_s():
            text = f"{why}; raise interval_s to {REOPEN_AFTER_S:g} or more"
            raise UnansweredError(text) from why
        self._wait(wait_s)

    def _ask(self, table: Table, deadline: Deadline) -> Answer:
        assert self._connection is not None
        with device_errors(self._reading(table)):
            return self._connection.ask(table, deadline)

    def _reading(self, table: Table) -> str:
        return f"reading {self._address} ({table.name})"

    def _connect(self, deadline: Deadline) -> None:
        within_s = min(CONNECT_S, deadline.left_s())
        with connecting(self._address, within_s, REFUSED):
            self._connection = Connection(self._open_link(Deadline(within_s)))
        self._opened_s = self._monotonic_s()

    def _sentences(self) -> Iterator[str]:
        found, layout = self._found, self._layout
        if found is None or layout is None:
            yield f"Luxtronik controller at {self._address}"
            return
        firmware = firmware_of(found.values) or "unknown"
        kind = heat_pump_type(found.values) or "unknown"
        yield f"Luxtronik controller at {self._address}, firmware {firmware}, heat pump {kind}"
        sizes = ", ".join(f"{count} {table.name}" for table, count in layout.counts.items())
        known = len(layout.metrics) - layout.unknown
        yield f"{sizes} a poll; {known} values have a known name, {layout.unknown} have none"
        if absent := absent_probes(found.values):
            names = ", ".join(entry(CALCULATIONS, index).title for index in absent)
            yield f"no probe, by the constant value -50.0 °C: {names}"
        if found.status != 0:
            yield f"status {found.status} with the calculations, usual is 0"


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)
