"""``python -m hw_sim luxtronik``."""

import time

import click

from hw_sim import running
from hw_sim.luxtronik.faults import FAULTS
from hw_sim.luxtronik.profiles import PROFILES
from hw_sim.luxtronik.simulator import LuxtronikSimulator

HELP = """A Luxtronik heat pump controller of a house.

\b
new     275 calculations, 1187 parameters, 398 visibilities
old     200, 1086 and 336 of them, as firmware V1.80 has
v1.80   the same, with values of a real unit, which don't move
bench   268, 1126 and 355 of them

The compressor runs 25 minutes of every 45. What clients write is printed. While it
runs, type "fault NAME", "fault none" or "help" and Enter; Ctrl+C ends it.

\b
Examples:
  python -m hw_sim luxtronik
  python -m hw_sim luxtronik --port 8888 --profile old
  python -m hw_sim luxtronik --host 0.0.0.0 --discovery-port 4444
"""


@click.command(help=HELP)
@running.host_option
@running.port_option(8889)
@running.fault_option
@click.option(
    "--profile", default="new", show_default=True, type=click.Choice(list(PROFILES)), help="Which."
)
@running.seed_option
@click.option("--frozen", is_flag=True, help="Values don't move.")
@click.option(
    "--discovery-port",
    type=click.IntRange(0, 65535),
    help="Answer calls at this UDP port, real ones at 4444.",
)
@running.faults_option(FAULTS)
def command(
    host: str,
    port: int,
    fault: str | None,
    profile: str,
    seed: int,
    frozen: bool,
    discovery_port: int | None,
) -> None:
    """Run the simulated controller until it is stopped."""
    pump = LuxtronikSimulator(
        host,
        port,
        profile=profile,
        seed=seed,
        frozen=frozen,
        discovery_port=discovery_port,
        on_write=lambda write: running.say(write.describe()),
        epoch=time.time(),
    )
    running.run(
        pump,
        fault,
        lambda: f"Luxtronik simulator ready on {pump.address} (profile {profile})",
        lambda: f"stopped after {pump.request_count} requests, {pump.write_requests} to write",
        port,
    )
