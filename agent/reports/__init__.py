"""Roll-ups on demand and on time, in their folders, and the end of the old ones."""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import date, time, timedelta, tzinfo
from pathlib import Path

import attrs

from agent.clock import CLOCK_SET_MS, Clock
from agent.config.schema import WEEKDAYS, Config, ReportsSection
from agent.errors import AgentError, ConfigError, StoreError
from agent.files import TEMPORARY
from agent.reports import periods
from agent.reports.manifest import is_made, is_scheduled, manifest_path
from agent.reports.periods import Period
from agent.reports.rollup import Progress, RollUp, write
from agent.store import Reader
from agent.words import counted

__all__ = ["Reports", "RollUp"]

log = logging.getLogger(__name__)

STALE_MS = 86_400_000
CATCH_UP_DAYS = 7  # roll-ups of so many days are made up for: a week that the agent was down


@attrs.frozen
class Due:
    """A roll-up that the schedule asks for."""

    span: str
    period: Period
    is_newest: bool


class Reports:
    """Makes roll-ups from the store; knows where they go and how long they stay."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        zone: tzinfo,
        *,
        flush: Callable[[], object] | None = None,
        scheduled_zone: tzinfo | None = None,
        wait_s: float = 0.0,  # a poll that began before a report's time may take so long to end
    ) -> None:
        self._config = config
        self._options: ReportsSection = config.reports
        self._data_dir = config.data_dir
        self._store_path = config.store_path
        self._clock = clock
        self._zone = zone
        self._scheduled_zone = scheduled_zone or zone
        self._flush = flush
        self._wait_ms = round(wait_s * 1000)
        self._at = time.fromisoformat(config.reports.time)

    def folder(self, device: str, span: str | None) -> Path:
        """Where roll-ups of a device go; without a span, those of a stretch the user names."""
        base = str(self._data_dir / Path(self._options.dir).expanduser())
        pattern = "{dir}/{device}"
        if span is not None:
            pattern = self._options.daily_dir if span == "daily" else self._options.weekly_dir
        return self._data_dir / pattern.replace("{dir}", base).replace("{device}", device)

    def devices(self, wanted: Sequence[str]) -> list[str]:
        """The devices of these names that have data in the store; all of them for an empty list.

        Raises:
            StoreError: The store can't be read, or has no data of a device yet.
            ConfigError: There is no such device.
        """
        if self._flush is not None:
            self._flush()
        with Reader(self._store_path) as reader:
            known = [device.name for device in reader.devices()]
        return [self._named(name, known) for name in wanted] or known

    def make(
        self,
        device: str,
        span: str | None,
        period: Period,
        *,
        output: Path | None = None,
        units: bool | None = None,
        progress: Progress | None = None,
    ) -> RollUp:
        """The roll-up of one device, beside the scheduled one of its name if that is another.

        Raises:
            StoreError: The store can't be read.
            AgentError: A file can't be written.
        """
        if self._flush is not None:
            self._flush()
        units = self._options.units if units is None else units
        scheduled = self._is_scheduled(span, period, units=units)
        path = output or self._path(device, span, period)
        if output is None and span is not None and not scheduled and is_scheduled(path):
            path = path.with_name(f"{periods.stem_at_end(span, period, self._zone)}.csv")
        try:
            with Reader(self._store_path) as reader:
                return write(
                    reader,
                    device,
                    period,
                    path,
                    self._zone,
                    units=units,
                    is_scheduled=scheduled,
                    progress=progress,
                )
        except OSError as exc:
            raise AgentError(f"cannot write {path}: {exc.strerror or exc}") from exc

    def period(self, span: str, *, day: date | None = None, calendar: bool | None = None) -> Period:
        """The period of a roll-up: of ``day``, else the one that is newest now."""
        calendar = self._options.calendar if calendar is None else calendar
        now_ms = self._clock.now_ms()
        if calendar:
            yesterday = periods.local_date(now_ms, self._zone) - timedelta(days=1)
            return periods.calendar_days(span, day or yesterday, self._zone)
        if day is not None:
            return periods.up_to(span, day, self._at, self._zone)
        return periods.last_hours(span, now_ms, self._zone)

    def make_due(self) -> None:
        """Make what ``[reports] time`` asked for in the last days and is not there yet."""
        now_ms = self._clock.now_ms()
        if now_ms < CLOCK_SET_MS or not self._store_path.exists():
            return
        try:
            names = self.devices([])
        except AgentError as exc:
            log.error("report: %s", exc)
            return
        due = list(self._due(now_ms))
        for name in names:
            try:
                for span, period in self._missing(name, due):
                    made = self.make(name, span, period)
                    log.info("report: %s, %s", made.path, counted(made.rows, "row"))
            except AgentError as exc:  # of this device: the others are made
                log.error("report: %s", exc)

    def delete_old(self) -> None:
        """Delete roll-ups whose date is more than ``keep_days`` back, and say which."""
        if not self._options.keep_days or not self._store_path.exists():
            return
        now_ms = self._clock.now_ms()
        oldest = periods.local_date(now_ms, self._zone) - timedelta(days=self._options.keep_days)
        with Reader(self._store_path) as reader:
            names = [device.name for device in reader.devices()]
        for folder, span in {(self.folder(n, s), s) for n in names for s in periods.DAYS}:
            stems = (path.stem for path in folder.glob(f"*_{span}.csv"))
            gone = [stem for day, stem in periods.dates_of(stems, span) if day < oldest]
            for stem in sorted(gone):
                path = folder / f"{stem}.csv"
                log.info("report: deleting %s, older than %d days", path, self._options.keep_days)
                path.unlink(missing_ok=True)
                manifest_path(path).unlink(missing_ok=True)
            for path in folder.glob(f".*_{span}.*{TEMPORARY}"):  # left by a power cut
                if now_ms - path.stat().st_mtime * 1000 > STALE_MS:
                    path.unlink(missing_ok=True)

    def _path(self, device: str, span: str | None, period: Period) -> Path:
        return self.folder(device, span) / f"{period.stem}.csv"

    def _is_scheduled(self, span: str | None, period: Period, *, units: bool) -> bool:
        """Whether this is all that the schedule makes: not in another zone, not too early."""
        return (
            span is not None
            and CLOCK_SET_MS <= period.end_ms <= self._clock.now_ms()
            and units == self._options.units
            and str(self._zone) == str(self._scheduled_zone)
            and period == self.period(span, day=periods.day_of(period))
        )

    def _due(self, now_ms: int) -> Iterator[Due]:
        """What the schedule asked for, from the newest back as far as roll-ups are kept."""
        newest = periods.latest_due(now_ms - self._wait_ms, self._at, self._zone)
        keep_days = self._options.keep_days or CATCH_UP_DAYS
        oldest = periods.local_date(now_ms, self._zone) - timedelta(days=keep_days)
        for number in range(min(keep_days, CATCH_UP_DAYS)):
            day = newest - timedelta(days=number)
            covered = day - timedelta(days=1) if self._options.calendar else day
            if covered >= oldest:
                for span in self._spans(day):
                    yield Due(span, self.period(span, day=covered), is_newest=not number)

    def _missing(self, device: str, due: Sequence[Due]) -> list[tuple[str, Period]]:
        """What is not there, and for which there is data."""
        try:
            missing = [each for each in due if not self._is_there(device, each)]
        except OSError as exc:
            raise AgentError(f"cannot read reports of {device}: {exc.strerror or exc}") from exc
        if not missing:
            return []
        wanted = [each.period for each in missing]
        with Reader(self._store_path) as reader:
            # A device that is new or gone has no data for long: that is found out once.
            first_ms = reader.first_ms(
                device, min(p.start_ms for p in wanted), max(p.end_ms for p in wanted)
            )
            return [
                (each.span, each.period)
                for each in missing
                if first_ms is not None
                and first_ms < each.period.end_ms
                and reader.first_ms(device, each.period.start_ms, each.period.end_ms) is not None
            ]

    def _is_there(self, device: str, due: Due) -> bool:
        path = self._path(device, due.span, due.period)
        if not due.is_newest and is_scheduled(path):
            return True  # after a change of settings old ones stay: their data may be gone
        return is_made(path, due.period, self._zone, units=self._options.units)

    def _spans(self, day: date) -> Iterator[str]:
        if self._options.daily:
            yield "daily"
        weekly_day = self._options.weekly_day
        if self._options.weekly and weekly_day in ("every", WEEKDAYS[day.weekday()]):
            yield "weekly"

    def _named(self, name: str, known: Sequence[str]) -> str:
        for each in known:
            if each.lower() == name.lower():
                return each
        if self._config.device(name) is not None:
            have = ", ".join(known) or "nothing yet"
            raise StoreError(f"no device {name!r} has data, there is: {have}")
        names = {each.name for each in self._config.devices} | set(known)
        raise ConfigError(f"no device {name!r}, there is: {', '.join(sorted(names)) or 'none'}")
