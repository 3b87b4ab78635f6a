"""``python -m hw_sim benchlab``."""

import glob
import os
import tempfile
from pathlib import Path

import click

from hw_sim import running
from hw_sim.benchlab.faults import FAULTS
from hw_sim.benchlab.fleet import Fleet
from hw_sim.benchlab.wire import PRODUCTS
from hw_sim.terminal import run_until_stopped, signals_wake

MOST_BOARDS = 64
HELP = """BENCHLAB boards at serial ports that aren't there.

Each port is a link that is made at the start and taken away at the end: PATH, or PATH0, PATH1 and
so on for several boards. While it runs, type "fault NAME" for all boards, "fault 2 NAME" for the
second one, "fault none" or "help" and Enter; Ctrl+C ends it.

\b
Examples:
  python -m hw_sim benchlab
  python -m hw_sim benchlab --boards 2 --link bench --seed 7
  python -m hw_sim benchlab --product bl2 --firmware 5 --fault over-current
"""


@click.command(help=HELP)
@click.option(
    "--boards", default=1, show_default=True, type=click.IntRange(1, MOST_BOARDS), help="How many."
)
@click.option(
    "--product",
    default="original",
    show_default=True,
    type=click.Choice(list(PRODUCTS)),
    help="Which product they are.",
)
@click.option(
    "--firmware", type=click.IntRange(0, 255), help="Their firmware.  [default: the newest]"
)
@click.option(
    "--link",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Where the port is.  [default: benchlab, here or in the folder for temporary files]",
)
@running.fault_option
@running.seed_option
@running.faults_option(FAULTS)
def command(
    boards: int, product: str, firmware: int | None, link: Path | None, fault: str | None, seed: int
) -> None:
    """Run the simulated boards until they are stopped."""
    fleet = Fleet(link or default_link(), boards, product, firmware, seed)
    with signals_wake() as wake:
        try:
            fleet.set_fault(fault)
            fleet.start()
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        except OSError as error:
            text = f"cannot make {fleet.address}: {error.strerror}: choose another with --link"
            raise click.ClickException(text) from error
        with fleet:
            note = f", fault {fault}" if fault else ""
            running.say(f"BENCHLAB simulator ready{note}; Ctrl+C ends it")
            for number, board in enumerate(fleet.boards, 1):
                title, has = board.product.title, f"UID: {board.uid}  FW: {board.firmware}"
                running.say(f"{number}: Port: {board.path}  {has}  {title}")
            running.tell_table(lambda: _tables(fleet))
            run_until_stopped(wake, lambda line: _obey(fleet, line))
    running.say(f"stopped after {fleet.requests} requests, {fleet.write_requests} of them to write")


def default_link() -> Path:
    """In this folder, or where anybody may write."""
    folder = Path.cwd()
    return (folder if os.access(folder, os.W_OK) else Path(tempfile.gettempdir())) / "benchlab"


def _tables(fleet: Fleet) -> str:
    """One for each board; several are told apart by their UIDs, wherever they are plugged in."""
    if len(fleet.boards) == 1:
        return running.table_of(fleet.address)
    search = f'search = "{glob.escape(fleet.address)}*"'
    tables = [
        f'[[device]]\nname = "board{number}"\nkind = "benchlab"\nuid = "{board.uid}"\n{search}\n'
        for number, board in enumerate(fleet.boards, 1)
    ]
    return "\n".join(tables)


def _obey(fleet: Fleet, line: str) -> None:
    match line.split(maxsplit=1):
        case ["fault", what]:
            try:
                fleet.set_fault(None if what == "none" else what)
                running.say(f"fault: {what}")
            except (ValueError, OSError) as error:
                running.say(f"error: {error}")
        case [_, *_]:
            words = 'type "fault NAME", "fault 2 NAME" for the second board, or "fault none"'
            running.say(f"{words}\n{running.fault_table(FAULTS)}")
