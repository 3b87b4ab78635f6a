"""Who runs the agent, and what that user may not do."""

import os
from pathlib import Path

import pytest

from agent.doctor.accounts import READ, WRITE, named_account, this_account
from agent.doctor.finding import Level
from agent.doctor.permissions import check_permissions
from agent.doctor.serial_ports import check_serial_ports, ports_of
from hw_sim.benchlab import BenchlabSimulator
from tests.devices.far_end import FarEnd
from tests.doctor.machines import Programs, Tree, bad, case_of, levels, machine_of, shown

HOST = '[[device]]\nname = "host"\nkind = "host"\n'
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other users")


def service(tree: Tree, **facts: str) -> Programs:
    """A service that runs as the user ``agent``."""
    tree.boot_systemd()
    return Programs({"systemctl show": shown(**{"User": "agent", "Group": "agent"} | facts)})


def open_way(folder: Path) -> None:
    """Let everybody enter the folders of a test."""
    for each in (folder, *folder.parents):
        if each == Path("/tmp"):
            break
        each.chmod(0o755)


def test_without_a_service_it_is_who_asks(tree: Tree) -> None:
    found = levels(check_permissions(case_of(tree, HOST)))

    assert found[0] == ("ok", "the user root, who runs this command")
    assert {level for level, _ in found} <= {"ok", "note"}


def test_a_file_that_the_user_of_the_service_may_not_read_is_a_problem(
    tree: Tree, tmp_path: Path
) -> None:
    open_way(tmp_path)
    case = case_of(tree, HOST, run=service(tree))
    (tmp_path / "agent.toml").chmod(0o600)

    found = bad(check_permissions(case))

    assert found[0].text.endswith("agent.toml can't be read by agent, who runs the agent")
    assert "chgrp agent" in found[0].fix


@pytest.mark.parametrize("facts", [{}, {"Group": ""}])
def test_a_data_folder_that_the_service_may_not_write_is_a_problem(
    tree: Tree, tmp_path: Path, facts: dict[str, str]
) -> None:
    open_way(tmp_path)
    (tmp_path / "data").mkdir(mode=0o755)
    case = case_of(tree, HOST, run=service(tree, SupplementaryGroups="dialout", **facts))

    found = bad(check_permissions(case))

    assert [each.text for each in found] == [
        f"{tmp_path}/data can't be written by agent, who runs the agent"
    ]
    assert found[0].fix == f"sudo install -d -o agent -g agent -m 2770 {tmp_path}/data"


@needs_root
def test_a_file_of_root_in_the_data_folder_is_a_problem(tree: Tree, tmp_path: Path) -> None:
    open_way(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    (data / "telemetry.db").touch()
    (data / "telemetry.db-wal").touch()
    os.chown(data, 990, 990)
    os.chown(data / "telemetry.db", 990, 990)

    (finding,) = bad(check_permissions(case_of(tree, HOST, run=service(tree))))

    assert "agent may not write telemetry.db-wal; did root run the agent once?" in finding.text
    assert finding.fix.startswith(f"sudo chown agent: {data}/telemetry.db-wal")


@needs_root
def test_what_the_user_of_the_service_owns_is_well(tree: Tree, tmp_path: Path) -> None:
    open_way(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, 990, 990)
    case = case_of(tree, HOST, run=service(tree))
    os.chown(tmp_path / "agent.toml", 0, 990)
    (tmp_path / "agent.toml").chmod(0o640)

    assert bad(check_permissions(case)) == []


def test_a_user_of_the_service_that_is_not_there_is_a_problem(tree: Tree) -> None:
    case = case_of(tree, HOST, run=service(tree, User="nobody_here"))

    (finding,) = bad(check_permissions(case))

    assert "'nobody_here', which this machine does not know" in finding.text


def test_a_secret_that_everybody_may_read_is_a_warning(tree: Tree, tmp_path: Path) -> None:
    word = tmp_path / "word.txt"
    word.write_text("correct-horse")
    config = (
        '[[device]]\nname = "json"\nkind = "json"\nurl = "http://10.0.0.7/"\nuser = "me"\n'
        'password = { file = "word.txt" }\n'
    )

    word.chmod(0o644)
    (finding,) = bad(check_permissions(case_of(tree, config)))
    word.chmod(0o640)
    closed = bad(check_permissions(case_of(tree, config)))

    assert (finding.level, finding.fix) == (Level.WARNING, f"chmod o= {word}")
    assert closed == []


def test_a_data_dir_that_is_a_file_is_a_problem(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")

    (finding,) = bad(check_permissions(case_of(tree, HOST)))

    assert finding.text == f"{tmp_path}/data is no folder"


def test_rights_are_those_of_owner_group_and_others(tree: Tree, tmp_path: Path) -> None:
    machine = machine_of(tree)
    agent, pi = named_account(machine, "agent"), named_account(machine, "pi", "agent")
    assert agent is not None
    assert pi is not None
    open_way(tmp_path)
    file = tmp_path / "x"
    file.touch(mode=0o604)
    file.chmod(0o604)

    assert agent.may(file, READ)
    assert not agent.may(file, WRITE)
    assert pi.gids == frozenset({1000, 20, 990})
    assert named_account(machine, "nobody_here") is None
    assert this_account(machine).name == "root"


def meter(path: str) -> str:
    """A device at a serial port."""
    return f'[[device]]\nname = "meter"\nkind = "json"\nserial = "{path}"\n'


@needs_root
def test_a_serial_port_of_a_group_that_the_service_is_not_in(tree: Tree) -> None:
    far = FarEnd()
    try:
        os.chown(far.path, 0, 20)
        os.chmod(far.path, 0o660)  # noqa: PTH101
        tree.write("etc/group", "dialout:x:20:pi\nagent:x:990:\n")
        outside = bad(check_serial_ports(case_of(tree, meter(far.path), run=service(tree))))
        inside = bad(
            check_serial_ports(
                case_of(tree, meter(far.path), run=service(tree, SupplementaryGroups="dialout"))
            )
        )
    finally:
        far.unplug()

    assert [each.text for each in outside] == [
        f"{far.path} of meter: agent is not in the group dialout, which owns it"
    ]
    assert "sudo usermod -aG dialout agent && sudo systemctl restart agent" in outside[0].fix
    assert inside == []


def test_a_serial_port_that_is_not_there(tree: Tree, tmp_path: Path) -> None:
    (finding,) = check_serial_ports(case_of(tree, meter(f"{tmp_path}/ttyUSB0")))

    assert finding.level is Level.NOTE  # the device that can't be read is the problem
    assert "no such file or directory; is it plugged in?" in finding.text
    assert "agent discover" in finding.fix


def test_a_file_is_no_serial_port(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "port").touch()

    (finding,) = bad(check_serial_ports(case_of(tree, meter(f"{tmp_path}/port"))))

    assert "is no serial port" in finding.text


def test_every_option_with_a_port_is_known(tree: Tree, tmp_path: Path) -> None:
    with BenchlabSimulator(tmp_path / "board") as board:
        config = (
            f'[[device]]\nname = "a"\nkind = "benchlab"\nport = "{board.address}"\n'
            '[[device]]\nname = "b"\nkind = "json"\nserial = "/dev/ttyS7"\n'
            '[[device]]\nname = "c"\nkind = "s7"\nhost = "10.0.0.7"\n'
            '[[device.tag]]\nname = "a"\naddress = "DB1.DBD0"\ntype = "REAL"\n'
        )
        case = case_of(tree, config)
        assert case.error is None
        ports = [ports_of(device.options) for device in case.devices]

    assert ports == [[board.address], ["/dev/ttyS7"], []]
