"""The commands that find devices and write the first configuration."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agent.cli.options import config_option, finite, json_option, show

if TYPE_CHECKING:
    from agent.discovery import Wish

OWN_NETWORKS = "own"
INTERRUPTED = 130  # what a shell says of a program that Ctrl+C ended


def search_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What is searched, the same for both commands."""
    for option in reversed(
        (
            click.argument("addresses", nargs=-1, metavar="[ADDRESS]..."),
            click.option(
                "--subnet",
                "subnets",
                multiple=True,
                is_flag=False,
                flag_value=OWN_NETWORKS,
                metavar="[RANGE]",
                help="Also this machine's own private networks, or a RANGE such as 10.0.0.0/24.",
            ),
            click.option(
                "--port",
                "ports",
                multiple=True,
                metavar="PATH",
                help="This serial port, such as /dev/ttyUSB0 or '/dev/ttyACM*'.",
            ),
            click.option(
                "--kind", "kinds", multiple=True, metavar="KIND", help="Only this kind of device."
            ),
            click.option("--public", "is_public", is_flag=True, help="Allow public addresses."),
            click.option(
                "--large", "is_large", is_flag=True, help="Allow ranges up to a /16, else a /22."
            ),
            click.option(
                "--timeout",
                "timeout_s",
                type=click.FloatRange(0.01, 60),
                callback=finite,
                default=0.5,
                show_default=True,
                metavar="S",
                help="How long a connection may take.",
            ),
        )
    ):
        function = option(function)
    return function


def _wish(options: dict[str, Any]) -> "Wish":
    from agent.discovery import Wish

    return Wish(**options)


@click.command()
@search_options
@config_option
@json_option
def discover(file: Path | None, *, as_json: bool, **options: Any) -> None:
    """Find devices here and in the network.

    It looks at this machine and its serial ports, and at each ADDRESS that is named. An ADDRESS is
    one, or a name, host:port, or a range such as 192.168.1.0/24. Nothing is sent over the network
    unless an ADDRESS or --subnet asks for it. Devices are only read from; ports that none of them
    has are not touched. Ctrl+C shows what was found so far, with exit code 130.

    \b
    Examples:
      agent discover
      agent discover --subnet
      agent discover 192.168.1.20 plc.local 10.0.0.7:1102
      agent discover 192.168.1.0/24 --kind s7
      agent discover --port '/dev/ttyUSB*' --json
    """
    from agent.console.discover import discover_report

    text, is_complete = discover_report(_wish(options), file, as_json=as_json)
    show(text)
    if not is_complete:
        raise SystemExit(INTERRUPTED)


@click.command()
@search_options
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("agent.toml"),
    show_default=True,
    metavar="FILE",
    help="Where to write.",
)
@click.option("--yes", "-y", "is_agreed", is_flag=True, help="Replace a file without asking.")
def init(output: Path, *, is_agreed: bool, **options: Any) -> None:
    """Write a first agent.toml with what is found.

    It has the devices that "agent discover" finds. A file that is there already is kept beside it,
    as agent.toml.bak.

    \b
    Examples:
      agent init
      agent init --subnet
      agent init 192.168.1.20 plc.local
      agent init --yes --output /etc/agent/agent.toml
    """
    from agent.console.init import Output, init_report

    target = Output(output)
    if target.is_there and not is_agreed:
        _ask(target.question)
    text, is_complete = init_report(_wish(options), target)
    show(text)
    if not is_complete:
        raise SystemExit(INTERRUPTED)


def _ask(question: str) -> None:
    import sys

    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError(f"{question} There is no terminal to ask; add --yes")
    if not click.confirm(question, default=False):
        raise SystemExit(1)
