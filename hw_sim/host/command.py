"""``python -m hw_sim host``."""

from pathlib import Path

import click

from hw_sim import running
from hw_sim.host.simulator import FAULTS, HostSimulator

HELP = """The files that a Linux computer tells about itself, with values that move.

They are made in a folder which must have no proc and no sys yet, and taken away at the end.
While it runs, type "fault NAME", "fault none" or "help" and Enter; Ctrl+C ends it.

\b
Examples:
  python -m hw_sim host
  python -m hw_sim host --root sim-root --interval 5
  python -m hw_sim host --root sim-root --fault no-battery
"""


@click.command(help=HELP)
@click.option(
    "--root",
    default="simulated-host",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the tree is made.",
)
@click.option(
    "--interval",
    "interval_s",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.01, 3600),
    help="Seconds between changes.",
)
@running.fault_option
@running.seed_option
@running.faults_option(FAULTS)
def command(root: Path, interval_s: float, fault: str | None, seed: int) -> None:
    """Run the simulated computer until it is stopped."""
    simulator = HostSimulator(root, seed, interval_s=interval_s)
    running.run(
        simulator,
        fault,
        lambda: f"host simulator ready in {root}",
        table=lambda: running.table_of(str(root.absolute())),
    )
