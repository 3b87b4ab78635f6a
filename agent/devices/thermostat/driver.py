"""A Sinara 8451 thermostat, read over TCP: its report at each poll, its settings now and then."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from agent.clock import Deadline, monotonic_s
from agent.devices.contract import device_errors
from agent.devices.links.link import OpenLink
from agent.devices.links.tcp import LookUp, connecting, tcp_opener
from agent.devices.thermostat.facts import facts
from agent.devices.thermostat.fields import Decoder, Row, standard_metrics
from agent.devices.thermostat.options import PORT, Options
from agent.devices.thermostat.session import Session, UnaskedError, ask_report
from agent.devices.thermostat.settings import Settings
from agent.devices.thermostat.turn import Turn
from agent.devices.thermostat.watch import Watch
from agent.devices.thermostat.wire import Json, RefusedError
from agent.errors import DeviceError
from agent.model import Metric, Reason, Value

FULL: Final = "it serves 4 connections at once, perhaps other programs have them"
NO_THERMOSTAT: Final = f"is this a Sinara 8451 thermostat? it listens at port {PORT}"
SELDOM_S: Final = 1.0  # for all settings together, which take 0.1 s; polls are not to wait
WARNINGS: Final = 8  # of one sort at a time
UNASKED: Final = "it sent lines that nobody asked for, so the connection was made anew"


class Thermostat:
    """Reads all channels over one connection that stays open.

    Args:
        options: Where, and whether settings are read.
        timeout_s: Bound of one whole ``read()``, connecting included.
        open_link: How it connects; over TCP by default.
        monotonic_s: Seconds that only rise, for what is asked seldom.
    """

    def __init__(
        self,
        options: Options,
        timeout_s: float,
        open_link: OpenLink | None = None,
        monotonic_s: Callable[[], float] = monotonic_s,
    ) -> None:
        self._options = options
        self._timeout_s = timeout_s
        self._address = options.where
        self._open_link = open_link or tcp_opener(LookUp(options.host, options.port))
        self._monotonic_s = monotonic_s
        self._metrics = standard_metrics()
        self._session: Session | None = None
        self._decoder = Decoder()
        self._settings = Settings()
        self._watch = Watch()
        self._is_known = False  # it has been read, so it is a thermostat
        self._facts: Mapping[str, str] | None = None
        self._facts_turn = Turn()
        self._values: Mapping[str, Value] = {}
        self._warnings: Sequence[str] = ()

    @property
    def metrics(self) -> Sequence[Metric]:
        return self._metrics

    def read(self) -> Mapping[str, Value]:
        """Each field of the report for each channel, then the settings as they were found last.

        A connection that broke since the last poll is made anew once. Settings that can't be read
        are a warning; a report that can't be is a DeviceError.
        """
        deadline = Deadline(self._timeout_s)
        try:
            with _errors(f"reading {self._address}"):
                warnings, report = self._report(deadline)
                row = self._decoder.row(report)
        except DeviceError:
            self.close()  # an answer that is late must not meet the next request
            raise
        self._is_known = True
        warnings += self._watch.look(report, row.values, self._monotonic_s())
        if self._watch.restarted:
            self._settings.expire()
        if self._options.settings:
            self._ask_seldom(deadline)
        self._warnings = [*warnings, *_some(row.problems), *_some(self._settings.problems)]
        return self._combined(row)

    def describe(self) -> Sequence[str]:
        """What it is, what it says of itself, and how its channels are."""
        return list(self._sentences())

    def warnings(self) -> Sequence[str]:
        """Lost sensors, old samples, values that are none, settings that are not known."""
        return list(self._warnings)

    def close(self) -> None:
        """What was learned is forgotten: the device may be another when we connect again."""
        self._drop()
        self._settings.forget(self._monotonic_s())
        self._facts_turn.hurry(self._monotonic_s())
        self._decoder.forget()
        self._watch.forget()
        self._facts = None
        self._warnings = ()

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _report(self, deadline: Deadline) -> tuple[list[str], Mapping[int, Mapping[str, Json]]]:
        warnings = []
        if self._session is not None:
            try:
                return [], ask_report(self._session, deadline)
            except UnaskedError:
                warnings = [UNASKED]
            except ConnectionError:  # it restarted, or closed what had been idle
                pass
            self._drop()
            self._settings.expire()
        self._session = self._connect(deadline)
        hint = "" if self._is_known else f"; {NO_THERMOSTAT}"
        try:
            return warnings, ask_report(self._session, deadline)
        except UnaskedError as exc:
            raise ValueError(f"{exc}; telnet servers speak first{hint}") from exc
        except ConnectionError as exc:
            raise ConnectionAbortedError(f"{exc.strerror or exc}; {FULL}") from exc
        except TimeoutError as exc:
            raise TimeoutError(f"{exc}{hint}") from exc
        except ValueError as exc:
            raise ValueError(f"{exc}{hint}") from exc

    def _connect(self, deadline: Deadline) -> Session:
        refused = f"{FULL}; or no thermostat is there, the port is {PORT}"
        with connecting(self._address, deadline.timeout_s, refused, FULL):
            return Session(self._open_link(deadline))

    def _ask_seldom(self, deadline: Deadline) -> None:
        """Settings, and facts once; a device that does not answer them is read nevertheless."""
        session, now_s = self._session, self._monotonic_s()
        assert session is not None
        are_facts_due = self._facts is None and now_s >= self._facts_turn.due_s
        try:
            seldom = Deadline(min(SELDOM_S, deadline.left_s()))

            def ask(query: str) -> Json:
                return session.ask(query, seldom)

            self._settings.refresh(ask, now_s)
            if are_facts_due:
                self._facts = facts(ask)
                self._facts_turn.succeed(now_s)
        except (OSError, ValueError):
            if are_facts_due:
                self._facts_turn.fail(now_s)
            self._drop()  # an answer that is late must not meet the next request

    def _combined(self, row: Row) -> Mapping[str, Value]:
        values, metrics = dict(row.values), list(row.metrics)
        taken = {name.lower() for name in values}
        for metric, value in self._settings.rows():
            if metric.name.lower() not in taken:
                metrics.append(metric)
                values[metric.name] = value
        if tuple(metrics) != self._metrics:
            self._metrics = tuple(metrics)
        self._values = values
        return values

    def _sentences(self) -> Iterator[str]:
        generation, query = self._settings.generation
        known = f", firmware generation {generation} ({query})" if generation else ""
        yield f"Thermostat at {self._address}{known}"
        for name, text in (self._facts or {}).items():
            yield f"{name}: {text}"
        yield from self._watch.sentences(self._values)


def _some(problems: Sequence[str]) -> Sequence[str]:
    """Not more than a log can do with."""
    rest = len(problems) - WARNINGS
    return problems if rest <= 1 else [*problems[:WARNINGS], f"and {rest} more like these"]


@contextmanager
def _errors(doing: str) -> Iterator[None]:
    with device_errors(doing):
        try:
            yield
        except RefusedError as exc:
            text = f"wanted a report, the device answered with the error {exc}"
            raise DeviceError(f"{doing}: {text}", Reason.BAD_DATA) from exc
