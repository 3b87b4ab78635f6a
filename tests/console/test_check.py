"""``agent check``: a sound configuration in short, a faulty one with all its faults."""

import json

import pytest

from tests.console.commands import Machine, in_shell

FAULTY = '[store]\nflush_intervall_s = 1\n[[device]]\nname = "plc"\nkind = "hots"\n'
FAULTS = [
    ("[store]", "unknown key 'flush_intervall_s', did you mean 'flush_interval_s'?"),
    ("device 'plc'", "kind: found 'hots', did you mean 'host'?"),
]


def test_a_sound_configuration_is_shown_in_short(machine: Machine) -> None:
    result = machine.run("check")

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"{machine.config}: ok",
        "",
        "device  kind  interval  time-out",
        "host    host       5 s       3 s",
        "",
        f"store    {machine.folder}/data/telemetry.db",
        "time     Europe/Berlin",
        "at risk  the last 10 s in a power cut",
    ]


def test_where_a_device_is_and_that_it_is_off_is_shown(machine: Machine) -> None:
    tag = '[[device.tag]]\nname = "a"\naddress = "M0.0"'
    machine.configure(
        f'[[device]]\nname = "plc"\nkind = "s7"\nhost = "plc.local"\nenabled = false\n{tag}'
    )

    result = machine.run("check")

    assert result.stdout.splitlines()[3].split(maxsplit=6) == [
        "plc", "s7", "1", "s", "3", "s", "plc.local:102 (not enabled)"
    ]  # fmt: skip


def test_a_configuration_without_devices_says_so(machine: Machine) -> None:
    machine.configure()

    result = machine.run("check")

    assert result.exit_code == 0
    assert "no [[device]] is configured yet: nothing will be polled" in result.stdout


def test_a_sound_configuration_is_shown_as_json(machine: Machine) -> None:
    result = machine.run("check", "--json")

    facts = json.loads(result.stdout)
    assert (result.exit_code, facts["ok"], facts["faults"]) == (0, True, [])
    assert facts["config"]["data_dir"] == f"{machine.folder}/data"
    assert facts["config"]["store"]["flush_interval_s"] == 10.0
    (device,) = facts["config"]["devices"]
    assert (device["name"], device["interval_s"], device["options"]["disks"]) == ("host", 5.0, True)


def test_texts_from_files_and_the_environment_are_not_shown_as_json(machine: Machine) -> None:
    (machine.folder / "url").write_text("http://10.0.0.7/hook/hunter2")
    machine.configure('[[device]]\nname = "a"\nkind = "json"\nurl = { file = "url" }')

    result = machine.run("check", "--json")

    (device,) = json.loads(result.stdout)["config"]["devices"]
    assert (device["options"]["url"], device["name"]) == ("***", "a")
    assert "hunter2" not in result.stdout


def test_every_fault_is_a_line_on_standard_error(machine: Machine) -> None:
    machine.configure(FAULTY)

    result = machine.run("check")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        f"error: {machine.config}: {where}: {text}" for where, text in FAULTS
    ]


def test_faults_are_json_on_standard_output_too(machine: Machine) -> None:
    machine.configure(FAULTY)

    result = machine.run("check", "--json")

    assert (result.exit_code, result.stderr) == (2, "")
    assert json.loads(result.stdout) == {
        "ok": False,
        "faults": [{"where": f"{machine.config}: {where}", "text": text} for where, text in FAULTS],
    }


@pytest.mark.parametrize("options", ["", "--json"])
def test_a_time_zone_of_the_machine_that_is_none_is_a_fault(machine: Machine, options: str) -> None:
    machine.config.write_text("")

    result = in_shell(f"TZ=CET-1CEST agent check {options}", machine.folder)

    text = result.stdout if options else result.stderr
    assert result.returncode == 2
    assert "the time zone of this machine cannot be used: " in text
    assert "CET-1CEST; name one in [agent], such as timezone = " in text
