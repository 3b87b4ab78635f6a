"""Lines of a thermostat: its answers are JSON, almost.

Source: the command reference of the firmware (M-Labs, for Sinara 8451). Its numbers that are not
finite and some of its errors are no JSON; the lines of the tests show both.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from agent.devices.contract import hex_bytes

Json = float | int | bool | str | Sequence["Json"] | Mapping[str, "Json"] | None

LINE_LIMIT: Final = 16 * 1024  # bytes; a report has 600, its firmware can't make more than 1024
BRACKETS_LIMIT: Final = 64  # in a line; the settings have 10. Deep nesting would end the parser
CHANNELS_LIMIT: Final = 8
SHOWN: Final = 60  # characters of foreign text in an error
BRACES: Final = re.compile(r'\{\{\s*"error"\s*:\s*"([^"]*)"\s*\}\}')
NOT_FINITE: Final = re.compile(
    r'"(?:[^"\\]|\\.)*(?:"|\\?$)|[+-]?\b(?:inf|infinity|nan)\b', re.IGNORECASE | re.DOTALL
)


class RefusedError(Exception):
    """The device understood the line and answered that it is an error."""


def parse_line(line: bytes) -> Json:
    """The value of a line; numbers that are not finite are kept as such.

    >>> parse_line(b'[{"adc":8.512e-1,"sens":NaN,"time":-inf}]')
    [{'adc': 0.8512, 'sens': nan, 'time': -inf}]

    Raises:
        RefusedError: It is an error, with the device's words for it.
        ValueError: It is no such line.
    """
    brackets = line.count(b"[") + line.count(b"{")
    if brackets > BRACKETS_LIMIT:
        raise ValueError(f"wanted at most {BRACKETS_LIMIT} brackets in a line, got {brackets}")
    try:
        text = line.decode("utf-8")
        value = _parse(text)
    except UnicodeDecodeError as exc:
        raise ValueError(f"wanted a line of JSON, got {hex_bytes(line)}") from exc
    except json.JSONDecodeError as exc:
        if braces := BRACES.fullmatch(text.strip()):
            raise RefusedError(shown(braces[1])) from exc
        raise ValueError(f"wanted a line of JSON, got {shown(text)}") from exc
    if isinstance(value, Mapping) and "error" in value:
        raise RefusedError(shown(str(value["error"])))
    return value


def _parse(text: str) -> Json:
    try:
        return _loads(text)
    except json.JSONDecodeError:
        return _loads(NOT_FINITE.sub(_as_python_has_it, text))


def _as_python_has_it(found: re.Match[str]) -> str:
    word = found[0]
    if word.startswith('"'):
        return word
    if word.lower().endswith("nan"):
        return "NaN"
    return "-Infinity" if word.startswith("-") else "Infinity"


def _loads(text: str) -> Json:
    value: Json = json.loads(
        text, parse_int=_whole, parse_constant=float, object_pairs_hook=_object
    )
    return value


def _whole(text: str) -> float | int:
    return int(text) if len(text) < 20 else float(text)  # thousands of digits take long


def _object(pairs: Sequence[tuple[str, Json]]) -> Mapping[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("wanted each key once in an object, got one twice")
    return found


def channels(value: Json, sign: Sequence[str], wanted: str) -> Mapping[int, Mapping[str, Json]]:
    """The objects of an answer by their channel.

    Args:
        sign: Keys of which such an answer's objects have at least one.
        wanted: What the answer was to be, for the error text.

    Raises:
        ValueError: It is another answer, or its channels are not plausible.
    """
    if not isinstance(value, list) or not value:
        raise ValueError(f"wanted {wanted}, got {shown(json.dumps(value))}")
    found: dict[int, Mapping[str, Json]] = {}
    for each in value:
        if not isinstance(each, Mapping) or not any(key in each for key in sign):
            raise ValueError(f"wanted {wanted}, got {shown(json.dumps(each))}")
        number = each.get("channel")
        if number not in range(CHANNELS_LIMIT) or isinstance(number, bool):
            raise ValueError(f"wanted a channel of 0 to {CHANNELS_LIMIT - 1}, got {number!r:.20}")
        assert isinstance(number, int | float)
        if number in found:
            raise ValueError(f"wanted each channel once, got channel {number!r} twice")
        found[int(number)] = each
    return dict(sorted(found.items()))


def shown(text: str) -> str:
    """Foreign text for an error: in quotes, printable, cut."""
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")
