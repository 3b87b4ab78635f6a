"""How the numbers of a Luxtronik become values: scales, units, texts for codes.

The package luxtronik says which entry is of which class; what the classes mean is said here, so
that tenths stay exact and a code that no table knows is not lost.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import attrs

from agent.model import MetricType, Value

VERSION_FIRST: Final = 81  # of the calculations that hold the firmware's name, one letter each
VERSION_END: Final = 91


@attrs.frozen
class Form:
    """How the values of one class look.

    Args:
        divisor: Of numbers; dividing by it gives the nearest float, as multiplying would not.
        decode: For all else, from the number sent.
        note: For the help text.
    """

    type: MetricType = MetricType.INT
    unit: str = ""
    divisor: int = 1
    decode: Callable[[int], Value] | None = None
    note: str = ""


def ipv4(number: int) -> str:
    """Address from a signed number.

    >>> ipv4(-1062721020)
    '192.168.42.4'
    """
    return ".".join(str(byte) for byte in (number & 0xFFFFFFFF).to_bytes(4))


def major_minor(number: int) -> str:
    """Version from hundreds and the rest.

    >>> major_minor(214), major_minor(0)
    ('2.14', '0')
    """
    return f"{number // 100}.{number % 100}" if number > 0 else "0"


def firmware(codes: Sequence[int]) -> str:
    """Text from character codes, up to the first 0; what can't be printed is ``?``.

    >>> firmware([86, 49, 46, 56, 48, 0, 0, 0, 0, 0])
    'V1.80'
    """
    text = ""
    for code in codes:
        if code == 0:
            break
        text += chr(code) if 32 <= code < 127 else "?"
    return text.strip()


def in_words(codes: Mapping[int, str], number: int) -> str:
    """Text of a code, the number where there is none.

    >>> in_words({0: "off"}, 0), in_words({0: "off"}, 7)
    ('off', '7')
    """
    return codes.get(number) or str(number)


def selection(codes: Mapping[int, str]) -> Form:
    """The form of codes that stand for words."""
    return Form(MetricType.TEXT, decode=partial(in_words, codes))


FLOAT, INT, TEXT, BOOL = MetricType.FLOAT, MetricType.INT, MetricType.TEXT, MetricType.BOOL

NUMBER: Final = Form()
FORMS: Final[Mapping[str, Form]] = {
    "Unknown": NUMBER,
    "Celsius": Form(FLOAT, "°C", 10),
    "Kelvin": Form(FLOAT, "K", 10),
    "Pressure": Form(FLOAT, "bar", 100),
    "Energy": Form(FLOAT, "kWh", 10),
    "Voltage": Form(FLOAT, "V", 10),
    "Percent": Form(FLOAT, "%", 10),
    "Percent2": Form(INT, "%"),
    "Hours": Form(FLOAT, "h", 10),
    "Seconds": Form(INT, "s"),
    "Frequency": Form(INT, "Hz"),
    "Flow": Form(INT, "l/h"),
    "Speed": Form(INT, "rpm"),
    "Power": Form(INT, "W"),
    "Pulses": NUMBER,
    "Count": NUMBER,
    "Level": NUMBER,
    "Icon": NUMBER,
    "Errorcode": NUMBER,
    "Timestamp": Form(INT, "Unix s", note="seconds since 1970, 0: never"),
    "Bool": Form(BOOL, decode=bool),
    "IPAddress": Form(TEXT, decode=ipv4),
    "Version": Form(TEXT, note=f"calculations {VERSION_FIRST} to {VERSION_END - 1}"),
    "MajorMinor": Form(TEXT, decode=major_minor),  # not in luxtronik 0.3.14
}
"""By the names of the classes of luxtronik 0.3.14; those that have codes are made from them."""
