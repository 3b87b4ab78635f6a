"""From the bytes of a JSON answer to values of the types that metrics have."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final

import attrs

from agent.devices.contract import hex_bytes
from agent.devices.json.names import LEAVES_LIMIT, Names, Way
from agent.devices.json.path import DEPTH_LIMIT, cleaned, sort_of
from agent.model import MetricType, Reason, Value

SHOWN: Final = 60  # characters of an answer that an error repeats
INT_DIGITS: Final = 20  # of 2**64; a number with more is no whole number of 64 bits
INT_LIMIT: Final = 2**63
NUMBER_LIMIT: Final = 64  # characters of a text that is a number
NUMBER: Final = re.compile(r"\s*[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,4})?\s*")
INTEGER: Final = re.compile(r"\s*[-+]?[0-9]{1,20}\s*")
TITLE: Final = re.compile(r"<title[^<>]*>([^<]{1,200})", re.IGNORECASE)
TITLE_WITHIN: Final = 2000  # characters of a web page
WORDS: Final = {
    "true": True, "on": True, "yes": True, "1": True,
    "false": False, "off": False, "no": False, "0": False,
}  # fmt: skip


class RefusedError(Exception):
    """The device answered, and not with values; the text says what to do."""

    def __init__(self, text: str, reason: Reason) -> None:
        super().__init__(text)
        self.reason = reason


@attrs.frozen
class Answer:
    """What a device said: any JSON value; ``is_utf8`` is false where letters had to be replaced."""

    value: Any
    is_utf8: bool = True


@attrs.frozen
class Leaves:
    """The single values of an answer by name, and whether some were left out."""

    values: dict[str, Any]
    beyond_limit: bool = False
    beyond_depth: bool = False
    beyond_names: bool = False


def parse(data: bytes) -> Answer:
    """The JSON that bytes are.

    NaN and infinite numbers are ``None``; of a key that stands there twice the last one counts.

    Raises:
        ValueError: They are none; with what they are.
    """
    try:
        text, is_utf8 = data.decode("utf-8-sig"), True
    except UnicodeDecodeError:
        text, is_utf8 = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace"), False
    if not text.strip():
        raise ValueError(f"wanted JSON, got {f'{len(data)} blanks' if data else 'nothing'}")
    try:
        value = json.loads(
            text, parse_constant=_nothing, parse_float=_finite, parse_int=_whole_number
        )
    except json.JSONDecodeError as exc:
        raise ValueError(_no_json(data, text, exc, is_utf8=is_utf8)) from exc
    except RecursionError as exc:
        raise ValueError("wanted JSON, got brackets in brackets beyond measure") from exc
    return Answer(value, is_utf8)


def leaves(value: Any, names: Names | None = None) -> Leaves:
    """All single values below ``value``, named by the way to them.

    Args:
        names: Those of the answers before.

    >>> leaves({"main": {"temp": 21.5}, "list": [True, None]}).values
    {'main.temp': 21.5, 'list.0': True, 'list.1': None}
    """
    names = names or Names()
    found: dict[str, Any] = {}
    refused = 0
    too_deep = False
    for way, each in _walk(value, ()):
        if isinstance(each, dict | list):
            too_deep = too_deep or bool(each)
            continue
        if len(found) + refused == LEAVES_LIMIT:
            return Leaves(found, True, too_deep, refused > 0)
        name = names.of(way)
        if name is None:
            refused += 1
        else:
            found[name] = each
    return Leaves(found, False, too_deep, refused > 0)


def type_of(value: Any) -> MetricType | None:
    """The type of a metric whose first value this is, ``None`` where that can't be told.

    JSON has one sort of numbers: 21 may be followed by 21.5.
    """
    match value:
        case bool():
            return MetricType.BOOL
        case int() | float():
            return MetricType.FLOAT
        case str():
            return MetricType.TEXT
    return None


def converted(value: Any, wanted: MetricType) -> tuple[Value, str]:
    """``value`` as a metric's type, or ``None`` and what it is in place of that.

    >>> converted("21.5", MetricType.FLOAT), converted([1], MetricType.FLOAT)
    ((21.5, ''), (None, 'wanted a number, got a list'))
    """
    if value is None:
        return None, ""
    made: Value = None
    match wanted:
        case MetricType.FLOAT:
            made, name = _number(value), "a number"
        case MetricType.INT:
            made, name = _integer(value), "a whole number of 64 bits"
        case MetricType.BOOL:
            made, name = _boolean(value), "true or false"
        case MetricType.TEXT:
            made, name = _text(value), "a text"
    if made is None:
        got = f"{sort_of(value)}{' that is none' if isinstance(value, str) else ''}"
        return None, f"wanted {name}, got {got}"
    if isinstance(made, float) and not math.isfinite(made):
        return None, ""  # as a sensor says that it has no value
    return made, ""


def _nothing(_: str) -> None:
    """``NaN`` and ``Infinity``, which JSON does not have and devices send."""


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _whole_number(text: str) -> int | float | None:
    return int(text) if len(text) <= INT_DIGITS else _finite(text)


def _no_json(data: bytes, text: str, error: json.JSONDecodeError, *, is_utf8: bool) -> str:
    start = text.lstrip()
    if start.startswith("<"):
        title = TITLE.search(start[:TITLE_WITHIN])
        called = f" {cleaned(title[1])[:SHOWN]!r}" if title else ""
        what = "a web page" if re.match(r"<!doctype html|<html", start, re.IGNORECASE) else "XML"
        return f"wanted JSON, got {what}{called}: the JSON of the device has another address"
    if not is_utf8 or "\x00" in text:
        return f"wanted JSON, got bytes that are no text: {hex_bytes(data)}"
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
        shown = repr(text[-SHOWN:])
        return f"wanted JSON, got only its beginning, {len(data)} bytes that end in {shown}"
    before = max(0, error.pos - SHOWN // 2)
    shown = repr(text[before : before + SHOWN])
    line = f"line {error.lineno}, " if error.lineno > 1 else ""
    why = error.msg[:1].lower() + error.msg[1:].removesuffix(" at")
    return f"wanted JSON, got {shown}: {why} at {line}character {error.colno}"


def _walk(value: Any, way: Way) -> Iterator[tuple[Way, Any]]:
    below: Iterator[tuple[str, Any]] | None = None
    if isinstance(value, dict):
        below = iter(value.items())
    elif isinstance(value, list):
        below = ((str(number), each) for number, each in enumerate(value))
    if below is None or len(way) == DEPTH_LIMIT:
        yield way, value
        return
    for key, each in below:
        yield from _walk(each, (*way, key))


def _number(value: Any) -> float | int | None:
    if isinstance(value, str):
        is_number = len(value) <= NUMBER_LIMIT and NUMBER.fullmatch(value)
        return float(value) if is_number else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if isinstance(value, float) or abs(value) < INT_LIMIT else float(value)


def _integer(value: Any) -> int | None:
    if isinstance(value, str):
        if len(value) > NUMBER_LIMIT or not INTEGER.fullmatch(value):
            return None
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -INT_LIMIT <= value < INT_LIMIT else None


def _boolean(value: Any) -> bool | None:
    if isinstance(value, str):
        return WORDS.get(value.strip().lower())
    if isinstance(value, bool):
        return value
    return bool(value) if isinstance(value, int | float) and value in (0, 1) else None


def _text(value: Any) -> str | None:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")  # half a surrogate has none
        case bool() | int() | float():
            return json.dumps(value)
    return None
