"""``python -m hw_sim modbus``."""

from pathlib import Path

import click

from hw_sim import running
from hw_sim.faults import helps
from hw_sim.modbus.faults import KNOWN_RTU, KNOWN_TCP
from hw_sim.modbus.plant import Write
from hw_sim.modbus.rtu import ModbusRtuSimulator
from hw_sim.modbus.simulator import DEFAULT_UNITS, ModbusSimulator
from hw_sim.modbus.tcp import ModbusTcpSimulator

HELP = """Energy meters with Modbus, over TCP or over a serial line.

\b
input registers    0 to 23 volts, amperes, watts, hertz as FLOAT32
                   30 to 32 temperatures (tenths) and status, 40 to 43 an inverter (tenths)
holding registers  0 to 20 energy counters, model, serial number, power limit
                   28 to 37 FLOAT64, INT64 and INT32
coils 0 to 2, discrete inputs 0, 1 and 9; other addresses do not exist (exception 02)

What clients write is printed. While it runs, type "fault NAME", "fault none" or
"help" and Enter; Ctrl+C ends it.

\b
Examples:
  python -m hw_sim modbus
  python -m hw_sim modbus --port 1503 --fault exception:6
  python -m hw_sim modbus --link /tmp/meter --units 3
"""


@click.command(help=HELP)
@running.host_option
@running.port_option(1502)
@click.option(
    "--link",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="RTU: make a serial port at PATH; host and port mean nothing then.",
)
@click.option(
    "--units",
    default=DEFAULT_UNITS,
    show_default=True,
    type=click.IntRange(1, 247),
    help="How many meters, with the unit ids 1, 2 and so on.",
)
@running.fault_option
@running.seed_option
@click.option("--frozen", is_flag=True, help="Values don't move.")
@click.option("--writable", is_flag=True, help="Writes are applied, not refused.")
@running.faults_option(helps({**KNOWN_TCP, **KNOWN_RTU}))
def command(
    host: str,
    port: int,
    link: Path | None,
    units: int,
    fault: str | None,
    seed: int,
    frozen: bool,
    writable: bool,
) -> None:
    """Run the simulated meters until they are stopped."""
    meters: ModbusSimulator
    if link is not None:
        meters = ModbusRtuSimulator(
            link, units=units, seed=seed, writable=writable, frozen=frozen, on_write=_say_write
        )
    else:
        meters = ModbusTcpSimulator(
            host,
            port,
            units=units,
            seed=seed,
            writable=writable,
            frozen=frozen,
            on_write=_say_write,
        )
    kind = "TCP" if link is None else "RTU"
    running.run(
        meters,
        fault,
        lambda: f"Modbus {kind} simulator ready on {meters.address} (units 1 to {units})",
        lambda: f"stopped after {meters.read_requests} reads, {meters.write_requests} writes",
        port,
        table=lambda: _table(str(link.absolute()) if link else meters.address, units),
    )


def _table(address: str, units: int) -> str:
    from hw_sim.modbus import SIMULATED, table

    return table(SIMULATED.name, address, units)


def _say_write(write: Write) -> None:
    running.say(write.describe())
