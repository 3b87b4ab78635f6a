"""How the heat pump's numbers become values, next to how the package luxtronik makes them."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from luxtronik import datatypes
from luxtronik.calculations import Calculations
from luxtronik.parameters import Parameters
from luxtronik.visibilities import Visibilities

from agent.devices.luxtronik.layout import Layout
from agent.devices.luxtronik.options import Options
from agent.devices.luxtronik.tables import CLASSES, CODES, entry
from agent.devices.luxtronik.values import FORMS, firmware
from agent.devices.luxtronik.wire import CALCULATIONS, PARAMETERS, VISIBILITIES
from agent.model import MetricType

PACKAGE = {
    CALCULATIONS: Calculations.calculations,
    PARAMETERS: Parameters.parameters,
    VISIBILITIES: Visibilities.visibilities,
}
SAMPLES = (-(2**31), -1062721020, -500, -48, -1, 0, 1, 2, 3, 4, 5, 7, 342, 16001, 2**31 - 1)
ALL_CLASSES = {
    each.__name__: each
    for each in (*datatypes.Base.__subclasses__(), *datatypes.SelectionBase.__subclasses__())
    if each is not datatypes.SelectionBase
}
OWN_WAY = {"Timestamp", "Version", "IPAddress"}  # compared in tests of their own


def shared() -> Iterator[tuple[str, str]]:
    """Table and class of every class that is used."""
    for table, entries in PACKAGE.items():
        for name in sorted({type(each).__name__ for each in entries.values()}):
            yield table.name, name


def test_every_class_of_the_package_has_a_form() -> None:
    with_codes = {each.__name__ for each in datatypes.SelectionBase.__subclasses__()}

    assert set(ALL_CLASSES) - with_codes == set(FORMS) - {"MajorMinor"}


@pytest.mark.parametrize(("table_name", "of_class"), tuple(shared()))
def test_values_are_those_of_the_package(table_name: str, of_class: str) -> None:
    table = next(each for each in PACKAGE if each.name == table_name)
    entries = {
        index: each
        for index, each in PACKAGE[table].items()
        if type(each).__name__ == of_class and (table_name, index) not in CLASSES
    }
    for index, theirs in entries.items():
        form = entry(table, index).form
        for raw in SAMPLES:
            if of_class in OWN_WAY or raw in CODES.get(of_class, {}):
                continue
            ours = raw / form.divisor if form.decode is None else form.decode(raw)
            known = theirs.from_heatpump(raw)
            assert ours == (str(raw) if known is None else known) or of_class == "SwitchoffFile"


def test_a_form_that_is_no_number_as_it_is_has_the_type_of_its_values() -> None:
    types = {
        float: MetricType.FLOAT,
        int: MetricType.INT,
        bool: MetricType.BOOL,
        str: MetricType.TEXT,
    }
    for table, entries in PACKAGE.items():
        for index in entries:
            form = entry(table, index).form
            if form.decode is not None:
                assert types[type(form.decode(1))] is form.type
            elif form.divisor != 1:
                assert form.type is MetricType.FLOAT


def test_addresses_are_those_of_the_package() -> None:
    decode = FORMS["IPAddress"].decode
    assert decode is not None

    for raw in SAMPLES:
        assert decode(raw) == datatypes.IPAddress("").from_heatpump(raw)


@given(st.integers(-(2**31), 2**31 - 1), st.sampled_from([10, 100]))
def test_tenths_and_hundredths_are_exact(raw: int, divisor: int) -> None:
    assert Decimal(repr(raw / divisor)) == Decimal(raw) / divisor


@pytest.mark.parametrize(
    ("index", "raw", "value"),
    [
        (10, 342, 34.2),
        (15, -48, -4.8),
        (29, 1, True),
        (29, 0, False),
        (56, 15707970, 15707970),
        (78, 7, "L1A"),
        (78, 200, "200"),
        (79, 3, "additional heat generator allowed to run"),
        (80, 5, "no request"),
        (80, 99, "99"),
        (94, 0, "0.0.0.0"),
        (95, 1500955563, 1500955563),
        (95, 0, 0),
        (100, 716, 716),
        (106, 0, "heatpump error"),
        (106, 1, "system error"),
        (106, 2, "operation mode second heat generator"),
        (106, 3, "evu lock"),
        (106, 4, "4"),
        (106, 22, "no request"),
        (117, 5, "waiting on LIN connection"),
        (118, 1, "in"),
        (119, 11, "11"),
        (119, 13, "heating external energy source"),
        (124, 3, 3),
        (151, 12345678, 1234567.8),
        (157, 99, 9.9),
        (180, 2311, 23.11),
        (183, 65, 65),
        (191, 12, "evu lock"),
        (231, 60, 60),
        (257, 9000, 9000),
        (258, 214, "2.14"),
        (267, 215, 21.5),
        (268, 2418, 2418),
    ],
)
def test_a_calculation_becomes_its_value(index: int, raw: int, value: object) -> None:
    numbers = [0] * 269
    numbers[index] = raw
    layout = Layout({CALCULATIONS: 269}, Options("pump"))

    values = layout.values([numbers])

    found = values[f"calculations.{entry(CALCULATIONS, index).name or index}"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("index", "raw", "value", "unit"),
    [
        (1, -5, -0.5, "K"),
        (3, 4, "Off", ""),
        (4, 9, "9", ""),
        (12, 220, 22.0, "°C"),
        (13, -50, -5.0, "K"),
        (74, 20, 2.0, "K"),
        (87, 500, 50.0, "°C"),
        (122, 40, 4.0, "K"),
        (123, 20, 2.0, "K"),
        (132, 180, 18.0, "°C"),
        (134, 50, 5.0, "K"),
        (135, 50, 5.0, "K"),
        (850, 15, 1.5, "h"),
        (967, 50, 5.0, "K"),
        (979, 150, 15.0, "°C"),
        (999, -7, -7, ""),
        (1136, 12345, 1234.5, "kWh"),
    ],
)
def test_a_parameter_becomes_its_value(index: int, raw: int, value: object, unit: str) -> None:
    numbers = [0] * 1140
    numbers[index] = raw
    layout = Layout({PARAMETERS: 1140}, Options("pump"))

    values = list(layout.values([numbers]).values())

    assert (values[index], type(values[index])) == (value, type(value))
    assert layout.metrics[index].unit == unit


@pytest.mark.parametrize(
    ("codes", "text"),
    [
        (b"V1.80\0\0\0\0\0", "V1.80"),
        (b"V3.90.1234", "V3.90.1234"),
        (b"V3\0garbage", "V3"),
        (b"\0\0\0\0\0\0\0\0\0\0", ""),
        (b"V\x07\xff1", "V??1"),
        ([86, -1, 2**31 - 1, 0], "V??"),
        (b"", ""),
    ],
)
def test_the_firmware_is_text_up_to_the_first_zero(codes: bytes | list[int], text: str) -> None:
    assert firmware(list(codes)) == text


@pytest.mark.parametrize("count", [80, 81, 82, 85, 90, 91, 92, 200])
def test_the_letters_of_the_firmware_are_one_value(count: int) -> None:
    numbers = [65 + index - 81 if 81 <= index < 91 else index for index in range(count)]

    values = Layout({CALCULATIONS: count}, Options("pump")).values([numbers])

    letters = "ABCDEFGHIJ"[: max(0, count - 81)]
    assert values.get("calculations.ID_WEB_SoftStand") == (letters or None)
    assert len(values) == count - max(0, len(letters) - 1)
    if count > 91:
        assert values["calculations.ID_WEB_AdresseIP_akt"] == "0.0.0.91"


def test_raw_values_are_the_numbers_that_were_sent() -> None:
    numbers = list(range(-130, 138))
    layout = Layout({CALCULATIONS: 268}, Options("pump", values="raw"))

    values = layout.values([numbers])

    assert list(values.values()) == numbers
    assert {metric.type for metric in layout.metrics} == {MetricType.INT}
    assert values["calculations.ID_WEB_SoftStand"] == -49
    assert values["calculations.82"] == -48
