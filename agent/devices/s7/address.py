"""Where a tag lies in an S7: the spellings in use, and the one that we show."""

import re
from typing import Final

import attrs

from agent.devices.s7.types import TYPES, Decode, S7Type, decoder
from agent.devices.tags import AddressError

INPUTS, OUTPUTS, FLAGS, BLOCK, COUNTERS, TIMERS = 0x81, 0x82, 0x83, 0x84, 0x1C, 0x1D
AREAS: Final = {"I": INPUTS, "E": INPUTS, "Q": OUTPUTS, "A": OUTPUTS, "M": FLAGS, "V": BLOCK}
AREA_LETTERS: Final = {INPUTS: "I", OUTPUTS: "Q", FLAGS: "M"}
NUMBERED: Final = {"C": COUNTERS, "Z": COUNTERS, "T": TIMERS}
NUMBERED_TYPES: Final = {COUNTERS: "COUNTER", TIMERS: "TIMER"}
PLACED: Final = [name for name in TYPES if name not in NUMBERED_TYPES.values()]
LAST_BYTE: Final = 65535
LAST_DB: Final = 65535
DEFAULT_LENGTH: Final = 254  # STRING without a length, as in TIA Portal

WIDTHS: Final = ("X", "B", "W", "D")
TYPE_ALIASES: Final = {
    "BIT": "BOOL",
    "TIME_OF_DAY": "TOD",
    "LTIME_OF_DAY": "LTOD",
    "DATE_AND_TIME": "DT",
    "DATE_AND_LTIME": "LDT",
}
SHORT_TYPES: Final = {  # as Telegraf and nodeS7 write them, before the number
    "C": "CHAR",
    "DW": "DWORD",
    "I": "INT",
    "DI": "DINT",
    "R": "REAL",
    "LR": "LREAL",
    "LI": "LINT",
    "S": "STRING",
}
SHORT_WIDTHS: Final = {"X": "BOOL", "B": "BYTE", "W": "WORD", "D": "DWORD"}
FORMS: Final = "an address such as DB1.DBD6:REAL, DB1.DBX10.0, MW20:INT or I0.0"

NUMBER: Final = r"([0-9]{1,9})"
POSITION: Final = rf"{NUMBER}(?:\.{NUMBER})?"
BLOCK_FORM: Final = re.compile(rf"DB{NUMBER}[.,]([A-Z]\w*?){POSITION}", re.ASCII)
PLAIN_FORM: Final = re.compile(rf"DB{NUMBER}:{POSITION}")
AREA_FORM: Final = re.compile(rf"([IEQAMV])([A-Z]\w*?)?{POSITION}", re.ASCII)
NUMBERED_FORM: Final = re.compile(rf"([CZT]){NUMBER}")
TYPE_FORM: Final = re.compile(r"([A-Z]\w*)(?:[\[(]([0-9]{1,6})[\])])?", re.ASCII)


@attrs.frozen
class Address:
    """Place and type of one value; ``start`` is a byte, for counters and timers their number."""

    area: int
    db: int
    start: int
    type: str
    bit: int = 0
    length: int = 0  # the n of STRING[n]

    @property
    def s7_type(self) -> S7Type:
        return TYPES[self.type]

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return self.s7_type.size_of(self.length)

    @property
    def end(self) -> int:
        """One past the last byte, for counters and timers one past the number."""
        return self.start + (1 if self.area in NUMBERED_TYPES else self.size)

    @property
    def block(self) -> str:
        """Data block or area, as the user calls it."""
        if self.area == BLOCK:
            return f"DB{self.db}"
        words = {INPUTS: "inputs", OUTPUTS: "outputs", FLAGS: "memory", COUNTERS: "counters"}
        return f"area of {words.get(self.area, 'timers')}"

    @property
    def canonical(self) -> str:
        """The spelling of TIA Portal with the type: ``DB1.DBD6:REAL``."""
        if self.area in NUMBERED_TYPES:
            return f"{'C' if self.area == COUNTERS else 'T'}{self.start}"
        return f"{_place(self, self.s7_type.letter)}:{self.type_text}"

    @property
    def type_text(self) -> str:
        return f"{self.type}[{self.length}]" if self.length else self.type

    def decoder(self) -> Decode:
        return decoder(self.type, self.length, self.bit)


@attrs.frozen
class _Place:
    """An address as it was written: ``width`` as in DBD, ``type`` where the spelling implies one.

    ``extra`` is what stands behind the second point: a bit or a length.
    """

    area: int
    db: int
    start: int
    width: str = ""
    type: str = ""
    is_typed: bool = False  # the spelling names a type, not only a width
    extra: int | None = None


def _place(at: _Place | Address, letter: str) -> str:
    bit_number = at.bit if isinstance(at, Address) else (at.extra or 0)
    number = f"{at.start}.{bit_number}" if letter == "X" else str(at.start)
    if at.area == BLOCK:
        return f"DB{at.db}.DB{letter}{number}"
    return AREA_LETTERS[at.area] + ("" if letter == "X" else letter) + number


def parse(address: str, type_text: str = "") -> Address:
    """Read an address in any of the spellings; the type may stand in it or beside it.

    Understood are those of TIA Portal (``%DB1.DBD6``, ``MW20``, German ``E``/``A``/``Z``), PLC4X
    (``%DB1.DBD6:REAL``, ``DB1:6:REAL``), Telegraf (``DB1.R6``) and nodeS7 (``DB1,REAL6``, ``MR4``).

    Raises:
        AddressError: With what is allowed and, where it is clear, what was meant.

    >>> parse("%db1.dbd6", "real").canonical
    'DB1.DBD6:REAL'
    """
    text = "".join(address.split()).upper().removeprefix("%").removeprefix("P#")
    place, suffix = _split(address, text)
    inside = _parse_type("address", address, suffix) if suffix else None
    beside = _parse_type("type", type_text, type_text) if type_text.strip() else None
    if inside and beside and inside != beside:
        raise AddressError("type", type_text, f"the type in the address {address!r}", "drop one")
    return _build(address, place, inside or beside)


def _split(address: str, text: str) -> tuple[_Place, str]:
    parts = text.split(":")
    if len(parts) > 1 and PLAIN_FORM.fullmatch(f"{parts[0]}:{parts[1]}"):
        parts[:2] = [f"{parts[0]}:{parts[1]}"]
    place = _parse_place(parts[0]) if len(parts) <= 2 else None
    if place is None or (len(parts) == 2 and not parts[1]):
        raise AddressError("address", address, FORMS)
    if place.area == BLOCK and not 1 <= place.db <= LAST_DB:
        raise AddressError("address", address, f"an address in DB1 to DB{LAST_DB}")
    return place, parts[1] if len(parts) == 2 else ""


def _parse_place(text: str) -> _Place | None:
    if match := PLAIN_FORM.fullmatch(text):
        return _Place(BLOCK, int(match[1]), int(match[2]), extra=_number(match[3]))
    if match := NUMBERED_FORM.fullmatch(text):
        area = NUMBERED[match[1]]
        return _Place(area, 0, int(match[2]), type=NUMBERED_TYPES[area], is_typed=True)
    if match := BLOCK_FORM.fullmatch(text):
        area, db, letters = BLOCK, int(match[1]), match[2]
        if letters[:2] == "DB" and letters[2:] in WIDTHS:
            return _wide(area, db, int(match[3]), letters[2:], _number(match[4]))
        if letters in SHORT_WIDTHS:
            place = _wide(area, db, int(match[3]), letters, _number(match[4]))
            return attrs.evolve(place, type=SHORT_WIDTHS[letters])
    elif match := AREA_FORM.fullmatch(text):
        area, db, letters = AREAS[match[1]], int(match[1] == "V"), match[2] or "X"
        if letters in WIDTHS:
            return _wide(area, db, int(match[3]), letters, _number(match[4]))
    else:
        return None
    name = SHORT_TYPES.get(letters, TYPE_ALIASES.get(letters, letters))
    if name not in PLACED:
        return None
    extra = _number(match[4])
    return _Place(area, db, int(match[3]), type=name, is_typed=True, extra=extra)


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def _wide(area: int, db: int, start: int, width: str, extra: int | None) -> _Place:
    return _Place(area, db, start, width, {"X": "BOOL", "B": "BYTE"}.get(width, ""), extra=extra)


def _parse_type(key: str, found: str, text: str) -> tuple[str, int]:
    """Name and length; raises AddressError."""
    match = TYPE_FORM.fullmatch("".join(text.split()).upper())
    name = TYPE_ALIASES.get(match[1], match[1]) if match else ""
    if match is None or name not in TYPES:
        from difflib import get_close_matches  # only a fault needs it

        near = get_close_matches(text.strip().upper(), [*TYPES, *TYPE_ALIASES], 1)
        names = ", ".join(PLACED)
        hint = f"did you mean {near[0]}?" if near else "arrays: a tag for each element"
        raise AddressError(key, found, f"a known type ({names})", hint)
    limit = TYPES[name].max_length
    if not limit and match[2]:
        raise AddressError(key, found, f"{name} without a length", "arrays: a tag for each element")
    length = min(limit, DEFAULT_LENGTH) if match[2] is None else int(match[2])
    if limit and not 1 <= length <= limit:
        raise AddressError(key, found, f"a {name} of 1 to {limit} characters")
    return name, length


def _build(address: str, place: _Place, stated: tuple[str, int] | None) -> Address:
    name, length = _choose_type(address, place, stated)
    s7_type = TYPES[name]
    bit_number = 0
    if s7_type.char_size and place.is_typed and place.extra is not None:  # DB2.S1.32
        if stated and stated[1] not in {DEFAULT_LENGTH, place.extra}:
            raise AddressError("type", f"{name}[{stated[1]}]", f"the length in {address!r}")
        name, length = _parse_type("address", address, f"{name}[{place.extra}]")
    elif name == "BOOL":
        bit_number = _bit(address, place)
    elif place.extra:
        allowed = f"an address of {name}, which has no bit"
        raise AddressError("address", address, allowed, "arrays: a tag for each element")
    built = Address(place.area, place.db, place.start, name, bit_number, length)
    if built.end > LAST_BYTE + 1:
        raise AddressError(
            "address", address, f"an address that ends at byte {LAST_BYTE} or before"
        )
    return built


def _bit(address: str, place: _Place) -> int:
    if place.extra is None:
        hint = f"did you mean {_place(place, 'X')}?"
        raise AddressError("address", address, "an address of a BOOL with its bit", hint)
    if place.extra > 7:
        raise AddressError("address", address, "an address with a bit of 0 to 7")
    return place.extra


def _choose_type(address: str, place: _Place, stated: tuple[str, int] | None) -> tuple[str, int]:
    """The type stated, or the one that the spelling implies; raises AddressError if they differ."""
    numbered = place.area in NUMBERED_TYPES
    if stated is None:
        if not place.type:
            raise AddressError("address", address, "an address with its type", _which(place))
        return place.type, DEFAULT_LENGTH if TYPES[place.type].char_size else 0
    name = stated[0]
    if place.is_typed and name != place.type and not (numbered and name == "S5TIME"):
        raise AddressError("address", address, f"an address of {name}", f"it says {place.type}")
    if not place.is_typed and name in NUMBERED_TYPES.values():
        raise AddressError("address", address, f"an address of a {name}", "such as C5 or T5")
    if place.is_typed or _fits(place, TYPES[name]):
        return (place.type, 0) if numbered else stated
    meant = f"{_place(place, TYPES[name].letter)}:{name}"
    fitting = ", ".join(n for n in PLACED if TYPES[n].letter == place.width)
    hint = f"did you mean {meant}? {place.width} is for {fitting}"
    raise AddressError("address", address, f"an address of {name}", hint)


def _fits(place: _Place, s7_type: S7Type) -> bool:
    """Whether the width letter suits the type; ``P#DB1.DBX20.0`` is how TIA shows long ones."""
    is_long = s7_type.char_size > 0 or s7_type.size > 4
    long_at_bit_0 = place.width == "X" and is_long and place.extra == 0
    return not place.width or place.width == s7_type.letter or long_at_bit_0


def _which(place: _Place) -> str:
    if not place.width:
        return f"say which: {_place(place, 'D')}:REAL, {_place(place, 'W')}:INT, ..."
    known = [name for name in PLACED if TYPES[name].letter == place.width]
    first = f"{_place(place, place.width)}:{known[0]}"
    return f"say which: {first}, " + ", ".join(f":{name}" for name in known[1:])
