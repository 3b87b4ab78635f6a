"""``agent init``: the first configuration, written whole, with nothing lost."""

import os
import pty
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from agent.cli import main
from agent.config import load
from agent.console import toml
from agent.console.examples import EXAMPLES
from agent.console.first_config import config_text, head, named
from agent.console.init import Output
from agent.devices import KINDS
from agent.devices.contract import Found
from agent.discovery import Finding
from agent.errors import AgentError, ConfigError
from hw_sim.s7 import S7Simulator
from tests.console.commands import ROOT, in_shell
from tests.console.interrupted import interrupted
from tests.discovery.fakes import kind, kinds
from tests.test_agent_toml import COMMENTED


def init(folder: Path, *words: str, answer: str | None = None) -> Result:
    command = ["init", "--output", str(folder / "agent.toml"), *words]
    return CliRunner().invoke(main, command, prog_name="agent", input=answer)


def s7(number: int, **more: Any) -> Finding:
    """A PLC that was found at 10.0.0.NUMBER."""
    tag = {"name": "example", "address": "MB0"}
    options = {"host": f"10.0.0.{number}", "port": 102, "slot": 2, "tag": [tag], **more}
    return Finding("s7", "tcp", Found(f"10.0.0.{number}:102", options, {"pdu": "480"}))


def loaded(text: str, folder: Path) -> list[tuple[str, str]]:
    """Names and kinds of the devices of a configuration."""
    file = folder / "loaded.toml"
    file.write_text(text, "utf-8")
    return [(device.name, device.kind) for device in load(file, KINDS, {}).devices]


def test_a_machine_with_nothing_but_itself_is_configured(tmp_path: Path) -> None:
    result = init(tmp_path, "--kind", "host")

    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == f"{tmp_path}/agent.toml was written with 1 device."
    config = load(tmp_path / "agent.toml", KINDS, {})
    assert [(device.name, device.kind) for device in config.devices] == [("host", "host")]


def test_a_device_that_is_named_is_found_and_can_be_read(tmp_path: Path) -> None:
    with S7Simulator() as plc:
        written = init(tmp_path, plc.address)
        check = in_shell("agent check && agent read s7", tmp_path)

    assert written.exit_code == 0
    assert f"s7      s7    {plc.address}" in written.stdout
    assert "agent read s7 --config" in written.stdout
    assert (check.returncode, check.stderr) == (0, "")
    assert "example" in check.stdout


def test_without_a_terminal_nothing_is_replaced_unless_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text("# mine\n")

    result = init(tmp_path, "--kind", "host")

    assert result.exit_code == 2
    assert "There is no terminal to ask; add --yes" in result.stderr
    assert (tmp_path / "agent.toml").read_text() == "# mine\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["agent.toml"]


def test_what_is_replaced_is_kept_each_time(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text("# first\n")
    file.chmod(0o640)

    first = init(tmp_path, "--kind", "host", "--yes")
    (tmp_path / "agent.toml").write_text("# second\n")
    init(tmp_path, "--kind", "host", "--yes")

    assert f"The former file is {tmp_path}/agent.toml.bak." in first.stdout
    assert (tmp_path / "agent.toml.bak").read_text() == "# first\n"
    assert (tmp_path / "agent.toml.bak2").read_text() == "# second\n"
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "agent.toml",
        "agent.toml.bak",
        "agent.toml.bak2",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_file_stays_with_whom_it_belonged_to(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text("# first\n")
    file.chmod(0o600)
    os.chown(file, 4321, 4322)

    init(tmp_path, "--kind", "host", "--yes")

    now = file.stat()
    assert file.read_text() != "# first\n"
    assert (now.st_uid, now.st_gid, now.st_mode & 0o777) == (4321, 4322, 0o600)


@pytest.mark.parametrize(("answer", "code", "is_replaced"), [("y", 0, True), ("n", 1, False)])
def test_at_a_terminal_it_is_asked(
    tmp_path: Path, answer: str, code: int, *, is_replaced: bool
) -> None:
    (tmp_path / "agent.toml").write_text("# mine\n")
    first, second = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "agent", "init", "--kind", "host"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=second,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        os.write(first, f"{answer}\n".encode())
        output, errors = process.communicate(timeout=30)
    os.close(first)
    os.close(second)

    assert b"agent.toml is there already" in output + errors
    assert process.returncode == code
    assert ((tmp_path / "agent.toml").read_text() != "# mine\n") is is_replaced


def test_devices_keep_the_names_that_they_had(tmp_path: Path) -> None:
    with S7Simulator() as plc:
        init(tmp_path, plc.address)
        file = tmp_path / "agent.toml"
        table = '[[device]]\nname = "old"\nkind = "s7"\nhost = "10.0.0.1"\n'
        tag = '[[device.tag]]\nname = "a"\naddress = "M0.0"\n'
        text = file.read_text("utf-8").replace('name = "s7"', 'name = "press"')
        file.write_text(f"{text}\n{table}{tag}", "utf-8")

        result = init(tmp_path, plc.address, "--yes")

    devices = load(file, KINDS, {}).devices
    assert [device.name for device in devices] == ["host", "press"]
    assert "Not found this time, so only in the former file: old." in result.stdout


def test_each_device_has_a_valid_name_of_its_own(tmp_path: Path) -> None:
    devices = named([s7(1), s7(2), s7(3)], KINDS)

    assert loaded(config_text(devices, KINDS), tmp_path) == [
        ("s7", "s7"),
        ("s7_2", "s7"),
        ("s7_3", "s7"),
    ]


def test_names_that_the_store_needs_are_not_given() -> None:
    found = [Finding(word, "tcp", Found("there", {})) for word in ("json", "json", "row", "row")]
    known = kinds(json=kind(), row=kind())

    assert [each.name for each in named(found, known)] == ["json", "json2", "row1", "row_2"]


def test_a_device_that_the_configuration_would_refuse_stands_there_as_a_comment(
    tmp_path: Path,
) -> None:
    devices = named([s7(1, slot=99), s7(2)], KINDS)

    text = config_text(devices, KINDS)

    assert loaded(text, tmp_path) == [("s7_2", "s7")]
    assert "## It is left out: device 's7': slot: found 99, allowed: 0 to 31" in text
    assert '# host = "10.0.0.1"' in text


def test_a_second_device_of_a_kind_with_one_is_left_out(tmp_path: Path) -> None:
    here = Finding("host", "local", Found("this machine", {"processes": 10}))

    text = config_text(named([here, here], KINDS), KINDS)

    assert loaded(text, tmp_path) == [("host", "host")]


def test_every_option_that_is_off_is_shown_with_its_default(tmp_path: Path) -> None:
    bare, whole = tmp_path / "bare.toml", tmp_path / "whole.toml"
    bare.write_text("")
    whole.write_text(COMMENTED.sub("", head()), "utf-8")

    without, with_all = load(bare, KINDS, {}), load(whole, KINDS, {})

    assert (with_all.agent, with_all.store) == (without.agent, without.store)
    assert with_all.reports == without.reports


@pytest.mark.parametrize("kind_name", sorted(set(EXAMPLES) & set(KINDS)))
def test_an_example_of_what_was_not_found_can_be_switched_on(
    tmp_path: Path, kind_name: str
) -> None:
    text = config_text([], KINDS)

    assert loaded(text, tmp_path) == []
    assert EXAMPLES[kind_name] in text
    assert [kind for _, kind in loaded(COMMENTED.sub("", EXAMPLES[kind_name]), tmp_path)] == [
        kind_name
    ]


def test_every_kind_but_this_machine_has_an_example() -> None:
    assert set(EXAMPLES) >= set(KINDS) - {"host"}


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.booleans() | st.floats()))
def test_any_value_comes_back_from_toml(table: dict[str, Any]) -> None:
    text = "\n".join(f"{toml.key(key)} = {toml.value(value)}" for key, value in table.items())

    assert repr(tomllib.loads(text)) == repr(table)


@given(st.lists(st.text() | st.lists(st.booleans()) | st.dictionaries(st.text(), st.text())))
def test_any_list_comes_back_from_toml(values: list[Any]) -> None:
    assert tomllib.loads(f"a = {toml.value(values)}")["a"] == values


def test_half_a_character_becomes_a_mark() -> None:
    assert toml.text("a\udc80b").encode() == '"a\ufffdb"'.encode()


@given(st.text())
def test_whatever_devices_call_themselves_the_file_loads(text: str) -> None:
    tag = {"name": "example", "address": "MB0", "help": text[:500], "unit": text[:40]}
    found = Found(text, {"host": "plc", "tag": [tag]}, {text: text}, text)

    written = config_text(named([Finding("s7", "tcp", found)], KINDS), KINDS)

    device = tomllib.loads(written)["device"][0]
    assert device["tag"][0]["help"] == tag["help"]


def test_a_file_that_cannot_be_written_leaves_the_former_one(tmp_path: Path) -> None:
    output = Output(tmp_path / "agent.toml")
    (tmp_path / "agent.toml").write_text("# mine\n")
    text = "\ud800"  # what UTF-8 can't hold stands for a disk that is full

    with pytest.raises((AgentError, UnicodeEncodeError)):
        output.write(text)

    assert (tmp_path / "agent.toml").read_text() == "# mine\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [("none/agent.toml", "make it first"), ("-", "allowed: a file"), ("fifo", "allowed: a file")],
)
def test_where_it_cannot_be_written_is_said_before_the_search(
    tmp_path: Path, name: str, text: str
) -> None:
    os.mkfifo(tmp_path / "fifo")

    with pytest.raises(ConfigError, match=text):
        Output(Path(name) if name == "-" else tmp_path / name)


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text("# mine\n")
    (tmp_path / "agent.toml").symlink_to("real.toml")

    init(tmp_path, "--kind", "host", "--yes")

    assert (tmp_path / "agent.toml").is_symlink()
    assert (tmp_path / "real.toml.bak").read_text() == "# mine\n"


def test_after_ctrl_c_nothing_is_written(tmp_path: Path) -> None:
    with S7Simulator() as plc, socket.create_server(("127.0.0.2", 0)) as silent:
        address = f"127.0.0.2:{silent.getsockname()[1]}"

        result = interrupted(
            tmp_path, "init", plc.address, address, "--kind", "s7", "--timeout", "5"
        )

    assert result.returncode == 130
    assert result.stdout == "Interrupted, agent.toml was not written.\n"
    assert list(tmp_path.iterdir()) == []
