"""The simulated machine as a simulator: its faults, and that it sees writes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.contract import Simulator
from hw_sim.host.simulator import HostSimulator


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[HostSimulator]:
    with HostSimulator(tmp_path) as simulator:
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
