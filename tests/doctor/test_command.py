"""``agent doctor`` as users type it: exit codes, JSON, and the file of the report."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent.cli import main
from agent.doctor.command import doctor_report
from agent.errors import AgentError, ConfigError
from hw_sim.host import HostTree
from hw_sim.luxtronik import LuxtronikSimulator
from tests.agent_process import AgentProcess, plcs, s7_device, wait_for, write_config
from tests.console.commands import ROOT, in_shell
from tests.doctor.machines import Tree, machine_of
from tests.fakes import NOON_MS

GONE = '[[device]]\nname = "port"\nkind = "json"\nserial = "/nonexistent"\n'


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """A configuration of a simulated host."""
    host = HostTree(tmp_path / "host")
    host.build()
    file = tmp_path / "agent.toml"
    file.write_text(
        f'[[device]]\nname = "host"\nkind = "host"\nproc = "{host.proc}"\nsys = "{host.sys}"\n'
    )
    return file


def doctor(*words: object) -> Result:
    return CliRunner().invoke(main, ["doctor", *map(str, words)], prog_name="agent")


def test_a_problem_is_exit_code_1(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(GONE)

    result = doctor("--config", file)

    assert result.exit_code == 1
    assert "!!    port: " in result.stdout.replace("devices        ", "")
    assert "    -> " in result.stdout


def test_json_is_a_list_of_findings(sound: Path) -> None:
    result = doctor("--config", sound, "--json")

    found = json.loads(result.stdout)

    assert {"area", "level", "text", "fix", "details"} == {key for each in found for key in each}
    assert {each["area"] for each in found} >= {"configuration", "devices", "disk", "versions"}
    assert result.exit_code == int(any(each["level"] == "problem" for each in found))


@pytest.mark.parametrize("text", ["", "[agent", GONE, "a = 1\n"])
def test_no_configuration_ends_it_otherwise_than_with_0_or_1(tmp_path: Path, text: str) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(text)

    result = doctor("--config", file, "--report", tmp_path / "r.txt")

    assert result.exit_code in (0, 1)
    assert result.stderr == ""
    assert "========== findings" in (tmp_path / "r.txt").read_text("utf-8")


def test_the_report_is_for_its_owner_alone_and_has_every_section(
    sound: Path, tmp_path: Path
) -> None:
    file = tmp_path / "fault.txt"

    result = doctor("--config", sound, "--report", file)

    text = file.read_text("utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"Written to {file}" in result.stdout
    assert "read it before you send it" in result.stdout
    titles = [line[11:] for line in text.splitlines() if line.startswith("========== ")]
    assert titles == [
        "findings", "versions", "configuration", "environment", "agent status --json", "store",
        "system", "mounts", "serial ports",
    ]  # fmt: skip
    assert "could not be had" not in text


def test_a_file_that_is_there_is_not_overwritten(sound: Path, tmp_path: Path) -> None:
    file = tmp_path / "fault.txt"
    file.write_text("mine")

    result = doctor("--config", sound, "--report", file)

    assert (result.exit_code, file.read_text()) == (2, "mine")
    assert "which is there already, allowed: a new file" in result.stderr


def test_a_link_is_not_followed(sound: Path, tmp_path: Path) -> None:
    (tmp_path / "fault.txt").symlink_to(tmp_path / "other")

    assert doctor("--config", sound, "--report", tmp_path / "fault.txt").exit_code == 2
    assert not (tmp_path / "other").exists()


def test_without_a_name_the_time_is_in_it(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    machine = machine_of(tree)

    for _ in range(2):
        doctor_report(None, report="", is_without_hosts=False, as_json=False, machine=machine)

    names = sorted(path.name for path in tmp_path.glob("agent-report-*"))
    assert machine.clock.now_ms() == NOON_MS
    assert [name.partition("20261120-")[2][6:] for name in names] == ["-2.txt", ".txt"]


def test_a_folder_that_is_not_there_is_wrong_use(sound: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="make it first"):
        doctor_report(sound, report=f"{tmp_path}/none/x.txt", is_without_hosts=False, as_json=False)


def test_a_file_that_can_not_be_written_is_said(tree: Tree, sound: Path) -> None:
    with pytest.raises(AgentError, match=r"cannot write /proc/x\.txt"):
        doctor_report(
            sound,
            report="/proc/x.txt",
            is_without_hosts=False,
            as_json=False,
            machine=machine_of(tree),
        )


def test_hosts_are_hidden_where_that_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(
        '[[device]]\nname = "a"\nkind = "json"\nurl = "http://127.0.0.9:1/x"\n'
        '[[device]]\nname = "b"\nkind = "json"\nurl = "http://boiler-room.invalid/x"\n'
    )

    doctor("--config", file, "--report", tmp_path / "r.txt", "--hide-hosts")
    doctor("--config", file, "--report", tmp_path / "s.txt")

    assert "boiler-room" not in (tmp_path / "r.txt").read_text("utf-8")
    assert "http://host-" in (tmp_path / "r.txt").read_text("utf-8")
    assert "http://boiler-room.invalid/x" in (tmp_path / "s.txt").read_text("utf-8")


def test_hiding_hosts_goes_with_a_report(sound: Path) -> None:
    assert doctor("--config", sound, "--hide-hosts").exit_code == 2


def test_it_runs_where_nothing_is_configured(tmp_path: Path) -> None:
    result = in_shell("agent doctor --report; echo code $?", tmp_path)

    assert result.stderr == ""
    assert result.stdout.splitlines()[-1] == "code 1"
    assert len(list(tmp_path.glob("agent-report-*.txt"))) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_it_runs_as_an_ordinary_user_whom_everything_is_closed_to(sound: Path) -> None:
    # First as root, which loads all modules: nobody may not read them, perhaps.
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from agent.doctor.command import doctor_report\n"
        "words = dict(report=None, is_without_hosts=False, as_json=False)\n"
        "doctor_report(Path(sys.argv[1]), **words)\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "print(doctor_report(Path(sys.argv[1]), **words)[0])\n"
    )
    sound.chmod(0o600)

    result = subprocess.run(
        [sys.executable, "-c", code, str(sound)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert result.stderr == ""
    assert f"{sound}: this user may not read it" in result.stdout
    assert "could not be checked" not in result.stdout


def test_a_running_agent_keeps_its_devices_to_itself(tmp_path: Path) -> None:
    with plcs(1) as (plc,), LuxtronikSimulator() as pump:
        host, _, port = pump.address.rpartition(":")
        table = f'[[device]]\nname = "pump"\nkind = "luxtronik"\nhost = "{host}"\nport = {port}\n'
        devices = [s7_device("plc", int(plc.address.rpartition(":")[2])), table]
        with AgentProcess(write_config(tmp_path, devices)) as agent:
            wait_for(lambda: all(each["is_well"] for each in agent.fresh_state()["devices"]))
            before = pump.connections

            result = agent.command("doctor", "--json", "--report", str(tmp_path / "r.txt"))

            after, writes = pump.connections, pump.write_requests + plc.write_requests
    found = [each for each in json.loads(result.stdout) if each["area"] == "devices"]
    assert [each["level"] for each in found] == ["ok", "ok"]
    assert all("as the running agent says" in each["text"] for each in found)
    assert (before, after, writes) == (1, 1, 0)
    report = (tmp_path / "r.txt").read_text("utf-8")
    assert '"running": true' in report
    assert "plc (s7): " in report
