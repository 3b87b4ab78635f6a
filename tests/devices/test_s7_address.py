"""Every spelling of an S7 address, and what is wrong with those that mean nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.devices.s7.address import Address, parse
from agent.devices.tags import AddressError

SPELLINGS = [
    # TIA Portal
    ("DB1.DBD6:REAL", "", "DB1.DBD6:REAL"),
    ("DB1.DBD6", "REAL", "DB1.DBD6:REAL"),
    ("%DB1.DBX10.0", "", "DB1.DBX10.0:BOOL"),
    (" db1 . dbb11 ", "", "DB1.DBB11:BYTE"),
    ("DB1.DBB11", "usint", "DB1.DBB11:USINT"),
    ("DB1.DBB20", "STRING[30]", "DB1.DBB20:STRING[30]"),
    ("DB1.DBB20:STRING(30)", "", "DB1.DBB20:STRING[30]"),
    ("DB1.DBB20:STRING", "", "DB1.DBB20:STRING[254]"),
    ("P#DB1.DBX20.0:DTL", "", "DB1.DBB20:DTL"),
    ("DB1.DBD0:TIME_OF_DAY", "TOD", "DB1.DBD0:TOD"),
    ("DB1.DBB0", "Date_And_Time", "DB1.DBB0:DT"),
    ("%MW20:INT", "", "MW20:INT"),
    ("%I0.0", "", "I0.0:BOOL"),
    ("E1.7", "", "I1.7:BOOL"),
    ("A4.2", "", "Q4.2:BOOL"),
    ("%QB0", "", "QB0:BYTE"),
    ("EW2", "WORD", "IW2:WORD"),
    ("C5", "", "C5"),
    ("Z5", "", "C5"),
    ("T5", "S5TIME", "T5"),
    # LOGO! and S7-200: V memory is DB1
    ("VW10", "INT", "DB1.DBW10:INT"),
    ("V3.1", "", "DB1.DBX3.1:BOOL"),
    # Telegraf
    ("DB1.R6", "", "DB1.DBD6:REAL"),
    ("DB1.X2.1", "", "DB1.DBX2.1:BOOL"),
    ("DB1.I4", "", "DB1.DBW4:INT"),
    ("DB1.W4", "", "DB1.DBW4:WORD"),
    ("DB1.DW4", "", "DB1.DBD4:DWORD"),
    ("DB1.DI0", "", "DB1.DBD0:DINT"),
    ("DB1.LR8", "", "DB1.DBB8:LREAL"),
    ("DB1.LI8", "", "DB1.DBB8:LINT"),
    ("DB1.DT8", "", "DB1.DBB8:DT"),
    ("DB1.B3", "", "DB1.DBB3:BYTE"),
    ("DB1.C3", "", "DB1.DBB3:CHAR"),
    ("DB2.S1.32", "", "DB2.DBB1:STRING[32]"),
    # nodeS7
    ("DB1,REAL6", "", "DB1.DBD6:REAL"),
    ("DB1,X10.0", "", "DB1.DBX10.0:BOOL"),
    ("DB1,INT4", "", "DB1.DBW4:INT"),
    ("DB1,DINT0", "", "DB1.DBD0:DINT"),
    ("DB1,BYTE11", "", "DB1.DBB11:BYTE"),
    ("DB1,S10.20", "", "DB1.DBB10:STRING[20]"),
    ("DB1,S5TIME10", "", "DB1.DBW10:S5TIME"),
    ("MR4", "", "MD4:REAL"),
    ("MDI4", "", "MD4:DINT"),
    ("IB0", "", "IB0:BYTE"),
    # PLC4X and python-snap7
    ("%DB1.DBD6:REAL", "", "DB1.DBD6:REAL"),
    ("DB1:6:REAL", "", "DB1.DBD6:REAL"),
    ("DB1:10.3:BOOL", "", "DB1.DBX10.3:BOOL"),
    ("DB1:6", "REAL", "DB1.DBD6:REAL"),
]

FAULTS = [
    ("DB1.DBD6", "", "say which: DB1.DBD6:REAL, :DINT, :DWORD, :UDINT, :TIME, :TOD"),
    ("MW4", "", "say which: MW4:INT, :WORD"),
    ("DB1:6", "", "say which: DB1.DBD6:REAL"),
    ("DB1.DBD6:INT", "", "did you mean DB1.DBW6:INT?"),
    ("DB1.DBX6.0:REAL", "", "did you mean DB1.DBD6:REAL?"),
    ("DB1.DBB6:REAL", "", "did you mean DB1.DBD6:REAL?"),
    ("DB1.DBX10", "", "did you mean DB1.DBX10.0?"),
    ("DB1.DBX10.8", "", "a bit of 0 to 7"),
    ("DB1.DBW4.1:INT", "", "has no bit"),
    ("DB1.DBD6", "REEL", "did you mean REAL?"),
    ("DB1.DBD6:REAL", "DINT", "drop one"),
    ("DB1.R6", "DINT", "it says REAL"),
    ("DB2.S1.32", "STRING[20]", "is not the length in 'DB2.S1.32'"),
    ("DB1,INT4.3", "", "a tag for each element"),
    ("DB1.DBD6", "ARRAY[0..3] OF REAL", "a tag for each element"),
    ("DB1.DBD6", "REAL[4]", "a tag for each element"),
    ("DB1.DBB0:STRING[0]", "", "1 to 254"),
    ("DB1.DBB0:STRING[255]", "", "1 to 254"),
    ("DB1.DBB0:WSTRING[20000]", "", "1 to 16382"),
    ("DB0.DBX0.0", "", "DB1 to DB65535"),
    ("DB65536.DBX0.0", "", "DB1 to DB65535"),
    ("DB1.DBD65534:REAL", "", "ends at byte 65535"),
    ("C5", "REAL", "it says COUNTER"),
    ("DB1.DBW0", "COUNTER", "such as C5 or T5"),
    ("40001", "", "an address such as DB1.DBD6:REAL"),
    ("", "", "an address such as"),
    ("DB1.DBD6:", "", "an address such as"),
    ("DB1.DBD6:REAL:REAL", "", "an address such as"),
    ("DB1.DBD" + "9" * 5000, "REAL", "an address such as"),
    ("MCOUNTER5", "", "an address such as"),
]


@pytest.mark.parametrize(("address", "type_text", "canonical"), SPELLINGS)
def test_each_spelling_means_its_canonical_form(
    address: str, type_text: str, canonical: str
) -> None:
    parsed = parse(address, type_text)

    assert parsed.canonical == canonical
    assert parse(canonical) == parsed


@pytest.mark.parametrize(("address", "type_text", "text"), FAULTS)
def test_a_fault_says_what_is_allowed_or_meant(address: str, type_text: str, text: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse(address, type_text)

    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "size"),
    [
        ("DB1.DBX0.0", 1),
        ("DB1.DBW0:INT", 2),
        ("DB1.DBD0:REAL", 4),
        ("DB1.DBB0:LREAL", 8),
        ("DB1.DBB0:DTL", 12),
        ("DB1.DBB0:STRING[10]", 12),
        ("DB1.DBB0:WSTRING[4]", 12),
        ("C1", 2),
    ],
)
def test_sizes_are_those_on_the_wire(address: str, size: int) -> None:
    assert parse(address).size == size


def test_counters_have_neighbours_by_number() -> None:
    assert parse("C5").end == 6


@given(st.text(max_size=100), st.text(max_size=40))
def test_any_text_is_an_address_or_a_fault(address: str, type_text: str) -> None:
    try:
        parsed = parse(address, type_text)
    except AddressError:
        return

    assert isinstance(parsed, Address)


@given(st.from_regex(r"%?(DB\d{1,6}[.,:])?[A-Z]{0,8}\d{0,7}(\.\d{1,3})?(:[A-Z]{1,8})?"))
def test_what_parses_is_found_again_by_its_canonical_form(address: str) -> None:
    try:
        parsed = parse(address)
    except AddressError:
        return

    assert parse(parsed.canonical) == parsed
