"""Cells of CSV and values of JSON as a metric's driver would have given them."""

import math
import re
from collections.abc import Callable

from agent.importing.reading import shown
from agent.model import MetricType, Value

INT = re.compile(r"[+-]?\d{1,40}", re.ASCII)
FLOAT = re.compile(r"[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][+-]?\d{1,4})?", re.ASCII)
COMMA = re.compile(r"[+-]?\d{1,40},\d{1,400}(?:[eE][+-]?\d{1,4})?", re.ASCII)
GROUPS = re.compile(r"[+-]?\d{1,3}(?:\.\d{3}){1,12},\d{1,400}", re.ASCII)
PLAIN = re.compile(r"-?(?:0|[1-9]\d*)", re.ASCII)  # else it is a text of digits, such as 007
WORDS = {
    "true": True, "wahr": True, "vrai": True, "verdadero": True,
    "false": False, "falsch": False, "faux": False, "falso": False,
}  # fmt: skip
NOTHING = frozenset(
    {"", "none", "null", "nan", "-nan", "inf", "+inf", "-inf", "infinity", "-infinity", "n/a",
     "#n/a", "#nv", "-", "--"}
)  # fmt: skip

FLOAT_LIMIT = 10**308
Convert = Callable[[str], Value]


def as_number(text: str) -> int | float | None:
    """A number, or ``None``; a decimal comma is one.

    >>> as_number("12,5"), as_number("1.234,5"), as_number("1e3"), as_number("x")
    (12.5, 1234.5, 1000.0, None)
    """
    if INT.fullmatch(text):
        return int(text)
    if FLOAT.fullmatch(text):
        return float(text)
    if COMMA.fullmatch(text):
        return float(text.replace(",", "."))
    if GROUPS.fullmatch(text):
        return float(text.replace(".", "").replace(",", "."))
    return None


def float_of(text: str) -> Value:
    """A cell of a metric that is a number."""
    number = as_number(text.strip())
    if number is not None:
        value = float(number)
        return value if math.isfinite(value) else None
    return _nothing(text, "a number")


def int_of(text: str) -> Value:
    """A cell of a metric that is a whole number; a broken one stays as it is.

    >>> int_of("7"), int_of("7.0"), int_of("7.5"), int_of("True")
    (7, 7, 7.5, 1)
    """
    number = as_number(text.strip())
    if number is not None:
        return whole(number)
    word = WORDS.get(text.strip().lower())
    return _nothing(text, "a number") if word is None else int(word)


def whole(number: int | float) -> Value:
    """As a whole number where it is one; not finite, it is nothing."""
    if isinstance(number, int):
        return number
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() else number


def bool_of(text: str) -> Value:
    """A cell of a metric that is true or false.

    >>> [bool_of(text) for text in ("True", "0", "WAHR", "1.0", "")]
    [True, False, True, True, None]
    """
    word = WORDS.get(text.strip().lower())
    if word is not None:
        return word
    number = as_number(text.strip())
    if number in (0, 1):
        return bool(number)
    return _nothing(text, "true or false")


def text_of(text: str) -> Value:
    """A cell of a metric that is a text."""
    return text or None


def guess(text: str) -> Value:
    """A cell of a metric that nobody knows.

    >>> [guess(text) for text in ("1", "1.0", "-0.0", "True", "007", "nan", "auto")]
    [1, 1.0, -0.0, True, '007', None, 'auto']
    """
    stripped = text.strip()
    if INT.fullmatch(stripped):
        return int(stripped) if PLAIN.fullmatch(stripped) else text
    number = as_number(stripped)
    if number is not None:
        return number if math.isfinite(number) else None
    lower = stripped.lower()
    if lower in NOTHING:
        return None
    return WORDS.get(lower, text)


CONVERTS: dict[MetricType | None, Convert] = {
    MetricType.FLOAT: float_of,
    MetricType.INT: int_of,
    MetricType.BOOL: bool_of,
    MetricType.TEXT: text_of,
    None: guess,
}


def of_json(raw: object, wanted: MetricType | None) -> Value:
    """A value of JSON or of a database as one of that type.

    >>> of_json(1, MetricType.FLOAT), of_json(87.0, MetricType.INT), of_json(1, MetricType.BOOL)
    (1.0, 87, True)

    Raises:
        ValueError: It can't be one.
    """
    if isinstance(raw, str):
        return raw if wanted in (None, MetricType.TEXT) else CONVERTS[wanted](raw)
    if isinstance(raw, bool):
        return raw if wanted in (None, MetricType.BOOL) else _of_number(int(raw), wanted)
    if isinstance(raw, int | float):
        return _of_number(raw, wanted)
    return None if raw is None else _nothing(str(raw), "a single value")


def _of_number(number: int | float, wanted: MetricType | None) -> Value:
    if isinstance(number, float) and not math.isfinite(number):
        return None
    if wanted is MetricType.FLOAT:
        return float(number) if abs(number) < FLOAT_LIMIT else None
    if wanted is MetricType.INT:
        return whole(number)
    if wanted is MetricType.BOOL:
        return bool(number) if number in (0, 1) else _nothing(str(number), "true or false")
    return str(number) if wanted is MetricType.TEXT else number


def _nothing(text: str, wanted: str) -> Value:
    """``None`` for what stands for nothing; anything else is an error."""
    if text.strip().lower() in NOTHING:
        return None
    raise ValueError(f"wanted {wanted}, got {shown(text)}")
