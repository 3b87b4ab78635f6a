"""Every spelling of a Modbus address, and what is wrong with those that mean nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.devices.modbus.address import Address, parse
from agent.devices.tags import AddressError

SPELLINGS = [
    ("HR100:UINT16", "", "HR100:UINT16"),
    ("HR100", "UINT16", "HR100:UINT16"),
    (" hr 100 : uint16 ", "", "HR100:UINT16"),
    ("HR0x6B:INT16", "", "HR107:INT16"),
    ("IR5:FLOAT32", "float32", "IR5:FLOAT32"),
    ("CO3", "", "CO3:BOOL"),
    ("DI7:BOOL", "", "DI7:BOOL"),
    ("HR100.3", "", "HR100.3:BOOL"),
    ("HR100.15:BOOL", "", "HR100.15:BOOL"),
    ("HR10:STRING(16)", "", "HR10:STRING(16)"),
    ("HR10", "STRING[15]", "HR10:STRING(15)"),
    # counted from 1, with the table as first digit
    ("40101:UINT16", "", "HR100:UINT16"),
    ("400101:UINT16", "", "HR100:UINT16"),
    ("40001:UINT16", "", "HR0:UINT16"),
    ("465536:UINT16", "", "HR65535:UINT16"),
    ("30006", "INT32", "IR5:INT32"),
    ("10008", "", "DI7:BOOL"),
    ("00004", "", "CO3:BOOL"),
    ("000004", "", "CO3:BOOL"),
    ("40101.3", "", "HR100.3:BOOL"),
    ("4x101:UINT16", "", "HR100:UINT16"),
    ("3X0006:UINT16", "", "IR5:UINT16"),
    # the names that other tools have for the types
    ("HR1", "U16", "HR1:UINT16"),
    ("HR1", "S32", "HR1:INT32"),
    ("HR1", "REAL", "HR1:FLOAT32"),
    ("HR1", "double", "HR1:FLOAT64"),
    ("HR1.0", "BIT", "HR1.0:BOOL"),
]
REFUSED = [
    ("", "", "an address such as HR100:UINT16 (counted from 0)"),
    ("nowhere", "", "an address such as HR100:UINT16"),
    ("HR100:", "", "an address such as HR100:UINT16"),
    ("HR-1:INT16", "", "an address such as HR100:UINT16"),
    ("0x64:INT16", "", "did you mean HR100, IR100 (counted from 0) or HR99 (counted from 1)?"),
    ("101:UINT16", "", "did you mean HR101, IR101 (counted from 0) or HR100 (counted from 1)?"),
    ("40000:UINT16", "", "an address from 40001 on: such numbers count from 1"),
    ("HR65536:UINT16", "", "an address of 0 to 65535"),
    ("465537:UINT16", "", "an address of 0 to 65535"),
    ("HR65535:UINT32", "", "an address that ends at 65535 or before"),
    ("HR65530:STRING(13)", "", "an address that ends at 65535 or before"),
    ("HR100", "", "say which: HR100:UINT16, HR100:INT16, HR100:FLOAT32, ..."),
    ("HR100:BOOL", "", "did you mean HR100.0? bit 0 is the lowest"),
    ("HR100.3:INT16", "", "did you mean HR100:INT16?"),
    ("HR100.16", "", "an address with a bit of 0 (lowest) to 15"),
    ("CO3.1", "", "CO3, which is a bit itself"),
    ("CO3:INT16", "", "a bit is a BOOL"),
    ("HR1:INT", "", "did you mean INT16 or INT32 or INT64?"),
    ("HR1:FLOAT33", "", "did you mean FLOAT32?"),
    ("HR1:INT16[4]", "", "INT16 without a length: arrays: a tag for each element"),
    ("HR1:STRING", "", "a STRING of 1 to 250 characters"),
    ("HR1:STRING(251)", "", "a STRING of 1 to 250 characters"),
    ("HR1:UINT16", "INT16", "drop one"),
]


@pytest.mark.parametrize(("address", "type_text", "canonical"), SPELLINGS)
def test_a_spelling_is_read(address: str, type_text: str, canonical: str) -> None:
    assert parse(address, type_text).canonical == canonical


@pytest.mark.parametrize(("address", "type_text", "text"), REFUSED)
def test_what_means_nothing_is_refused_with_what_is_allowed(
    address: str, type_text: str, text: str
) -> None:
    with pytest.raises(AddressError) as caught:
        parse(address, type_text)

    assert text in str(caught.value)


@pytest.mark.parametrize("address", [canonical for _, _, canonical in SPELLINGS])
def test_what_we_show_is_read_again(address: str) -> None:
    assert parse(address).canonical == address


@pytest.mark.parametrize(
    ("address", "classic"),
    [
        ("HR100:INT16", "40101"),
        ("IR5:INT16", "30006"),
        ("CO3", "00004"),
        ("DI7", "10008"),
        ("HR9998:INT16", "49999"),
        ("HR9999:INT16", "410000"),
        ("HR65535:INT16", "465536"),
    ],
)
def test_the_number_of_data_sheets_counts_from_one(address: str, classic: str) -> None:
    found = parse(address)

    assert found.classic == classic
    assert parse(f"{classic}:{found.type}") == found


@given(st.text(max_size=30), st.text(max_size=12))
def test_any_text_is_an_address_or_a_fault(address: str, type_text: str) -> None:
    try:
        found: Address | AddressError = parse(address, type_text)
    except AddressError as error:
        found = error

    assert isinstance(found, Address) or found.key in ("address", "type")


@given(
    st.sampled_from(["HR", "IR", "CO", "DI", "4", "30", "0x"]),
    st.integers(0, 10**9),
    st.sampled_from(["", ".3", ".16", ":INT16", ":STRING(250)", ":BOOL", ":FLOAT64"]),
)
def test_no_address_reaches_beyond_the_last(area: str, number: int, rest: str) -> None:
    try:
        found = parse(f"{area}{number}{rest}")
    except AddressError:
        return

    assert 0 <= found.start < found.end <= 65536
