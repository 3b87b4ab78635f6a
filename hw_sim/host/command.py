"""``python -m hw_sim host``."""

from functools import partial
from pathlib import Path

import click

from hw_sim import running
from hw_sim.host.tree import HostTree
from hw_sim.terminal import run_until_stopped, signals_wake


@click.command()
@click.option(
    "--root",
    required=True,
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
@running.seed_option
def command(root: Path, interval_s: float, seed: int) -> None:
    """The files that a Linux computer tells about itself, with values that move.

    \b
    Example:
      python -m hw_sim host --root sim-root --interval 5
    """
    tree = HostTree(root, seed)
    with signals_wake() as wake:
        try:
            tree.build()
            running.say(f"host simulator ready in {root}; Ctrl+C ends it")
            run_until_stopped(wake, on_tick=partial(tree.step, interval_s), interval_s=interval_s)
        except OSError as error:
            raise click.ClickException(f"cannot make {root}: {error.strerror}") from error
    running.say("stopped")
