"""Sensor data of BENCHLAB boards become values: a whole frame, sentinels, every layout."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.devices.benchlab import wire
from agent.devices.benchlab.layout import (
    FAULT_NAMES,
    PRODUCTS,
    Layout,
    Product,
    fault_texts,
    layout_by_size,
    layout_for,
)
from agent.model import MetricType

ORIGINAL, BL2 = PRODUCTS[0x10], PRODUCTS[0x11]
LAYOUTS = [
    layout_for(ORIGINAL, 2),
    layout_for(ORIGINAL, 6),
    layout_for(BL2, 3),
    layout_for(BL2, 4),
    layout_for(BL2, 7),
]
FRAME = bytes.fromhex(
    """
    022f 9d13 f00c 0b07 4e04 ff7f ff7f ff7f ff7f ff7f ff7f ff7f ff7f e50c bc04 9f01
    e700 d0ff ff7f ff7f f700 b001 00 01 01 ff
    302f0000 82140000 bcf70000 2b2f0000 00000000 00000000 020d0000 20030000 680a0000
    9c130000 c4090000 06310000 b0130000 96000000 f4020000 442f0000 e2040000 153b0000
    1c2f0000 d0070000 385e0000 00000000 00000000 00000000 00000000 00000000 00000000
    ea2e0000 30750000 6c7f0500 00000000 fcffffff d0ffffff
    0128ba04 00000000 00000000 00000000 00000000 00000000 00000000 00000000 01646009
    """
)  # of an ORIGINAL, firmware 6
RAILS = [
    "EPS1",
    "EPS2",
    "ATX3V",
    "ATX5V",
    "ATX5VSB",
    "ATX12V",
    "PCIE1",
    "PCIE2",
    "PCIE3",
    "HPWR1",
    "HPWR2",
]
WIRES = [f"HPWR{connector}_W{number}" for connector in (1, 2) for number in range(1, 7)]
BL2_PROBES = ["TS_HPWR1_IN", "TS_HPWR1_OUT", "TS_HPWR2_IN", "TS_HPWR2_OUT"]


def names(rails: list[str], probes: list[str]) -> list[str]:
    """The keys in the order in which the maker's tools write them."""
    return [
        *("SYS_Power", "CPU_Power", "GPU_Power", "MB_Power"),
        *(f"{rail}_{what}" for rail in rails for what in ("Voltage", "Current", "Power")),
        *(f"VIN_{number}" for number in range(13)),
        *("Vdd", "Vref", "Chip_Temp", "Ambient_Temp", "Humidity"),
        *("TS_1", "TS_2", "TS_3", "TS_4", *probes),
        *(f"Fan{n}_{what}" for n in range(1, 10) for what in ("Duty", "RPM", "Status")),
        "FanExtDuty",
    ]


def metric_names(layout: Layout) -> list[str]:
    return [metric.name for metric in layout.metrics]


def changed(offset: int, form: str, *values: int) -> bytes:
    """The frame with other values at an offset."""
    data = bytearray(FRAME)
    struct.pack_into(form, data, offset, *values)
    return bytes(data)


def test_an_original_has_87_metrics_in_the_order_of_the_makers_tools() -> None:
    expected = names(RAILS, [])

    assert len(expected) == 87
    assert all(metric_names(layout_for(ORIGINAL, fw)) == expected for fw in range(256))


def test_a_benchlab_2_has_127_metrics_and_from_firmware_5_its_faults() -> None:
    expected = names(RAILS + WIRES, BL2_PROBES)

    assert len(expected) == 127
    assert metric_names(layout_for(BL2, 4)) == expected
    assert metric_names(layout_for(BL2, 5)) == [*expected, "FaultStatus", "FaultLog"]


def test_units_are_those_of_a_newcomers_meter() -> None:
    metrics = {metric.name: metric for metric in layout_for(BL2, 7).metrics}

    units = {metric.unit for metric in metrics.values()}

    assert units == {"V", "A", "W", "°C", "%", "RPM", ""}
    assert metrics["EPS1_Voltage"].help == "CPU power connector 1 (EPS), voltage"
    assert metrics["Fan1_RPM"].type is MetricType.INT
    assert metrics["FaultLog"].type is MetricType.INT
    assert all(metric.help for metric in metrics.values())


@pytest.mark.parametrize(
    ("product", "firmware", "size"),
    [
        *((0x10, firmware, 216) for firmware in (1, 2, 3, 4, 5, 6, 7, 255)),
        *((0x11, firmware, 368) for firmware in (0, 3, 4)),
        *((0x11, firmware, 384) for firmware in (5, 6, 7, 8, 255)),
    ],
)
def test_the_size_of_the_data_follows_from_product_and_firmware(
    product: int, firmware: int, size: int
) -> None:
    assert layout_for(PRODUCTS[product], firmware).size == size


@pytest.mark.parametrize("size", [216, 368, 384])
def test_a_size_tells_the_layout_but_not_the_scale_of_the_chips_temperature(size: int) -> None:
    layout = layout_by_size(size)

    assert layout is not None
    assert layout.size == size
    assert layout.decode(bytes(size))["Chip_Temp"] is None


def test_other_sizes_are_of_no_layout() -> None:
    assert [size for size in range(1000) if layout_by_size(size)] == [216, 368, 384]


def test_a_whole_frame_is_decoded() -> None:
    values = layout_for(ORIGINAL, 6).decode(FRAME)

    expected: dict[str, object] = {f"VIN_{number}": None for number in range(5, 13)}
    expected |= {f"Fan{n}_{what}": 0 for n in range(2, 9) for what in ("Duty", "RPM", "Status")}
    expected |= {"SYS_Power": 478.887, "CPU_Power": 63.42, "GPU_Power": 384.372}
    expected |= {"MB_Power": 31.095, "VIN_0": 12.034, "VIN_1": 5.021, "VIN_2": 3.312}
    expected |= {"VIN_3": 1.803, "VIN_4": 1.102, "Vdd": 3.301, "Vref": 1.212, "Chip_Temp": 41.5}
    expected |= {"Ambient_Temp": 24.7, "Humidity": 43.2, "TS_1": 23.1, "TS_2": -4.8}
    expected |= {"TS_3": None, "TS_4": None, "FanExtDuty": None}
    expected |= {"Fan1_Duty": 40, "Fan1_RPM": 1210, "Fan1_Status": 1}
    expected |= {"Fan9_Duty": 100, "Fan9_RPM": 2400, "Fan9_Status": 1}
    rails = (
        *((12.08, 5.25, 63.42), (12.075, 0, 0), (3.33, 0.8, 2.664), (5.02, 2.5, 12.55)),
        *((5.04, 0.15, 0.756), (12.1, 1.25, 15.125), (12.06, 2, 24.12), (0, 0, 0), (0, 0, 0)),
        *((12.01, 30, 360.3), (0, -0.004, -0.048)),
    )
    for rail, measured in zip(RAILS, rails, strict=True):
        names_of_rail = (f"{rail}_Voltage", f"{rail}_Current", f"{rail}_Power")
        expected |= dict(zip(names_of_rail, measured, strict=True))
    assert values == expected
    assert list(values) == metric_names(layout_for(ORIGINAL, 6))


def test_a_benchlab_2_has_more_probes_rails_and_the_masks_at_the_end() -> None:
    layout = layout_for(BL2, 5)
    data = bytearray(layout.size)
    struct.pack_into("<8h", data, 32, *range(231, 239))
    struct.pack_into("<hH", data, 48, 247, 432)
    struct.pack_into("<hxxii", data, 56 + 12 * 9, 12000, 30000, 360000)
    struct.pack_into("<hxxii", data, 56 + 12 * 11, 11990, 5000, 59950)
    struct.pack_into("<BBH", data, 332 + 4 * 8, 1, 70, 1800)
    struct.pack_into("<QQ", data, 368, 1 << 9, 1 << 33)

    values = layout.decode(bytes(data))

    assert [values[name] for name in ("TS_1", "TS_HPWR1_IN", "TS_HPWR2_OUT")] == [23.1, 23.5, 23.8]
    assert [values["Ambient_Temp"], values["Humidity"]] == [24.7, 43.2]
    assert [values["HPWR1_Power"], values["HPWR1_W1_Power"]] == [360, 59.95]
    assert [values["GPU_Power"], values["SYS_Power"]] == [360, 360]  # a wire is no rail of its own
    assert [values["Fan9_Duty"], values["Fan9_RPM"], values["Fan9_Status"]] == [70, 1800, 1]
    assert [values["FaultStatus"], values["FaultLog"]] == [512, 8589934592]


@pytest.mark.parametrize(
    ("product", "firmware", "count", "celsius"),
    [
        (ORIGINAL, 2, 38, 38),
        (ORIGINAL, 2, 415, None),
        (ORIGINAL, 3, 415, 41.5),
        (BL2, 3, 38, 38),
        (BL2, 4, 380, 38),
        (BL2, 4, 38, 3.8),
    ],
)
def test_the_chips_temperature_is_in_degrees_or_tenths_by_firmware(
    product: Product, firmware: int, count: int, celsius: float | None
) -> None:
    layout = layout_for(product, firmware)
    data = bytearray(layout.size)
    struct.pack_into("<h", data, 30, count)

    values = layout.decode(bytes(data))

    assert values["Chip_Temp"] == celsius


@pytest.mark.parametrize("name_and_offset", [("Chip_Temp", 30), ("TS_1", 32), ("Ambient_Temp", 40)])
@pytest.mark.parametrize(
    ("count", "celsius"),
    [
        (0x7FFF, None),
        (-0x8000, None),
        (1000, 100),
        (1001, None),
        (-1000, -100),
        (-1001, None),
        (0, 0),
        (-1, -0.1),
    ],
)
def test_a_temperature_beyond_100_degrees_is_none(
    name_and_offset: tuple[str, int], count: int, celsius: float | None
) -> None:
    name, offset = name_and_offset

    values = layout_for(ORIGINAL, 6).decode(changed(offset, "<h", count))

    assert values[name] == celsius


@pytest.mark.parametrize(
    ("name", "offset", "form", "raw", "value"),
    [
        ("VIN_0", 0, "<h", 0x7FFF, None),
        ("VIN_0", 0, "<h", 0x7FFE, 32.766),
        ("VIN_12", 24, "<h", -0x8000, -32.768),
        ("Vdd", 26, "<H", 0x7FFF, 32.767),
        ("Vref", 28, "<H", 0xFFFF, 65.535),
        ("Humidity", 42, "<H", 0, 0),
        ("FanExtDuty", 47, "<B", 255, None),
        ("FanExtDuty", 47, "<B", 254, 254),
        ("EPS1_Voltage", 48, "<h", 0x7FFF, 32.767),
        ("EPS1_Current", 52, "<i", -(2**31), -2147483.648),
        ("Fan1_Status", 180, "<B", 255, 255),
        ("Fan1_RPM", 182, "<H", 65535, 65535),
    ],
)
def test_a_field_at_its_limit(
    name: str, offset: int, form: str, raw: int, value: float | None
) -> None:
    assert layout_for(ORIGINAL, 6).decode(changed(offset, form, raw))[name] == value


def test_powers_are_added_up_before_they_are_divided() -> None:
    data = changed(56, "<i", 2**31 - 1)

    values = layout_for(ORIGINAL, 6).decode(data)

    assert values["CPU_Power"] == 2147483.647
    assert values["SYS_Power"] == 2147483.647 + 415.467


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.size}")
@pytest.mark.parametrize("more", [-1, 1, 32, -100])
def test_any_other_size_is_refused(layout: Layout, more: int) -> None:
    with pytest.raises(ValueError, match=f"wanted {layout.size} bytes, got {layout.size + more}: "):
        layout.decode(bytes(layout.size + more))


@pytest.mark.parametrize("at", [0, 1, 100, 208])
def test_a_greeting_in_the_data_is_refused(at: int) -> None:
    data = FRAME[:at] + wire.MAGIC + FRAME[at + 8 :]

    with pytest.raises(ValueError, match=f"got the text 'BENCHLAB' in it at byte {at}"):
        layout_for(ORIGINAL, 6).decode(data)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.size}")
@given(st.data())
def test_any_bytes_become_finite_values_of_the_right_types(
    layout: Layout, data: st.DataObject
) -> None:
    values = layout.decode(data.draw(st.binary(min_size=layout.size, max_size=layout.size)))

    assert list(values) == metric_names(layout)
    for metric in layout.metrics:
        value = values[metric.name]
        assert value is None or type(value) is (int if metric.type is MetricType.INT else float)
        assert not isinstance(value, float) or math.isfinite(value)


def test_every_fault_bit_has_its_text() -> None:
    texts = fault_texts(2**64 - 1)

    assert len(FAULT_NAMES) == 34
    assert len(texts) == 64
    assert texts[8] == "too hot: high-power graphics connector 2, outgoing side"
    assert texts[9] == "too much current: CPU power connector 1 (EPS)"
    assert texts[31] == "too much current: wire 6 of high-power graphics connector 2"
    assert texts[33] == "uneven current in the wires: high-power graphics connector 2"
    assert texts[34] == "fault 34"
