"""Lines as the thermostat's firmware writes and reads them.

Source: the command reference of the firmware, and lines that its JSON formatter wrote.
"""

import math
import re

Json = float | int | bool | str | list["Json"] | dict[str, "Json"] | None

DONE = "{}"
INVALID = '{ "error": "invalid input" }'
LINE_SIZE = 64  # bytes of a request, the rest of a longer one is dropped
NUMBER = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)


def number(value: float) -> str:
    """A float with all its digits, always with an exponent, never with a plus sign.

    >>> number(23.06311189108584), number(-0.5), number(0.0), number(10000.0)
    ('2.306311189108584e1', '-5e-1', '0e0', '1e4')
    """
    if not math.isfinite(value):
        return {"nan": "NaN"}.get(str(value), str(value))
    mantissa, _, exponent = repr(abs(value + 0.0)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    power = int(exponent or 0) + len(digits) - len(fraction) - 1 if digits else 0
    digits = digits.rstrip("0") or "0"
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    return f"{sign}{digits[0]}{'.' * bool(digits[1:])}{digits[1:]}e{power}"


def encode(value: Json) -> str:
    """JSON without blanks; floats as above, whole numbers and the rest plain.

    >>> encode([{"channel": 0, "adc": None, "rate": 21.25, "pid_engaged": True}])
    '[{"channel":0,"adc":null,"rate":2.125e1,"pid_engaged":true}]'
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return number(value)
        case str():
            return f'"{value}"'
        case list():
            return f"[{','.join(map(encode, value))}]"
    return "{" + ",".join(f'"{key}":{encode(each)}' for key, each in value.items()) + "}"


def parse_number(text: str) -> float:
    """Digits, a point, a minus: neither exponent nor plus sign.

    Raises:
        ValueError: It is written in another way.
    """
    if not NUMBER.fullmatch(text):
        raise ValueError(f"no number: {text!r}")
    return float(text)


class LineReader:
    """Puts requests together from bytes that come in any pieces."""

    def __init__(self) -> None:
        self._line = b""

    def add(self, data: bytes) -> list[str]:
        """The requests that end with these bytes; empty lines are none."""
        found = []
        for byte in data:
            if byte not in b"\r\n":
                if len(self._line) < LINE_SIZE:
                    self._line += bytes((byte,))
            elif self._line:
                found.append(self._line.decode("latin-1"))
                self._line = b""
        return found
