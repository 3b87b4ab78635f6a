"""The simulators on the command line."""

from pathlib import Path

import click

from hw_sim.registry import SIMULATED

EXAMPLES = """Simulators of the devices, with their real protocols and faults on demand.

\b
Examples:
  python -m hw_sim all
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
        own = [(name, each.get_short_help_str()) for name, each in self.commands.items()]
        kinds = [(name, each.summary) for name, each in SIMULATED.items()]
        with formatter.section("Commands"):
            formatter.write_dl([*own, *kinds])


@click.group(cls=Commands, help=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Simulators on the command line."""


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
