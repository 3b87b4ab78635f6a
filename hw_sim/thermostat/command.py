"""``python -m hw_sim thermostat``."""

import click

from hw_sim import running
from hw_sim.thermostat.board import GENERATIONS
from hw_sim.thermostat.faults import FAULTS
from hw_sim.thermostat.simulator import ThermostatSimulator

HELP = """A two-channel thermostat (Sinara 8451) at a laser that is kept at 20 °C.

Channel 0 regulates, channel 1 follows the room. What clients change is printed. Try it with:

\b
  echo report | nc -w 1 127.0.0.1 2323

While it runs, type "fault NAME", "fault none" or "help" and Enter; Ctrl+C ends it.

\b
Examples:
  python -m hw_sim thermostat
  python -m hw_sim thermostat --generation b --sensors 1
  python -m hw_sim thermostat --port 2324 --fault sensor-loss
"""


@click.command(help=HELP)
@running.host_option
@running.port_option(2323)
@running.fault_option
@click.option(
    "--generation",
    default="a",
    show_default=True,
    type=click.Choice(GENERATIONS),
    help="Of the firmware: a has the command pwm, b has output.",
)
@click.option("--no-fan", is_flag=True, help="A board without a fan.")
@click.option(
    "--sensors",
    default=2,
    show_default=True,
    type=click.IntRange(0, 2),
    help="How many channels have a thermistor.",
)
@running.seed_option
@click.option("--frozen", is_flag=True, help="Values don't move.")
@running.faults_option(FAULTS)
def command(
    host: str,
    port: int,
    fault: str | None,
    generation: str,
    no_fan: bool,
    sensors: int,
    seed: int,
    frozen: bool,
) -> None:
    """Run the simulated thermostat until it is stopped."""
    thermostat = ThermostatSimulator(
        host,
        port,
        generation=generation,
        fan=not no_fan,
        sensors=sensors,
        seed=seed,
        frozen=frozen,
        on_write=lambda line: running.say(f"write: {line!r}"),
    )
    running.run(
        thermostat,
        fault,
        lambda: f"thermostat simulator ready on {thermostat.address} (generation {generation})",
        lambda: (
            f"stopped after {len(thermostat.requests)} requests, "
            f"{thermostat.write_requests} of them to write"
        ),
        port,
    )
