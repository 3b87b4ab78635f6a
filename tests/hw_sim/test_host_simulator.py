"""The simulated machine as a simulator: its faults, and that it sees writes."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.contract import Simulator
from hw_sim.host.simulator import HostSimulator
from tests.agent_process import wait_for


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[HostSimulator]:
    with HostSimulator(tmp_path, frozen=True) as simulator:
        yield simulator


def test_it_keeps_the_contract_of_simulators(machine: HostSimulator, tmp_path: Path) -> None:
    simulator: Simulator = machine

    simulator.start()

    assert simulator.address == str(tmp_path)
    assert simulator.write_requests == 0


def test_it_leaves_nothing_in_its_folder(tmp_path: Path) -> None:
    machine = HostSimulator(tmp_path)
    machine.start()

    machine.stop()
    machine.stop()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fault", HostSimulator.FAULTS)
def test_a_fault_changes_the_tree_and_its_end_restores_it(
    machine: HostSimulator, fault: str
) -> None:
    before = contents(machine)

    machine.set_fault(fault)
    during = contents(machine)
    machine.set_fault(None)

    assert during != before
    assert contents(machine) == before


def contents(machine: HostSimulator) -> dict[str, bytes | None]:
    """Every path of the tree, with the content of an ordinary file."""
    return {
        str(path): path.read_bytes() if path.is_file() else None
        for path in Path(machine.address).rglob("*")
    }


def test_a_fault_set_before_the_start_is_in_force_after_it(tmp_path: Path) -> None:
    machine = HostSimulator(tmp_path)
    machine.set_fault("no-proc")

    with machine:
        assert not (tmp_path / "proc").exists()


def test_an_unknown_fault_is_refused(machine: HostSimulator) -> None:
    with pytest.raises(ValueError, match="no fault 'fire': known are no-proc"):
        machine.set_fault("fire")


def test_files_that_others_change_make_or_remove_are_counted(machine: HostSimulator) -> None:
    (machine.tree.proc / "stat").write_text("")
    (machine.tree.proc / "new").write_text("")
    (machine.tree.proc / "uptime").unlink()

    assert machine.write_requests >= 3


def test_values_move_by_themselves_and_the_writes_of_others_stay_counted(tmp_path: Path) -> None:
    with HostSimulator(tmp_path, interval_s=0.02) as machine:
        uptime = machine.tree.proc / "uptime"
        before = uptime.read_text()
        wait_for(lambda: uptime.read_text() != before)
        of_its_own = machine.write_requests
        (machine.tree.proc / "new").touch()
        now = uptime.read_text()
        wait_for(lambda: uptime.read_text() != now)

        assert of_its_own == 0
        assert machine.write_requests == 1
    assert machine.write_requests == 1
    assert "host values" not in {thread.name for thread in threading.enumerate()}


def test_what_a_fault_took_away_stays_away_while_the_rest_moves(tmp_path: Path) -> None:
    with HostSimulator(tmp_path, interval_s=0.02) as machine:
        machine.set_fault("no-battery")
        uptime = machine.tree.proc / "uptime"
        before = uptime.read_text()

        wait_for(lambda: uptime.read_text() != before)

        assert not (machine.tree.sys / "class/power_supply").exists()
        machine.set_fault(None)
        assert (machine.tree.sys / "class/power_supply/BAT0/capacity").exists()


def test_frozen_values_stay_until_they_are_thawed(tmp_path: Path) -> None:
    with HostSimulator(tmp_path, interval_s=0.02) as machine:
        machine.freeze()
        uptime = machine.tree.proc / "uptime"
        before = uptime.read_text()
        machine.set_fault("no-sys")
        machine.set_fault(None)
        frozen = uptime.read_text()
        machine.thaw()

        wait_for(lambda: uptime.read_text() != before)

        assert frozen == before


def test_a_folder_with_a_proc_of_its_own_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "stat").write_text("real")

    with pytest.raises(FileExistsError, match="proc is there already, name another folder"):
        HostSimulator(tmp_path).start()

    assert (tmp_path / "proc" / "stat").read_text() == "real"


def test_a_folder_that_can_not_be_made_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    machine = HostSimulator(tmp_path / "file" / "root")

    with pytest.raises(OSError):
        machine.start()

    machine.stop()
