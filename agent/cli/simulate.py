"""``agent simulate``: the simulators of ``hw_sim``, which are loaded only when they are used."""

import copy
from typing import TYPE_CHECKING

import click

from agent.cli.options import show

if TYPE_CHECKING:
    from hw_sim.cli import Commands as Simulators


class Simulations(click.Group):
    """The commands of ``hw_sim``, in their own words but for the name of the program."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return _simulators().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from hw_sim.program import CALLED

        ctx.meta[CALLED] = ctx.command_path
        found = _simulators().get_command(ctx, cmd_name)
        return found and _renamed(found, ctx.command_path)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _simulators().format_commands(ctx, formatter)


@click.group(cls=Simulations, invoke_without_command=True, subcommand_metavar="KIND [OPTIONS]")
@click.pass_context
def simulate(ctx: click.Context) -> None:
    """Stand in for devices, to try without hardware.

    Faults come on demand, such as a plug that is pulled. A simulator speaks the real protocol of
    its KIND, and prints the [[device]] table that reads it, for agent.toml. Without a KIND, all are
    listed.

    \b
    Examples:
      agent simulate demo
      agent simulate all --config simulated.toml
      agent run --config simulated.toml      in another terminal
      agent simulate s7 --port 1102
      agent simulate s7 --faults
    """
    if ctx.invoked_subcommand is None:
        show(ctx.get_help())


def _simulators() -> "Simulators":
    from hw_sim.cli import main

    return main


def _renamed(command: click.Command, program: str) -> click.Command:
    """The command with texts that say how it is called here."""
    from hw_sim.program import FROM_SOURCE

    renamed = copy.copy(command)
    renamed.help = (command.help or "").replace(FROM_SOURCE, program)
    renamed.params = [copy.copy(each) for each in command.params]
    for each in renamed.params:
        if isinstance(each, click.Option) and each.help:
            each.help = each.help.replace(FROM_SOURCE, program)
    return renamed
