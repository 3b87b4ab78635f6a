"""Machines with a real systemd, for the tests that are marked with its name."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.systemd.counting import CountingDevice, counting_device
from tests.systemd.figures import Figures
from tests.systemd.machine import Machine, booted
from tests.systemd.programs import missing_program
from tests.systemd.service import Service
from tests.systemd.tree import debian_tree, missing_host

FIGURES = pytest.StashKey[Figures]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = Figures()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = list(terminalreporter.config.stash.get(FIGURES, Figures()).lines())
    if lines:
        terminalreporter.section("figures")
        terminalreporter.write_line("\n".join(lines))


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> Figures:
    """Where a test notes what it measured."""
    return pytestconfig.stash[FIGURES]


@pytest.fixture(scope="session")
def tree() -> Path:
    """A Debian that machines begin with."""
    if why := missing_host() or missing_program():
        pytest.skip(why)
    try:
        return debian_tree()
    except RuntimeError as exc:
        pytest.skip(str(exc))


@contextmanager
def machine_in(tree: Path, folder: Path, disk_mb: int = 0) -> Iterator[Machine]:
    """A machine that runs; its disk is taken away at the end."""
    machine = Machine(tree, folder, disk_mb=disk_mb)
    try:
        with booted(machine):
            yield machine
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def machine(tree: Path, tmp_path: Path) -> Iterator[Machine]:
    """A fresh machine for one test."""
    with machine_in(tree, tmp_path / "machine") as found:
        yield found


@pytest.fixture
def service(machine: Machine) -> Service:
    """The agent's service there, which is still to be installed."""
    return Service(machine)


@pytest.fixture
def counting(machine: Machine, tmp_path: Path) -> Iterator[CountingDevice]:
    """A device in that machine's network that counts its answers."""
    with counting_device(machine, tmp_path) as found:
        yield found
