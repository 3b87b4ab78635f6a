"""``agent discover``: what it prints, for people and for programs."""

import io
import json
import re
import socket
from pathlib import Path

import pytest

from agent.cli import setup
from agent.console.discover import discover_report
from agent.console.progress import ProgressLine
from agent.devices.contract import Found, LocalProbe, SerialProbe, TcpProbe
from agent.discovery import OWN_NETWORKS, Progress, Wish
from agent.discovery.serial_ports import SerialPort
from hw_sim.s7 import S7Simulator
from tests.console.commands import Machine, in_shell
from tests.console.interrupted import interrupted
from tests.discovery.fakes import BoardOptions, interface, kind, kinds, lamp, surroundings
from tests.peers import free_port

USB = (0x0483, 0x5740)
ONLY = ("--kind", "host", "--kind", "s7")  # no board that may be plugged in
HOST = kind(LocalProbe(lambda: [Found("this machine", {}, {"battery": "BAT0"})]), is_single=True)


def board(path: str, _: float) -> Found:
    """A board with a number, but for the third one."""
    facts = {"uid": f"12345{path[-1]}", "firmware": "1.2.3"} if path[-1] != "2" else {"uid": ""}
    note = "" if facts["uid"] else "it has no UID"
    return Found(path, {"port": path, "uid": facts["uid"]}, facts, note)


BOARDS = kind(SerialProbe(board, (USB,)), options=BoardOptions)


def test_boards_are_listed_as_users_of_the_benchlab_logger_know_them() -> None:
    ports = [SerialPort(f"/dev/ttyACM{number}", USB) for number in range(3)]

    text, _ = discover_report(
        Wish(),
        Path("/nowhere/agent.toml"),
        as_json=False,
        kinds=kinds(benchlab=BOARDS),
        surroundings=surroundings(serial_ports=ports),
    )

    assert text.splitlines()[:5] == [
        "Serial ports",
        "1: Port: /dev/ttyACM0  UID: 123450  FW: 1.2.3",
        "2: Port: /dev/ttyACM1  UID: 123451  FW: 1.2.3",
        "3: Port: /dev/ttyACM2  UID: unknown  FW: unknown",
        "/dev/ttyACM2: it has no UID",
    ]


def test_a_newcomer_is_told_what_was_not_searched_and_what_to_do_next() -> None:
    text, is_complete = discover_report(
        Wish(),
        Path("/nowhere/agent.toml"),
        as_json=False,
        kinds=kinds(host=HOST),
        surroundings=surroundings(interface("192.168.1.5/24")),
    )

    assert is_complete
    assert text.splitlines() == [
        "This machine",
        "where         kind  what it says",
        "this machine  host  battery BAT0",
        "",
        "Looked at this machine, in 0 s.",
        "",
        "The network was not searched, nothing was sent. To search it:",
        "  agent discover --subnet          192.168.1.0/24 (eth0)",
        "  agent discover 192.168.1.20      one address, name or range",
        "To write an agent.toml with what was found:",
        "  agent init",
    ]


def test_that_nothing_was_found_is_said_with_what_was_looked_at(machine: Machine) -> None:
    port = free_port()

    result = machine.run("discover", f"127.0.0.1:{port}", "--kind", "s7")

    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "Nothing was found."
    assert f"127.0.0.1: it is there, but its port is closed: {port}" in result.stdout
    assert f"Looked at 1 address at the ports {port}, in" in result.stdout


def test_a_device_that_is_configured_is_marked(machine: Machine) -> None:
    with S7Simulator() as plc:
        tag = '[[device.tag]]\nname = "a"\naddress = "M0.0"'
        press = f'[[device]]\nname = "press"\nkind = "s7"\nhost = "127.0.0.1"\nport = {plc.port}'
        machine.configure(machine.host_table(), f"{press}\n{tag}")

        shown = machine.run("discover", plc.address, *ONLY)
        facts = json.loads(machine.run("discover", plc.address, "--json", *ONLY).stdout)

    assert f"127.0.0.1:{plc.port}  s7    press          slot 1; pdu 480" in shown.stdout
    assert f"All of it is in {machine.config} already." in shown.stdout
    assert [each["device"] for each in facts["found"]] == ["host", "press"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("words", [["{at}:{port}"], ["{at}:{port}", "--kind", "s7"], ["{at}/32"]])
def test_a_configured_controller_with_one_connection_gets_none(
    machine: Machine, host: str, words: list[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as controller:
        port = controller.getsockname()[1]
        table = f'name = "pump"\nkind = "luxtronik"\nhost = "{host}"\nport = {port}'
        machine.configure(machine.host_table(), f"[[device]]\n{table}")
        words = [word.format(at="127.0.0.1", port=port) for word in words]

        facts = json.loads(machine.run("discover", *words, "--json").stdout)
        shown = machine.run("discover", *words).stdout

        controller.setblocking(False)
        with pytest.raises(BlockingIOError):
            controller.accept()
    if "--kind" not in words:
        pump = facts["found"][-1]
        assert (pump["device"], pump["where"]) == ("pump", f"{host}:{port}")
        assert pump["note"] == "configured, not asked: it takes one connection"
        assert f"{host}:{port}: configured, not asked: it takes one connection" in shown


def test_programs_get_everything(machine: Machine) -> None:
    closed = free_port()
    with S7Simulator() as plc:
        result = machine.run("discover", plc.address, f"127.0.0.1:{closed}", "--json", *ONLY)

    facts = json.loads(result.stdout)
    found = facts["found"][1]
    assert (found["kind"], found["where"], found["way"]) == ("s7", plc.address, "tcp")
    assert found["options"]["host"] == "127.0.0.1"
    assert found["facts"] == {"slot": "1", "pdu": "480"}
    assert facts["warnings"] == [f"127.0.0.1: it is there, but its port is closed: {closed}"]
    searched = facts["searched"]
    assert searched["ports"] == sorted([plc.port, closed])
    assert (searched["addresses"], searched["connects"]) == (1, 3)
    assert searched["is_complete"] is True


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["8.8.8.8"], "is not in a private network"),
        (["--subnet", "8.8.8.0/24"], "has addresses outside of private networks"),
        (["10.0.0.0/16"], "has 65,536 addresses"),
        (["http://plc"], "without 'http://'"),
        (["--kind", "s77"], "did you mean 's7'?"),
    ],
)
def test_a_wish_that_cannot_be_granted_is_exit_code_2(
    machine: Machine, words: list[str], text: str
) -> None:
    result = machine.run("discover", *words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert text in result.stderr


def test_a_faulty_configuration_does_not_stop_a_search(machine: Machine) -> None:
    machine.configure("[storr]")

    result = machine.run("discover")

    assert result.exit_code == 0
    assert f"{machine.config}: devices that stand in it can't be marked" in result.stdout


def test_what_devices_say_cannot_steer_the_terminal() -> None:
    evil = Found("this\x1b[2J", {}, {"name\n": "a\x1b[2Jb"}, "c\x1b[2J")

    text, _ = discover_report(
        Wish(),
        Path("/nowhere/agent.toml"),
        as_json=False,
        kinds=kinds(host=kind(LocalProbe(lambda: [evil]))),
        surroundings=surroundings(),
    )

    assert "\x1b" not in text


def told(stream: io.StringIO) -> list[str]:
    """What a search of eleven seconds, that tells of itself each second, shows."""
    line = ProgressLine(stream)
    for second in range(11):
        line.tell(Progress(second, 20, 1, float(second)))
    line.clear()
    return re.split(r"[\r\n]+", stream.getvalue().strip())


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_has_one_line_that_moves_and_goes() -> None:
    lines = told(Terminal())

    assert len(lines) == 10
    assert lines[0] == (
        "\x1b[Ksearching: 2 of 20 asked, 1 found, 2 s; Ctrl+C shows what was found so far"
    )
    assert lines[-1] == "\x1b[K"


def test_a_pipe_has_a_line_now_and_then() -> None:
    assert [line.split(";")[0] for line in told(io.StringIO())] == [
        "searching: 2 of 20 asked, 1 found, 2 s",
        "searching: 7 of 20 asked, 1 found, 7 s",
    ]


def test_ctrl_c_shows_what_was_found_with_exit_code_130(tmp_path: Path) -> None:
    with S7Simulator() as plc, socket.create_server(("127.0.0.2", 0)) as silent:
        address = f"127.0.0.2:{silent.getsockname()[1]}"

        result = interrupted(
            tmp_path, "discover", plc.address, address, "--kind", "s7", "--timeout", "5"
        )

    assert result.returncode == 130
    assert f"{plc.address}  s7" in result.stdout
    assert "Interrupted. Looked at 2 addresses" in result.stdout


def test_the_next_step_repeats_what_was_searched() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        lamps = kind(TcpProbe((port,), lambda host, port, _: lamp(host, port)))

        text, _ = discover_report(
            Wish(["127.0.0.1"], kinds=["lamp"], is_large=True),
            Path("/nowhere/agent.toml"),
            as_json=False,
            kinds=kinds(lamp=lamps),
            surroundings=surroundings(),
        )

    assert text.splitlines()[-1] == "  agent init 127.0.0.1 --kind lamp --large"


def test_the_word_for_own_networks_is_the_same_everywhere() -> None:
    assert setup.OWN_NETWORKS == OWN_NETWORKS


def test_without_a_terminal_the_progress_goes_to_standard_error_only(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        result = in_shell(f"agent discover {address} --kind s7 --json", tmp_path)

    assert result.returncode == 0
    assert json.loads(result.stdout)["found"] == []
    assert "searching: " in result.stderr
    assert "\x1b" not in result.stderr
