"""The simulators on the command line."""

from pathlib import Path

import click

from hw_sim.registry import SIMULATED

HELP_COLUMNS = 70
EXAMPLES = """Simulators of the devices, with their real protocols and faults on demand.

\b
Examples:
  python -m hw_sim all --output all.toml
  python -m hw_sim s7 --port 1102
  python -m hw_sim s7 --help
  python -m hw_sim demo
"""


class Commands(click.Group):
    """Loads the simulator that is asked for, and no other."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*SIMULATED, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in SIMULATED:
            return SIMULATED[cmd_name].load().command
        return super().get_command(ctx, cmd_name)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        own = [
            (name, each.get_short_help_str(HELP_COLUMNS)) for name, each in self.commands.items()
        ]
        kinds = [(name, each.summary) for name, each in SIMULATED.items()]
        with formatter.section("Commands"):
            formatter.write_dl([*own, *kinds])


@click.group(cls=Commands, help=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Simulators on the command line."""


@main.command("all", short_help="One device of each kind, and the agent.toml that reads them.")
@click.option(
    "--output",
    "--config",
    "-o",
    "output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write agent.toml there.  [default: to standard output]",
)
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where files and serial ports are made.  [default: a temporary folder]",
)
@click.option(
    "--only",
    "kinds",
    type=click.Choice(list(SIMULATED)),
    multiple=True,
    metavar="KIND",
    help="Only this kind; may be repeated.",
)
@click.option(
    "--control",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH",
    help="A socket for python -m hw_sim fault.",
)
@click.option("--seed", default=1, show_default=True, help="Same seed, same values.")
def all_kinds(
    output: Path | None,
    folder: Path | None,
    kinds: tuple[str, ...],
    control: Path | None,
    seed: int,
) -> None:
    """One device of each kind at once, and the agent.toml that reads them.

    TCP ports are free ones. While it runs, type "fault DEVICE NAME", "fault DEVICE none",
    "faults" or "help" and Enter; Ctrl+C ends it.

    \b
    Examples:
      python -m hw_sim all --output all.toml
      python -m hw_sim all > all.toml
      python -m hw_sim all --output all.toml --only s7 --control faults.sock
    """
    from hw_sim.all_kinds import Wishes, run_all

    run_all(Wishes(output, folder, control, kinds, seed))


@main.command("fault", short_help="Pull the plug of a device that runs elsewhere.")
@click.option(
    "--control",
    required=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Where python -m hw_sim all --control PATH listens.",
)
@click.argument("words", nargs=-1, metavar="[DEVICE [NAME]]")
def switch_fault(control: Path, words: tuple[str, ...]) -> None:
    """Pull the plug of a DEVICE that runs elsewhere; list the faults when nothing is named.

    \b
    Examples:
      python -m hw_sim fault --control faults.sock
      python -m hw_sim fault --control faults.sock plc
      python -m hw_sim fault --control faults.sock plc silent
      python -m hw_sim fault --control faults.sock plc none
    """
    from hw_sim.all_kinds import switch

    switch(control, words)


@main.command()
@click.option(
    "--data",
    default="demo-data",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that the demo keeps everything in.",
)
@click.option(
    "--duration",
    "duration_s",
    type=click.FloatRange(0.1),
    help="Seconds until it ends by itself.  [default: with Ctrl+C]",
)
def demo(data: Path, duration_s: float | None) -> None:
    """The agent with simulated devices, in one go.

    \b
    Examples:
      python -m hw_sim demo
      python -m hw_sim demo --data demo-data --duration 60
    """
    from hw_sim.demo import run_demo

    run_demo(data, duration_s)
