"""Texts and numbers that stand for a time, as UTC ms; local ones in the zone of the user."""

import re
from datetime import UTC, datetime, timedelta, tzinfo

from agent.importing.reading import shown

EARLIEST_MS = 946_684_800_000  # 2000-01-01: whoever wrote an earlier time had a clock never set
NUMBER = re.compile(r"[+-]?\d{1,20}(?:\.\d{0,9})?", re.ASCII)
GERMAN = re.compile(
    r"(\d\d?)\.(\d\d?)\.(\d{4})[ T](\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d{1,6}))?)?", re.ASCII
)
FRACTION = re.compile(r":\d\d[.,]\d", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
UNITS = ((10**11, 1000), (10**14, 1), (10**17, 1 / 1000))  # below: seconds, ms, microseconds
CORRECTION_MS = 60_000  # a clock that is set back by less was put right, and did not change zones
CLOSE_MS = 600_000  # rows that follow each other so closely are of one pass through an hour,
CLOSE = 1.5  # or no further apart than so many times the two before


class Times:
    """The times of one file, row by row: a local hour that comes twice is told by the order."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._last_ms: int | None = None
        self._step_ms = 0  # between the last two
        self._is_unproven = False  # in which pass through a repeated hour the last row lies
        self.doubt = ""
        """Why the last time may be another, empty where it can't."""

    def of(self, raw: object) -> int:
        """A time in UTC ms.

        Raises:
            ValueError: It is none.
        """
        self.doubt = ""
        if isinstance(raw, str):
            text = raw.strip()
            if NUMBER.fullmatch(text):
                found = of_number(float(text) if "." in text else int(text))
            else:
                found = self._moment(parsed(text))
        elif isinstance(raw, int | float) and not isinstance(raw, bool):
            found = of_number(raw)
        else:
            raise _no_time(raw)
        if self._last_ms is not None:
            self._step_ms = found - self._last_ms
        self._last_ms = found
        return found

    def _moment(self, moment: datetime) -> int:
        if moment.tzinfo is not None:
            return _ms(moment)
        early = moment.replace(tzinfo=self._zone, fold=0)
        late = early.replace(fold=1)
        if early.utcoffset() == late.utcoffset():
            self._is_unproven = False
            return _ms(early)
        return self._chosen(moment, _ms(early), _ms(late))

    def _chosen(self, moment: datetime, early_ms: int, late_ms: int) -> int:
        """One of two: of an hour that comes twice, or one that is left out."""
        if late_ms < early_ms:
            self.doubt = f"{moment} does not exist in {self._zone}, the clock is set forward then"
            return early_ms
        last_ms = self._last_ms
        if last_ms is None:
            self._is_unproven = True
        elif early_ms < last_ms - CORRECTION_MS and late_ms >= last_ms - CORRECTION_MS:
            self._is_unproven = False
            return late_ms
        elif not -CORRECTION_MS <= early_ms - last_ms <= max(CLOSE_MS, CLOSE * self._step_ms):
            self._is_unproven = True
        if self._is_unproven:
            self.doubt = f"{moment} comes twice in {self._zone}, taken for the first of the two"
        return early_ms


def parsed(text: str) -> datetime:
    """ISO 8601, or as a German spreadsheet shows it; without an offset it is a local time.

    >>> parsed("20.11.2026 13:00").isoformat(), parsed("2026-11-20T12:00:00.5Z").isoformat()
    ('2026-11-20T13:00:00', '2026-11-20T12:00:00.500000+00:00')

    Raises:
        ValueError: Neither.
    """
    try:
        german = GERMAN.fullmatch(text)
        if german is None:
            return datetime.fromisoformat(text)
        day, month, year, hour, minute, second, fraction = german.groups("0")
        return datetime(  # noqa: DTZ001 - the zone is that of the user
            int(year), int(month), int(day), int(hour), int(minute), int(second),
            int(fraction.ljust(6, "0")),
        )  # fmt: skip
    except ValueError as exc:
        raise _no_time(text) from exc


def of_number(number: float) -> int:
    """Seconds, milliseconds or microseconds since 1970, told apart by their size, as ms.

    >>> of_number(1795176000), of_number(1795176000.25), of_number(1795176000250)
    (1795176000000, 1795176000250, 1795176000250)

    Raises:
        ValueError: None of them.
    """
    for limit, factor in UNITS:
        if abs(number) < limit:
            return int(number * factor // 1) if factor < 1 else round(number * factor)
    raise _no_time(number)


def has_fraction(text: str) -> bool:
    """Whether a time says more than the second.

    >>> [has_fraction(t) for t in ("2026-11-20T12:00:00.5", "1795176000", "1795176000250")]
    [True, False, True]
    """
    text = text.strip()
    if NUMBER.fullmatch(text):
        return "." in text or len(text.lstrip("+-")) > len("99999999999")
    return FRACTION.search(text) is not None


def check_range(ts_ms: int, now_ms: int) -> None:
    """Refuse times that no sample can have.

    Raises:
        ValueError: Before the clock was ever set, or in the future.
    """
    if ts_ms < EARLIEST_MS:
        raise ValueError("before 2000, as a clock says that was never set")
    if ts_ms > now_ms:
        raise ValueError("in the future; is the time zone in [agent] right, and this clock?")


def _ms(moment: datetime) -> int:
    try:
        return (moment - EPOCH) // MILLISECOND
    except OverflowError as exc:  # at either end of the calendar
        raise _no_time(moment) from exc


def _no_time(raw: object) -> ValueError:
    return ValueError(f"wanted a time, got {shown(raw)}")
