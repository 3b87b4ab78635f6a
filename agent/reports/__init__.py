"""Roll-ups on demand and on time, in their folders, and the end of the old ones."""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import date, time, timedelta, tzinfo
from pathlib import Path

from agent.clock import CLOCK_SET_MS, Clock
from agent.config.schema import WEEKDAYS, Config, ReportsSection
from agent.errors import AgentError, StoreError
from agent.files import TEMPORARY
from agent.reports import periods
from agent.reports.periods import Period
from agent.reports.rollup import Progress, RollUp, is_made, manifest_path, write
from agent.store import Reader

__all__ = ["Reports", "RollUp"]

log = logging.getLogger(__name__)

STALE_MS = 86_400_000


class Reports:
    """Makes roll-ups from the store; knows where they go and how long they stay."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        zone: tzinfo,
        *,
        flush: Callable[[], object] | None = None,
    ) -> None:
        self._options: ReportsSection = config.reports
        self._data_dir = config.data_dir
        self._store_path = config.store_path
        self._clock = clock
        self._zone = zone
        self._flush = flush
        self._at = time.fromisoformat(config.reports.time)

    def folder(self, device: str, span: str | None) -> Path:
        """Where roll-ups of a device go; without a span, those of a stretch the user names."""
        base = str(self._data_dir / Path(self._options.dir).expanduser())
        pattern = "{dir}/{device}"
        if span is not None:
            pattern = self._options.daily_dir if span == "daily" else self._options.weekly_dir
        return self._data_dir / pattern.replace("{dir}", base).replace("{device}", device)

    def make(
        self,
        devices: Sequence[str],
        span: str | None,
        period: Period,
        *,
        output: Path | None = None,
        units: bool | None = None,
        progress: Callable[[str], Progress] | None = None,
    ) -> Iterator[RollUp]:
        """One roll-up for each device that has data in the store; all of them for an empty list.

        Raises:
            StoreError: The store can't be read, or knows no such device.
            AgentError: A file can't be written.
        """
        if self._flush is not None:
            self._flush()
        with Reader(self._store_path) as reader:
            known = [device.name for device in reader.devices()]
            names = [_named(name, known) for name in devices] or known
            for name in names:
                path = output or self._path(name, span, period)
                try:
                    yield write(
                        reader,
                        name,
                        period,
                        path,
                        self._zone,
                        units=self._options.units if units is None else units,
                        progress=progress(name) if progress else None,
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
        """Make what the newest ``[reports] time`` asked for and is not there yet."""
        now_ms = self._clock.now_ms()
        if now_ms < CLOCK_SET_MS or not self._store_path.exists():
            return
        day = periods.latest_due(now_ms, self._at, self._zone)
        for span in self._spans(day):
            covered = day - timedelta(days=1) if self._options.calendar else day
            period = self.period(span, day=covered)
            try:
                self._make_missing(span, period)
            except AgentError as exc:
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

    def _make_missing(self, span: str, period: Period) -> None:
        with Reader(self._store_path) as reader:
            missing = [
                device.name
                for device in reader.devices()
                if not is_made(self._path(device.name, span, period), period, self._zone)
                and reader.layouts(device.name, period.start_ms, period.end_ms)
            ]
        if missing:
            for made in self.make(missing, span, period):
                log.info("report: %s, %d rows", made.path, made.rows)

    def _spans(self, day: date) -> Iterator[str]:
        if self._options.daily:
            yield "daily"
        weekly_day = self._options.weekly_day
        if self._options.weekly and weekly_day in ("every", WEEKDAYS[day.weekday()]):
            yield "weekly"


def _named(name: str, known: Sequence[str]) -> str:
    for each in known:
        if each.lower() == name.lower():
            return each
    raise StoreError(f"no device {name!r} has data, there is: {', '.join(known) or 'nothing yet'}")
