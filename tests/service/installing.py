"""The commands that install and remove the service, on a machine in a folder."""

import json
from collections.abc import Callable
from pathlib import Path

from agent.console.service import InstallWish, Teller, install, uninstall
from agent.devices import KINDS
from agent.model import Sample
from agent.service.machine import Machine
from agent.service.paths import Places
from agent.service.program import Program
from agent.service.uninstall import Uninstall
from agent.store import Store
from agent.store.schema import VERSION
from tests.fakes import FakeClock
from tests.service.system import System

CONFIG = """\
# mine
[agent]
data_dir = "data"      # beside this file

[[device]]
name = "host"
kind = "host"
"""


def program(root: Path, version: str, build: str = "0123456789abcdef") -> Program:
    """The one file of a version."""
    path = root.parent / f"agent-{version}"
    path.write_text("the one file")
    return Program(path, True, version, build)


def unpacking(schema: int = VERSION) -> Callable[[Program, Path], Path]:
    """Unpacks a program that knows its version, and the store's form."""

    def unpack(program: Program, folder: Path) -> Path:
        folder.mkdir(parents=True)
        facts = {"agent": program.version, "build": program.build, "schema": schema}
        path = folder / "agent"
        path.write_text(f"#!/bin/sh\necho '{json.dumps(facts)}'\n")
        path.chmod(0o755)
        return path

    return unpack


class Shown(list[str]):
    """The lines that a command has shown."""

    @property
    def text(self) -> str:
        return "\n".join(self)


def run_install(
    system: System,
    version: str = "1.0.0",
    *,
    config: Path | None = None,
    prefix: str | None = None,
    is_user: bool = False,
    is_dry_run: bool = False,
    as_json: bool = False,
    schema: int = VERSION,
    build: str = "0123456789abcdef",
    machine: Machine | None = None,
    shown: Shown | None = None,
) -> Shown:
    """``agent install-service`` of a version; what it shows."""
    shown = Shown() if shown is None else shown
    install(
        InstallWish(config, prefix, is_user, is_dry_run),
        machine or system.machine(),
        program(system.root, version, build),
        unpacking(schema),
        Teller(shown.append, system.clock, as_json=as_json),
    )
    return shown


def run_uninstall(
    system: System, *, is_purge: bool = False, is_dry_run: bool = False, as_json: bool = False
) -> Shown:
    """``agent uninstall-service``; what it shows."""
    shown = Shown()
    machine = system.machine()
    places = machine.places(None, is_user=False)
    planner = Uninstall(machine, places, KINDS)
    uninstall(
        planner,
        planner.kept(),
        places,
        Teller(shown.append, system.clock, as_json=as_json),
        is_purge=is_purge,
        is_dry_run=is_dry_run,
    )
    return shown


def places_of(system: System) -> Places:
    """Where everything is."""
    return system.machine().places(None, is_user=False)


def files_below(root: Path) -> dict[str, str]:
    """Every file and link, with its content: to see that nothing has changed."""
    return {
        str(path.relative_to(root)): str(path.readlink())
        if path.is_symlink()
        else path.read_bytes().decode("utf-8", "replace")
        for path in sorted(root.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def make_store(path: Path, clock: FakeClock) -> None:
    """A store with one sample."""
    store = Store(path, clock)
    store.add_device("host", "host", 1.0)
    store.append(Sample("host", clock.stamp(), {"x": 1}))
    assert store.flush()
    store.close()
