"""The sensor data of every product and firmware: which bytes become which metric."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs

from agent.devices.benchlab.wire import MAGIC
from agent.devices.contract import hex_bytes
from agent.model import Metric, MetricType, Value

VINS: Final = 13
FANS: Final = 9
SHARED_RAILS: Final = {
    "EPS1": "CPU power connector 1 (EPS)",
    "EPS2": "CPU power connector 2 (EPS)",
    "ATX3V": "3.3 V of the mainboard connector (ATX)",
    "ATX5V": "5 V of the mainboard connector (ATX)",
    "ATX5VSB": "5 V standby of the mainboard connector (ATX)",
    "ATX12V": "12 V of the mainboard connector (ATX)",
    "PCIE1": "graphics card power connector 1 (PCIe)",
    "PCIE2": "graphics card power connector 2 (PCIe)",
    "PCIE3": "graphics card power connector 3 (PCIe)",
    "HPWR1": "high-power graphics connector 1 (12VHPWR or 12V-2x6)",
    "HPWR2": "high-power graphics connector 2 (12VHPWR or 12V-2x6)",
}
WIRES: Final = {  # each is part of its connector already
    f"HPWR{connector}_W{wire}": f"wire {wire} of high-power graphics connector {connector}"
    for connector in (1, 2)
    for wire in range(1, 7)
}
PROBES: Final = {f"TS_{number}": f"temperature probe {number}" for number in range(1, 5)}
CONNECTOR_PROBES: Final = {
    f"TS_HPWR{number}_{way}": f"high-power graphics connector {number}, {side} side"
    for number in (1, 2)
    for way, side in (("IN", "incoming"), ("OUT", "outgoing"))
}
CPU: Final = slice(0, 2)  # rails
MAINBOARD: Final = slice(2, 6)
GPU: Final = slice(6, 11)
ABSENT: Final = 0x7FFF
NO_EXTERNAL_DUTY: Final = 255
LIMIT_TENTHS: Final = 1000  # a temperature beyond ±100 °C is none
FAULT_NAMES: Final = (
    "too hot: the board's chip",
    *(f"too hot: {text}" for text in (PROBES | CONNECTOR_PROBES).values()),
    *(f"too much current: {text}" for text in (SHARED_RAILS | WIRES).values()),
    "uneven current in the wires: high-power graphics connector 1",
    "uneven current in the wires: high-power graphics connector 2",
)  # by bit


@attrs.frozen
class Product:
    """One product; ``firmwares`` are the known ones, the oldest first.

    Args:
        tenths_from: The first firmware that tells the chip's temperature in tenths of a degree.
        faults_from: The first firmware whose sensor data ends with fault masks; 0: none does.
    """

    name: str
    rails: Mapping[str, str]
    probes: Mapping[str, str]
    firmwares: Sequence[int]
    tenths_from: int
    faults_from: int = 0


PRODUCTS: Final[Mapping[int, Product]] = {
    0x10: Product("BENCHLAB", SHARED_RAILS, PROBES, range(1, 7), tenths_from=3),
    0x11: Product(
        "BENCHLAB 2",
        SHARED_RAILS | WIRES,
        PROBES | CONNECTOR_PROBES,
        range(3, 8),
        tenths_from=4,
        faults_from=5,
    ),
}


@attrs.frozen
class Layout:
    """The sensor data of one product and firmware.

    Args:
        chip_tenths: Tenths of a degree that one count of the chip's temperature is; 0: not known.
    """

    product: Product
    has_faults: bool
    chip_tenths: int
    metrics: Sequence[Metric] = attrs.field(init=False, eq=False, repr=False)
    _struct: struct.Struct = attrs.field(init=False, eq=False, repr=False)
    _names: Sequence[str] = attrs.field(init=False, eq=False, repr=False)

    @metrics.default
    def _make_metrics(self) -> Sequence[Metric]:
        return tuple(_metrics(self.product, self.has_faults))

    @_struct.default
    def _make_struct(self) -> struct.Struct:
        probes, rails = len(self.product.probes), len(self.product.rails)
        faults = "QQ" if self.has_faults else ""
        return struct.Struct(f"<{VINS}hHHh{probes}hhH4B{'h2xii' * rails}{'BBH' * FANS}{faults}")

    @_names.default
    def _make_names(self) -> Sequence[str]:
        return tuple(metric.name for metric in self.metrics)

    @property
    def size(self) -> int:
        """Bytes of the sensor data."""
        return self._struct.size

    def decode(self, data: bytes) -> Mapping[str, Value]:
        """All values, in the order of ``metrics``.

        Raises:
            ValueError: Another number of bytes, or a greeting in the midst of them.
        """
        if len(data) != self.size:
            raise ValueError(f"wanted {self.size} bytes, got {len(data)}: {hex_bytes(data)}")
        if MAGIC in data:
            at = data.index(MAGIC)
            raise ValueError(f"wanted sensor data, got the text 'BENCHLAB' in it at byte {at}")
        raw = self._struct.unpack(data)
        at = VINS + 3
        probes, at = raw[at : at + len(self.product.probes)], at + len(self.product.probes)
        ambient, humidity, *_, external = raw[at : at + 6]
        rails_at = at + 6
        fans_at = rails_at + 3 * len(self.product.rails)
        rails, fans = raw[rails_at:fans_at], raw[fans_at : fans_at + 3 * FANS]
        values: list[Value] = [
            *_sums(rails[2::3]),
            *(count / 1000 for count in rails),
            *(None if count == ABSENT else count / 1000 for count in raw[:VINS]),
            raw[VINS] / 1000,
            raw[VINS + 1] / 1000,
            self._chip(raw[VINS + 2]),
            _celsius(ambient),
            humidity / 10,
            *map(_celsius, probes),
        ]
        for status, duty, tach in zip(fans[::3], fans[1::3], fans[2::3], strict=True):
            values += duty, tach, status
        values.append(None if external == NO_EXTERNAL_DUTY else external)
        values += raw[fans_at + 3 * FANS :]
        return dict(zip(self._names, values, strict=True))

    def _chip(self, count: int) -> float | None:
        if count == ABSENT or not self.chip_tenths:
            return None
        return _celsius(count * self.chip_tenths)


def layout_for(product: Product, firmware: int) -> Layout:
    """The layout of a firmware; one that is not known has that of its nearest known neighbour."""
    has_faults = bool(product.faults_from) and firmware >= product.faults_from
    return Layout(product, has_faults, 1 if firmware >= product.tenths_from else 10)


def layout_by_size(size: int) -> Layout | None:
    """The layout of sensor data of a size, for boards that do not tell their firmware."""
    for product in PRODUCTS.values():
        for has_faults in (False, True) if product.faults_from else (False,):
            layout = Layout(product, has_faults, 0)
            if layout.size == size:
                return layout
    return None


def nearest_firmware(product: Product, firmware: int) -> int:
    """The known firmware that an unknown one is read as; a known one itself.

    >>> nearest_firmware(PRODUCTS[0x10], 9)
    6
    """
    return max(product.firmwares[0], min(firmware, product.firmwares[-1]))


def fault_texts(mask: int) -> Sequence[str]:
    """What the bits of a fault mask say.

    >>> fault_texts(1 << 11 | 1 << 40)[1]
    'fault 40'
    """
    known = len(FAULT_NAMES)
    return [
        FAULT_NAMES[bit] if bit < known else f"fault {bit}" for bit in range(64) if mask >> bit & 1
    ]


def _sums(powers: Sequence[int]) -> tuple[float, float, float, float]:
    """System, CPU, graphics and mainboard in W; milliwatts are added up, so that no dust is."""
    cpu, mainboard, gpu = sum(powers[CPU]), sum(powers[MAINBOARD]), sum(powers[GPU])
    return (cpu + mainboard + gpu) / 1000, cpu / 1000, gpu / 1000, mainboard / 1000


def _celsius(tenths: int) -> float | None:
    return tenths / 10 if -LIMIT_TENTHS <= tenths <= LIMIT_TENTHS else None


def _metrics(product: Product, has_faults: bool) -> Iterator[Metric]:
    """The names and their order are those that the maker's tools write."""
    yield Metric("SYS_Power", "W", help="power of the whole computer: CPU, GPU and MB together")
    yield Metric("CPU_Power", "W", help="power through both CPU power connectors")
    yield Metric("GPU_Power", "W", help="power through all graphics card power connectors")
    yield Metric("MB_Power", "W", help="power through the mainboard connector (ATX)")
    for name, text in product.rails.items():
        yield Metric(f"{name}_Voltage", "V", help=f"{text}, voltage")
        yield Metric(f"{name}_Current", "A", help=f"{text}, current")
        yield Metric(f"{name}_Power", "W", help=f"{text}, power")
    for number in range(VINS):
        yield Metric(f"VIN_{number}", "V", help=f"voltage at measuring input {number}")
    yield Metric("Vdd", "V", help="supply voltage of the board's chip")
    yield Metric("Vref", "V", help="reference voltage of the board's chip")
    yield Metric("Chip_Temp", "°C", help="temperature of the board's chip")
    yield Metric("Ambient_Temp", "°C", help="temperature of the air at the board")
    yield Metric("Humidity", "%", help="relative humidity of the air at the board")
    for name, text in product.probes.items():
        yield Metric(name, "°C", help=text)
    for number in range(1, FANS + 1):
        yield Metric(f"Fan{number}_Duty", "%", MetricType.INT, f"fan {number}, how hard it is run")
        yield Metric(f"Fan{number}_RPM", "RPM", MetricType.INT, f"fan {number}, turns per minute")
        yield Metric(f"Fan{number}_Status", "", MetricType.INT, f"fan {number}, 1 on, 0 off")
    yield Metric("FanExtDuty", "%", MetricType.INT, "what an external fan signal asks for")
    if has_faults:
        yield Metric("FaultStatus", "", MetricType.INT, "faults of this moment, one bit each")
        yield Metric("FaultLog", "", MetricType.INT, "faults there have been, one bit each")
