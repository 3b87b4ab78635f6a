"""What ``report`` does and prints, with progress where it takes long."""

import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, tzinfo
from pathlib import Path

import attrs

from agent.clock import SystemClock
from agent.config import Config
from agent.config.schema import TimeZone
from agent.console.output import checked_output
from agent.console.table import size_text
from agent.errors import AgentError, ConfigError
from agent.reports import Reports, RollUp
from agent.reports.periods import Period, between, parse_moment
from agent.reports.rollup import Progress
from agent.words import counted
from agent.zones import zone_of

QUIET_S = 2.0  # progress is shown after this time


def report_made(
    config: Config,
    *,
    devices: tuple[str, ...],
    span: str | None,
    start: str | None,
    end: str | None,
    day: str | None,
    calendar: bool | None,
    zone: str | None,
    units: bool | None,
    output: Path | None,
    as_json: bool,
) -> str:
    """Make all reports that were asked for; a line for each.

    Raises:
        ConfigError: The options do not go together, or there is no such device.
        StoreError: There is no store, or no data of a device in it.
        AgentError: Some could not be made; those that could are printed.
    """
    if zone is not None and not TimeZone().allows(zone):
        raise ConfigError(
            f"--timezone: found {zone!r}, allowed: {TimeZone()}{TimeZone().hint(zone)}"
        )
    if (span is None) == (start is None):
        raise ConfigError("say which report: --daily, --weekly, or --from TIME [--to TIME]")
    if span is not None and end is not None:
        raise ConfigError("--to goes with --from")
    if span is None and (day is not None or calendar is not None):
        raise ConfigError("--date and --calendar go with --daily or --weekly")
    if output is not None:
        output = _checked_output(output, devices, config)
    clock = SystemClock()
    here = zone_of(zone or config.agent.timezone)
    own = zone_of(config.agent.timezone)
    reports = Reports(config, clock, here, scheduled_zone=own)
    if span is not None:
        period = _of_day(reports, span, day, calendar)
    else:
        period = _between(start or "", end, clock, here)
    console = _Console(clock)
    made, errors = [], []
    for name in reports.devices(devices):
        progress = console.progress(name)
        try:
            made.append(
                reports.make(name, span, period, output=output, units=units, progress=progress)
            )
        except AgentError as exc:  # of this device: the others are made
            errors.append(exc)
    console.clear()
    text = _text(made, as_json=as_json)
    if errors:
        console.show(text)
        raise _all_of(errors)
    return text


def _text(made: Sequence[RollUp], *, as_json: bool) -> str:
    if as_json:
        facts = [attrs.asdict(each) | {"path": str(each.path)} for each in made]
        return json.dumps(facts, indent=1, ensure_ascii=False)
    if not made:
        return "no device has data yet, there is nothing to report"
    return "\n".join(
        f"{each.path}  {_rows(each.rows)}, {size_text(each.size_bytes)}"
        + (f", {each.gaps} gap{'s' if each.gaps > 1 else ''}" if each.gaps else "")
        for each in made
    )


def _rows(rows: int) -> str:
    return counted(rows, "row") if rows else "nothing is stored of that time"


def _all_of(errors: Sequence[AgentError]) -> AgentError:
    """The first error, with a line for each."""
    error = AgentError("\n".join(str(each) for each in errors))
    error.exit_code = errors[0].exit_code
    return error


def _checked_output(output: Path, devices: tuple[str, ...], config: Config) -> Path:
    if len(devices) != 1:
        raise ConfigError("--output takes one device: agent report ... DEVICE --output FILE")
    return checked_output(output, config)


def _of_day(reports: Reports, span: str, day: str | None, calendar: bool | None) -> Period:
    try:
        wanted = None if day is None else date.fromisoformat(day)
        return reports.period(span, day=wanted, calendar=calendar)
    except (ValueError, OverflowError) as exc:  # OverflowError: at either end of the calendar
        raise ConfigError(f"--date: found {day!r}, allowed: a date such as 2026-11-20") from exc


def _between(start: str, end: str | None, clock: SystemClock, zone: tzinfo) -> Period:
    moments = []
    for option, text in (("--from", start), ("--to", end)):
        try:
            moments.append(clock.now_ms() if text is None else parse_moment(text, zone))
        except (ValueError, OverflowError) as exc:
            allowed = "a date or time such as 2026-11-20 or 2026-11-20T07:00"
            raise ConfigError(f"{option}: found {text!r}, allowed: {allowed}") from exc
    if moments[0] >= moments[1]:
        raise ConfigError("--from is not before --to")
    try:
        return between(moments[0], moments[1], zone)
    except (ValueError, OverflowError) as exc:  # at either end of the calendar
        named = f"--from {start!r}" + ("" if end is None else f" or --to {end!r}")
        raise ConfigError(f"{named} is too far away") from exc


class _Console:
    """Shows how far a report is, on a terminal, once it takes longer than two seconds."""

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock
        self._began_s = clock.monotonic()
        self._shown = False

    def progress(self, device: str) -> Progress:
        def show(rows: int) -> None:
            late = self._clock.monotonic() - self._began_s > QUIET_S
            if late and sys.stderr.isatty():
                self._shown = True
                sys.stderr.write(f"\r\x1b[K{device}: {counted(rows, 'row')}")
                sys.stderr.flush()

        return show

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")

    def show(self, text: str) -> None:
        """Print what was made before an error is; who listens no more does not matter then."""
        encoding = sys.stdout.encoding or "utf-8"
        with suppress(OSError):
            sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            sys.stdout.flush()
