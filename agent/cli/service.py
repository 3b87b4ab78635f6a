"""The commands that make the agent a service of the machine, and take that back."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from agent.cli.options import json_option, show

if TYPE_CHECKING:
    from agent.console.service import Teller
    from agent.service.machine import Machine
    from agent.service.paths import Places
    from agent.service.uninstall import Kept

user_option = click.option(
    "--user", "is_user", is_flag=True, help="For this user alone, with systemctl --user."
)
prefix_option = click.option(
    "--prefix",
    metavar="DIR",
    help="Where the program goes: DIR/bin/agent and DIR/lib/agent; /usr/local by default.",
)
dry_run_option = click.option(
    "--dry-run", "is_dry_run", is_flag=True, help="Say what would be done, and do nothing."
)


@click.command("install-service")
@user_option
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Copied to /etc/agent/agent.toml, if there is none; else a first one is written.",
)
@prefix_option
@dry_run_option
@json_option
def install_service(*, is_user: bool, config: Path | None, prefix: str | None,
                    is_dry_run: bool, as_json: bool) -> None:  # fmt: skip
    """Install this program as a service, or upgrade it.

    The service starts with the machine. Configuration and data that are there already are kept. A
    new version that is not healthy within a minute is taken back, and the former one runs again.
    Safe to run twice.

    \b
    Examples:
      sudo ./agent install-service
      sudo ./agent install-service --config agent.toml
      ./agent install-service --dry-run
      ./agent install-service --user
    """
    from agent.console.service import InstallWish, install
    from agent.service.program import this_program, unpack

    machine, teller = _machine(), _teller(as_json=as_json)
    if not is_dry_run:
        _be_steady()
    wish = InstallWish(config, prefix, is_user, is_dry_run)
    try:
        install(wish, machine, this_program(), unpack, teller)
    except KeyboardInterrupt:
        raise click.Abort from None


@click.command("uninstall-service")
@user_option
@click.option("--purge", "is_purge", is_flag=True, help="Remove configuration and data too.")
@click.option("--yes", "-y", "is_agreed", is_flag=True, help="With --purge: do not ask.")
@prefix_option
@dry_run_option
@json_option
def uninstall_service(*, is_user: bool, is_purge: bool, is_agreed: bool, prefix: str | None,
                      is_dry_run: bool, as_json: bool) -> None:  # fmt: skip
    """Remove the service and the program.

    It is stopped first; configuration and data stay.

    \b
    Examples:
      sudo agent uninstall-service
      sudo agent uninstall-service --purge
      agent uninstall-service --dry-run
    """
    from agent.console.service import check_uninstall, uninstall, uninstall_plan
    from agent.service.program import this_program

    machine, teller = _machine(), _teller(as_json=as_json)
    planner, places = uninstall_plan(machine, prefix=prefix, is_user=is_user)
    if not is_dry_run:
        check_uninstall(machine, places, this_program().path)
    kept = planner.kept()
    if is_purge and not is_dry_run and not is_agreed:
        _ask(kept, places)
    uninstall(planner, kept, places, teller, is_purge=is_purge, is_dry_run=is_dry_run)


def _machine() -> "Machine":
    import threading

    from agent.clock import SystemClock
    from agent.service.commands import SystemRunner
    from agent.service.machine import this_machine

    pause = threading.Event()
    return this_machine(SystemRunner(os.environ), SystemClock(), pause.wait)


def _teller(*, as_json: bool) -> "Teller":
    from agent.clock import SystemClock
    from agent.console.service import Teller

    return Teller(show, SystemClock(), as_json=as_json)


def _be_steady() -> None:
    """What is begun is ended, or undone: also when the connection to the terminal is lost."""
    os.umask(0o022)  # the service's user has to read what root writes
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def undo(_number: int, _frame: FrameType | None) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):  # once: undoing is not interrupted
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, undo)


def _ask(kept: "Kept", places: "Places") -> None:
    paths = (kept.config, *kept.data, *kept.reports, places.log.parent)
    there = [str(path) for path in paths if path.exists()]
    if not there:
        return
    question = f"Remove all samples, reports and the configuration ({', '.join(there)})?"
    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError(f"{question} There is no terminal to ask; add --yes")
    if not click.confirm(question, default=False):
        raise SystemExit(1)
