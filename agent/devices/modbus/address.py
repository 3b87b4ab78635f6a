"""Where a tag lies in a Modbus device: the spellings in use, and the one that we show.

Source: Modbus Application Protocol V1.1b3, section 4.3: four tables of 65536 addresses each, which
the protocol counts from 0 and data sheets often from 1, with the table as first digit.
"""

import re
from typing import Final

import attrs

from agent.devices.modbus.types import BITS, MOST_CHARACTERS, TYPES, Decode, Order, decoder
from agent.devices.tags import AddressError

COILS, DISCRETE, HOLDING, INPUT = "CO", "DI", "HR", "IR"
FUNCTIONS: Final = {COILS: 1, DISCRETE: 2, HOLDING: 3, INPUT: 4}
AREA_WORDS: Final = {
    COILS: "coils",
    DISCRETE: "discrete inputs",
    HOLDING: "holding registers",
    INPUT: "input registers",
}
CLASSIC: Final = {"0": COILS, "1": DISCRETE, "3": INPUT, "4": HOLDING}
CLASSIC_DIGITS: Final = {area: digit for digit, area in CLASSIC.items()}
BIT_AREAS: Final = frozenset({COILS, DISCRETE})
LAST: Final = 65535
FORMS: Final = (
    "an address such as HR100:UINT16 (counted from 0), the same as 40101:UINT16 (counted from 1), "
    "IR5:INT16, HR100.3, CO3 or DI7"
)

TYPE_ALIASES: Final = {
    "BIT": "BOOL", "U16": "UINT16", "WORD": "UINT16", "S16": "INT16", "I16": "INT16",
    "U32": "UINT32", "DWORD": "UINT32", "S32": "INT32", "I32": "INT32", "U64": "UINT64",
    "S64": "INT64", "I64": "INT64", "F32": "FLOAT32", "REAL": "FLOAT32", "FLOAT": "FLOAT32",
    "F64": "FLOAT64", "LREAL": "FLOAT64", "DOUBLE": "FLOAT64",
}  # fmt: skip

BIT: Final = r"(?:\.([0-9]{1,3}))?"
AREA_FORM: Final = re.compile(rf"(CO|DI|HR|IR)(0X[0-9A-F]{{1,8}}|[0-9]{{1,9}}){BIT}")
CLASSIC_FORM: Final = re.compile(rf"(?:([0134])([0-9]{{4,5}})|([134])X([0-9]{{1,5}})){BIT}")
NUMBER_FORM: Final = re.compile(rf"(0X[0-9A-F]{{1,4}}|[0-9]{{1,5}}){BIT}")
TYPE_FORM: Final = re.compile(r"([A-Z]\w*)(?:[\[(]([0-9]{1,6})[\])])?", re.ASCII)


@attrs.frozen
class Address:
    """Place and type of one value; ``start`` is counted from 0, as in the protocol."""

    area: str
    start: int
    type: str
    bit: int | None = None  # of a BOOL in a register; 0 is the lowest
    length: int = 0  # the n of STRING(n)

    @property
    def size(self) -> int:
        """Registers or bits that it takes."""
        return TYPES[self.type].size_of(self.length)

    @property
    def end(self) -> int:
        """One past the last."""
        return self.start + self.size

    @property
    def canonical(self) -> str:
        """``HR100:UINT16``, ``HR100.3:BOOL``, ``HR10:STRING(16)``, ``CO3:BOOL``."""
        place = f"{self.area}{self.start}" + ("" if self.bit is None else f".{self.bit}")
        return f"{place}:{self.type}" + (f"({self.length})" if self.length else "")

    @property
    def classic(self) -> str:
        """The number that counts from 1: five digits where they are enough, else six."""
        number = self.start + 1
        return f"{CLASSIC_DIGITS[self.area]}{number:0{4 if number <= 9999 else 5}}"

    def decoder(self, order: Order) -> Decode:
        return decoder(self.type, self.length, self.bit, order)


@attrs.frozen
class _Place:
    area: str
    start: int
    bit: int | None


def parse(address: str, type_text: str = "") -> Address:
    """Read an address in any of the spellings; the type may stand behind a colon or beside it.

    Raises:
        AddressError: With what is allowed and, where it is clear, what was meant.

    >>> parse("40101", "uint16").canonical, parse("hr0x64.3").canonical
    ('HR100:UINT16', 'HR100.3:BOOL')
    """
    place_text, colon, suffix = "".join(address.split()).upper().partition(":")
    place = _parse_place(address, place_text)
    if colon and not suffix:
        raise AddressError("address", address, FORMS)
    inside = _parse_type("address", address, suffix) if suffix else None
    beside = _parse_type("type", type_text, type_text) if type_text.strip() else None
    if inside and beside and inside != beside:
        raise AddressError("type", type_text, f"the type in the address {address!r}", "drop one")
    name, length = _choose_type(address, place, inside or beside)
    built = Address(place.area, place.start, name, place.bit, length)
    if built.end > LAST + 1:
        raise AddressError("address", address, f"an address that ends at {LAST} or before")
    return built


def _parse_place(address: str, text: str) -> _Place:
    if match := AREA_FORM.fullmatch(text):
        place = _Place(match[1], _number(match[2]), _bit(address, match[3]))
    elif match := CLASSIC_FORM.fullmatch(text):
        table, number = match[1] or match[3], int(match[2] or match[4])
        if number == 0:
            allowed = f"an address from {table}0001 on: such numbers count from 1"
            raise AddressError("address", address, allowed)
        place = _Place(CLASSIC[table], number - 1, _bit(address, match[5]))
    elif match := NUMBER_FORM.fullmatch(text):
        number = _number(match[1])
        hint = f"did you mean HR{number}, IR{number} (counted from 0)"
        hint += f" or HR{number - 1} (counted from 1)?" if number else "?"
        raise AddressError("address", address, "an address with its table", hint)
    else:
        raise AddressError("address", address, FORMS)
    if place.start > LAST:
        raise AddressError("address", address, f"an address of 0 to {LAST}")
    if place.bit is not None and place.area in BIT_AREAS:
        raise AddressError("address", address, f"{place.area}{place.start}, which is a bit itself")
    return place


def _number(text: str) -> int:
    return int(text, 16 if text.startswith("0X") else 10)


def _bit(address: str, text: str | None) -> int | None:
    if text is None:
        return None
    if int(text) >= BITS:
        raise AddressError("address", address, "an address with a bit of 0 (lowest) to 15")
    return int(text)


def _parse_type(key: str, found: str, text: str) -> tuple[str, int]:
    """Name and length; raises AddressError."""
    match = TYPE_FORM.fullmatch("".join(text.split()).upper())
    name = TYPE_ALIASES.get(match[1], match[1]) if match else ""
    if match is None or name not in TYPES:
        from difflib import get_close_matches  # only a fault needs it

        word = match[1] if match else text.strip().upper()
        near = [each for each in TYPES if each.startswith(word)]
        near = near or get_close_matches(word, [*TYPES, *TYPE_ALIASES], 1)
        hint = f"did you mean {' or '.join(near)}?" if near else "arrays: a tag for each element"
        names = ", ".join("STRING(n)" if each == "STRING" else each for each in TYPES)
        raise AddressError(key, found, f"a known type ({names})", hint)
    if name != "STRING":
        if match[2]:
            allowed = f"{name} without a length"
            raise AddressError(key, found, allowed, "arrays: a tag for each element")
        return name, 0
    length = int(match[2] or 0)
    if not 1 <= length <= MOST_CHARACTERS:
        allowed = f"a STRING of 1 to {MOST_CHARACTERS} characters, two in a register"
        raise AddressError(key, found, allowed, "such as STRING(16)")
    return name, length


def _choose_type(address: str, place: _Place, stated: tuple[str, int] | None) -> tuple[str, int]:
    """The type stated, or the one of a bit; raises AddressError where they differ."""
    where = f"{place.area}{place.start}"
    is_bit = place.area in BIT_AREAS or place.bit is not None
    if stated is None:
        if is_bit:
            return "BOOL", 0
        hint = f"say which: {where}:UINT16, {where}:INT16, {where}:FLOAT32, ..."
        raise AddressError("address", address, "an address with its type", hint)
    if is_bit and stated[0] != "BOOL":
        hint = "a bit is a BOOL" if place.bit is None else f"did you mean {where}:{stated[0]}?"
        raise AddressError("address", address, f"an address of {stated[0]}", hint)
    if stated[0] == "BOOL" and not is_bit:
        hint = f"did you mean {where}.0? bit 0 is the lowest"
        raise AddressError("address", address, "an address of a BOOL with its bit", hint)
    return stated
