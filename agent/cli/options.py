"""What every command of the agent shares: its options, its output, and what becomes of errors."""

import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agent.errors import AgentError

if TYPE_CHECKING:
    from agent.config import Config

EXIT_CODES = """\b
Exit codes:
  0  done
  1  failed
  2  wrong use or configuration
  3  a device could not be read
  4  the store could not be read or written
"""


class Commands(click.Group):
    """Turns our errors into one line and an exit code, and a closed pipe into silence."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AgentError as exc:
            from agent.console.table import printable

            for line in str(exc).splitlines():
                click.echo(f"error: {printable(line)}", err=True)
            ctx.exit(exc.exit_code)

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write(f"\n{EXIT_CODES[2:]}")


def show(text: str) -> None:
    """Print what a command is about.

    Raises:
        AgentError: It can't be written.
    """
    try:
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        click.echo(text.encode(encoding, "backslashreplace"))
    except BrokenPipeError:
        # Somebody like "head" has read enough. Python writes the rest at its end, and complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as exc:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise AgentError(f"cannot write what was asked for: {exc.strerror}") from exc


def finite(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    """A number that is one: neither infinite nor NaN."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter("it is not a finite number")
    return value


def config_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--config``, the same for every command."""
    return click.option(
        "--config",
        "file",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="The configuration; else AGENT_CONFIG, agent.toml here, ~/.config/agent/agent.toml, "
        "/etc/agent/agent.toml.",
    )(function)


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--json``, the same for every command that prints facts."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(
        function
    )


def load_config(file: Path | None) -> "Config":
    """The configuration that a command is to use; ``ConfigError`` where there is none."""
    from agent.config import load
    from agent.config.source import HERE, hidden_by_here
    from agent.devices import KINDS

    config = load(file, KINDS)
    if config.source == str(HERE) and (hidden := hidden_by_here(file)) is not None:
        click.echo(f"note: {HERE} of this folder is used, not {hidden}", err=True)
    return config
