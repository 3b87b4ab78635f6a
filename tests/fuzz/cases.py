"""Cases beside those of the contract: options that change how answers are read."""

from collections.abc import Iterator
from pathlib import Path

import attrs

from hw_sim.contract import Simulator
from hw_sim.luxtronik import SIMULATED as LUXTRONIK
from hw_sim.modbus import SIMULATED as MODBUS
from hw_sim.modbus import ModbusTcpSimulator
from tests.devices.case import Case

TYPES = ("UINT16", "INT16", "UINT32", "INT32", "UINT64", "INT64", "FLOAT32", "FLOAT64")
MISSING = 0x3C23
SCALED = 'unit = "V"\n  scale = 0.1\n  offset = -20'


def _simulate(_: Path, seed: int) -> Simulator:
    """A meter with numbers that are also one each as floats, and a text."""
    meter = ModbusTcpSimulator(seed=seed)
    meter.set_cells("HR", 100, [0x3F9D, 0xF3B6, 0x45A1, 0xCAC1])
    meter.set_cells("HR", 104, [MISSING, 0, 0, MISSING])
    meter.set_cells("HR", 108, [int.from_bytes(pair) for pair in (b"Ei", b"n ", b"Te", b"xt")])
    return meter


def _tags() -> Iterator[tuple[str, str]]:
    """Address and more; each type in each order of words and bytes, scaled or perhaps missing."""
    for kind in TYPES:
        for words in ("big", "little"):
            for octets in ("big", "little"):
                order = f'word_order = "{words}"\n  byte_order = "{octets}"'
                yield f"HR100:{kind}", order
                yield f"HR100:{kind}", f"{order}\n  {SCALED}"
                if not kind.startswith("FLOAT"):
                    yield f"HR104:{kind}", f"{order}\n  missing = {MISSING}"
    yield "HR108:STRING(8)", ""
    yield "HR108:STRING(7)", 'byte_order = "little"'
    yield "HR100.3:BOOL", ""
    yield "HR100.11:BOOL", 'byte_order = "little"'
    yield "CO0:BOOL", ""
    yield "DI9:BOOL", "unit_id = 2"
    yield "HR90:UINT16", ""  # there is no such register


def _table(name: str, address: str) -> str:
    host, _, port = address.rpartition(":")
    tags = [
        f'\n  [[device.tag]]\n  name = "t{number}"\n  address = "{place}"\n  {more}'
        for number, (place, more) in enumerate(_tags())
    ]
    return f"""[[device]]
name = "{name}"
kind = "modbus"
host = "{host}"
port = {port}
{"".join(tags)}
"""


def _raw_table(name: str, address: str) -> str:
    return LUXTRONIK.table(name, address) + 'values = "raw"\nreadable_headers = true\n'


MORE_CASES = (
    Case(
        "modbus",
        (),
        variant="types",
        simulated=attrs.evolve(MODBUS, simulate=_simulate, table=_table),
    ),
    Case("luxtronik", (), variant="raw", simulated=attrs.evolve(LUXTRONIK, table=_raw_table)),
)
