"""What every simulator's command does: start, say where it is, obey lines that are typed, stop."""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import click

from hw_sim.contract import Simulator
from hw_sim.program import is_command_of_agent
from hw_sim.registry import SIMULATED
from hw_sim.terminal import explain, run_until_stopped, signals_wake

host_option = click.option(
    "--host", default="127.0.0.1", show_default=True, help="0.0.0.0: from everywhere."
)
fault_option = click.option("--fault", metavar="NAME[:ARG]", help="Misbehave from the start.")
seed_option = click.option("--seed", default=1, show_default=True, help="Same seed, same values.")


def port_option(default: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--port``, with the port that such devices usually have."""
    return click.option(
        "--port",
        default=default,
        show_default=True,
        type=click.IntRange(0, 65535),
        help="0: any free.",
    )


def faults_option(faults: Mapping[str, str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--faults``, which lists them."""

    def show(context: click.Context, _: click.Parameter, is_wanted: bool) -> None:
        if is_wanted:
            click.echo(fault_table(faults))
            context.exit()

    return click.option(
        "--faults",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="List the faults and end.",
    )


def run(
    simulator: Simulator,
    fault: str | None,
    ready: Callable[[], str],
    done: Callable[[], str] = lambda: "stopped",
    port: int = 0,
    table: Callable[[], str] | None = None,
) -> None:
    """Run a simulator until Ctrl+C or SIGTERM, with faults that are switched by typing.

    Args:
        ready: What to say once it has started.
        done: What to say once it has stopped.
        port: What it was asked to listen at, for the error text.
        table: What ``agent.toml`` says of it, once it has started, where its options matter.

    Raises:
        click.ClickException: It can't start; in one line.
    """
    with signals_wake() as wake:
        try:
            simulator.set_fault(fault)
            simulator.start()
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        except OSError as error:
            host = getattr(simulator, "host", "")
            text = explain(error, host, port) if host else f"cannot start: {error}"
            raise click.ClickException(text) from error
        with simulator:
            note = f", fault {fault}" if fault else ""
            say(f"{ready()}{note}; Ctrl+C ends it")
            tell_table(table or (lambda: table_of(simulator.address)))
            run_until_stopped(wake, partial(_obey, simulator))
    say(done())


def say(text: str, *, to_error: bool = False) -> None:
    """Print at once, on standard error where standard output is for a program."""
    stream = sys.stderr if to_error else sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"  # which may have no sign for degrees
    try:
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True, file=stream)
    except BrokenPipeError:  # whoever read us has gone: the simulator is still of use
        pass


def tell_table(table: Callable[[], str]) -> None:
    """Print what goes into ``agent.toml``, for those who came by the agent."""
    if is_command_of_agent():
        here = table().replace('"0.0.0.0"', '"127.0.0.1"').replace('"::"', '"::1"')
        say(f"for agent.toml:\n\n{here}")


def table_of(address: str) -> str:
    """What ``agent.toml`` says of a device of the kind whose command runs."""
    kind = click.get_current_context().info_name or ""
    simulated = SIMULATED[kind].load()
    return simulated.table(simulated.name or kind, address)


def fault_table(faults: Mapping[str, str]) -> str:
    """A line for each fault."""
    width = max(map(len, faults))
    return "\n".join(f"{name:<{width}}  {text}" for name, text in faults.items())


def set_fault(simulator: Simulator, words: list[str]) -> str:
    """Switch as typed, ``fault NAME``, ``fault none`` or anything else; what to say to that."""
    match words:
        case ["fault", name]:
            try:
                simulator.set_fault(None if name == "none" else name)
            except (ValueError, OSError) as error:
                return f"error: {error}"
            return f"fault: {name}"
    return f'type "fault NAME" or "fault none"\n{fault_table(simulator.FAULTS)}'


def _obey(simulator: Simulator, line: str) -> None:
    if words := line.split():
        say(set_fault(simulator, words))
