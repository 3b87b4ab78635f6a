"""The command ``all``: one device of each kind, and the agent.toml that reads them."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import attrs
import click

from hw_sim.configuration import configuration, is_free, write
from hw_sim.control import Control, ask
from hw_sim.everything import Everything, check_folder, device
from hw_sim.program import agent, called, shell_line, simulators
from hw_sim.registry import SIMULATED
from hw_sim.running import say
from hw_sim.terminal import run_until_stopped, signals_wake

HEADER = "# Written by the simulators at each start: changes are lost. Copy it to keep it.\n"
DATA_DIR = "sim-data"


@attrs.frozen
class Wishes:
    """What was asked for on the command line."""

    output: Path | None = None
    folder: Path | None = None
    control: Path | None = None
    kinds: Sequence[str] = ()
    seed: int = 1


def run_all(wishes: Wishes) -> None:
    """Run one simulator of each kind until Ctrl+C or SIGTERM.

    Raises:
        click.ClickException: They can't start, or a file can't be written; in one line.
    """
    with signals_wake() as wake, _folder(wishes.folder) as folder:
        everything = Everything(
            device(kind, folder, wishes.seed) for kind in SIMULATED if _is_wanted(kind, wishes)
        )
        control = Control(wishes.control, everything.obey) if wishes.control else None
        try:
            with everything, _running(control):
                _tell(everything, wishes)
                run_until_stopped(wake, partial(_type, everything, wishes))
        except OSError as error:
            raise click.ClickException(f"cannot run: {_text(error)}") from error
        finally:
            _tidy(folder)
    say("stopped", to_error=wishes.output is None)


def _type(everything: Everything, wishes: Wishes, line: str) -> None:
    """Obey a line that was typed."""
    if line:
        # Where a program may read standard output, people read standard error.
        say(everything.obey(line), to_error=wishes.output is None)


def switch(path: Path, words: Sequence[str]) -> None:
    """Say one line to the simulators that listen at a control socket, and print the answer.

    Raises:
        click.ClickException: Nobody listens there, or it could not be done.
    """
    try:
        answer = ask(path, " ".join(["fault", *words]))
    except OSError as error:
        hint = f"is {called()} all running with this --control?"
        raise click.ClickException(f"cannot reach {path}: {_text(error)}; {hint}") from error
    if answer.startswith("error: "):
        raise click.ClickException(answer.removeprefix("error: "))
    say(answer.replace(" | ", "\n"))


def _is_wanted(kind: str, wishes: Wishes) -> bool:
    return not wishes.kinds or kind in wishes.kinds


@contextlib.contextmanager
def _folder(wished: Path | None) -> Iterator[Path]:
    """The folder for files and links; one of our own is removed at the end."""
    if wished is None:
        with tempfile.TemporaryDirectory(prefix="hw-sim-") as made:
            yield Path(made)
        return
    folder = Path(os.path.abspath(wished.expanduser()))  # noqa: PTH100 - a link stays a link
    try:
        check_folder(folder)
        folder.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError) as error:
        raise click.ClickException(f"cannot use {wished}: {_text(error)}") from error
    yield folder


def _tidy(folder: Path) -> None:
    """Take away the folders of the kinds where nothing is left in them."""
    for kind in SIMULATED:
        with contextlib.suppress(OSError):
            (folder / kind).rmdir()


@contextlib.contextmanager
def _running(control: Control | None) -> Iterator[None]:
    if control is None:
        yield
        return
    control.start()
    try:
        yield
    finally:
        control.stop()


def _tell(everything: Everything, wishes: Wishes) -> None:
    """The configuration where it is wanted, and then what to do with it."""
    text = configuration(HEADER, DATA_DIR, everything.tables)
    if wishes.output is None:
        say(text.rstrip("\n"))
        _end_output()
    else:
        if not is_free(wishes.output, HEADER):
            reason = "was not written by this command and would be overwritten, name another"
            raise click.ClickException(f"{wishes.output} {reason}")
        write(wishes.output, text)
    say(_introduction(everything, wishes), to_error=wishes.output is None)


def _end_output() -> None:
    """What reads our output through a pipe shall see its end, though we run on."""
    output = sys.__stdout__
    if output is None or sys.stdout is not output or output.isatty():
        return
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, output.fileno())
        os.close(nowhere)


def _introduction(everything: Everything, wishes: Wishes) -> str:
    file = wishes.output or Path("FILE")
    devices = everything.devices
    width = max(len(each.name) for each in devices)
    lines = [f"{len(devices)} simulated devices run, as {file} says; Ctrl+C ends them", ""]
    lines += [f"{each.name:<{width}}  {_about(each.kind, each.simulator.address)}"
              for each in devices]  # fmt: skip
    if wishes.output is None:
        lines += ["", f"FILE is what was printed: {called()} all --output FILE writes it"]
    lines += ["", "in another terminal:"]
    lines.append(f"  {shell_line(agent(), 'read', devices[-1].name, '--config', file)}")
    lines.append(f"  {shell_line(agent(), 'run', '--config', file)}")
    lines += ["", "pull a plug by typing here, end it with none; faults lists them:"]
    lines.append(f"  {everything.example()}")
    if wishes.control is not None:
        words = ["fault", "--control", str(wishes.control), *everything.example().split()[1:]]
        lines += ["or from elsewhere:", f"  {shell_line(*simulators(), *words)}"]
    return "\n".join(lines)


def _about(kind: str, address: str) -> str:
    return f"{SIMULATED[kind].summary.rstrip('.')}: {address}"


def _text(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)
