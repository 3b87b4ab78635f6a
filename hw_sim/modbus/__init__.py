"""Energy meters with Modbus that aren't there: moving values, and faults on demand."""

from hw_sim.modbus.command import command
from hw_sim.modbus.plant import Write
from hw_sim.modbus.points import POINTS, Point, encode
from hw_sim.modbus.rtu import ModbusRtuSimulator
from hw_sim.modbus.simulator import DEFAULT_UNITS
from hw_sim.modbus.tcp import ModbusTcpSimulator
from hw_sim.registry import Simulated

__all__ = [
    "POINTS",
    "SIMULATED",
    "SIMULATED_RTU",
    "ModbusRtuSimulator",
    "ModbusTcpSimulator",
    "Point",
    "Write",
    "encode",
    "table",
]


def _tag(name: str, point: Point, more: str = "") -> str:
    text = f'\n  [[device.tag]]\n  name = "{name}"\n  address = "{point.address}:{point.type}"'
    text += f'\n  unit = "{point.unit}"' if point.unit else ""
    text += f"\n  scale = {point.scale}" if point.scale != 1.0 else ""
    text += f"\n  missing = {point.raw}" if point.is_missing else ""
    return text + more


def table(name: str, address: str, units: int = DEFAULT_UNITS) -> str:
    """What ``agent.toml`` says of the meters: all of the first, and some of the second."""
    host, _, port = address.rpartition(":")
    where = f'host = "{host.strip("[]")}"\nport = {port}'
    if address.startswith("/"):
        where = f'serial = "{address}"'
    tags = [_tag(point.name, point) for point in POINTS]
    second = [point for point in POINTS if point.name in ("voltage_l1", "serial_number")]
    newline = "\n"
    if units > 1:
        tags += [_tag(f"{point.name}_2", point, "\n  unit_id = 2") for point in second]
    return f"""[[device]]
name = "{name}"
kind = "modbus"
{where}
interval_s = 1.0
{newline.join(tags)}
"""


SIMULATED = Simulated(lambda _, seed: ModbusTcpSimulator(seed=seed), table, command, name="meter")
SIMULATED_RTU = Simulated(
    lambda folder, seed: ModbusRtuSimulator(folder / "line", seed=seed),
    table,
    command,
    name="meter",
)
"""The same meters on a serial line."""
