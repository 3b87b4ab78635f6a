"""Every option is a variable too; a variable that is none of ours but nearly is a fault."""

from pathlib import Path

import pytest

from tests.config.kinds import PressOptions, Tag, faults, loaded

PLC = '[[device]]\nname = "plc"\nkind = "press"\nhost = "one"\n'
PLC_2 = '[[device]]\nname = "plc-2"\nkind = "press"\nhost = "two"\n'


@pytest.mark.parametrize(
    ("variable", "text", "section", "key", "value"),
    [
        ("AGENT_AGENT_LOG_LEVEL", "debug", "agent", "log_level", "debug"),
        ("AGENT_STORE_FLUSH_INTERVAL_S", "0", "store", "flush_interval_s", 0.0),
        ("AGENT_STORE_FLUSH_INTERVAL_S", " 2.5 ", "store", "flush_interval_s", 2.5),
        ("AGENT_STORE_RETENTION_DAYS", "30", "store", "retention_days", 30),
        ("AGENT_STORE_PLAIN_DAYS", "0", "store", "plain_days", 0),
        ("AGENT_STORE_MAX_SIZE_MB", "50", "store", "max_size_mb", 50),
        ("AGENT_STORE_MAX_DISK_PERCENT", "99", "store", "max_disk_percent", 99),
        ("AGENT_REPORTS_DAILY", "false", "reports", "daily", False),
        ("AGENT_REPORTS_TIME", "06:30", "reports", "time", "06:30"),
    ],
)
def test_a_variable_goes_before_the_file(
    tmp_path: Path, variable: str, text: str, section: str, key: str, value: object
) -> None:
    file = '[agent]\nlog_level = "info"\n[store]\nretention_days = 1\n[reports]\ndaily = true'

    config = loaded(tmp_path, file, {variable: text})

    assert getattr(getattr(config, section), key) == value


@pytest.mark.parametrize(
    ("variable", "text", "fault"),
    [
        ("AGENT_STORE_RETENTION_DAYS", "many", "found 'many', allowed: a whole number"),
        ("AGENT_STORE_RETENTION_DAYS", "", "found '', allowed: a whole number"),
        ("AGENT_STORE_RETENTION_DAYS", "1\nx = 2", r"found '1\nx = 2', allowed: a whole number"),
        ("AGENT_STORE_RETENTION_DAYS", "9" * 5000,
         f"found '{'9' * 58}..., allowed: a whole number"),
        ("AGENT_STORE_RETENTION_DAYS", "[" * 5000,
         f"found '{'[' * 58}..., allowed: a whole number"),
        ("AGENT_STORE_RETENTION_DAYS", "-1", "found -1, allowed: 0 to 36500 days"),
        ("AGENT_REPORTS_DAILY", "yes", "found 'yes', allowed: true or false"),
        ("AGENT_AGENT_DATA_DIR", "a\udcff", r"found 'a\udcff', allowed: a text in UTF-8"),
        ("AGENT_DEVICE_PLC_PORT", "0", "found 0, allowed: 1 to 65535"),
        ("AGENT_DEVICE_PLC_TIMEOUT_S", "soon", "found 'soon', allowed: a number"),
        ("AGENT_DEVICE_PLC_KIND", "lmap", "found 'lmap', did you mean 'lamp'?"),
        ("AGENT_DEVICE_PLC_WORDS", "a", "found 'a', allowed: a list"),
    ],
)  # fmt: skip
def test_a_fault_in_a_variable_names_the_variable(
    tmp_path: Path, variable: str, text: str, fault: str
) -> None:
    assert faults(tmp_path, PLC, {variable: text}) == [f"environment: {variable}: {fault}"]


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("AGENT_STORE_RETENTION_DAY", "did you mean 'AGENT_STORE_RETENTION_DAYS'?"),
        (
            "AGENT_AGENT_X",
            "allowed: AGENT_AGENT_DATA_DIR, AGENT_AGENT_TIMEZONE, AGENT_AGENT_LOG_LEVEL",
        ),
        ("AGENT_DATA_DIR", "did you mean 'AGENT_AGENT_DATA_DIR'?"),
        ("AGENT_REPORT_TIME", "did you mean 'AGENT_REPORTS_TIME'?"),
        ("AGENT_DEVICE_PLC_PROT", "did you mean 'AGENT_DEVICE_PLC_PORT'?"),
        ("AGENT_DEVICE_PCL_PORT", "those of devices begin with AGENT_DEVICE_PLC_"),
        ("AGENT_DEVICE_", "those of devices begin with AGENT_DEVICE_PLC_"),
    ],
)
def test_an_unknown_variable_is_a_fault(tmp_path: Path, variable: str, hint: str) -> None:
    found = faults(tmp_path, PLC, {variable: "1"})

    assert found == [f"environment: unknown variable {variable!r}, {hint}"]


def test_the_name_of_a_device_is_no_variable(tmp_path: Path) -> None:
    (found,) = faults(tmp_path, PLC, {"AGENT_DEVICE_PLC_NAME": "x"})

    assert found.startswith("environment: unknown variable 'AGENT_DEVICE_PLC_NAME', allowed: AGENT")
    assert "PLC_NAME," not in found.partition("allowed")[2]


def test_a_devices_variable_without_devices_is_a_fault(tmp_path: Path) -> None:
    found = faults(tmp_path, "", {"AGENT_DEVICE_PLC_HOST": "x"})

    assert found == ["environment: unknown variable 'AGENT_DEVICE_PLC_HOST', there is no device"]


@pytest.mark.parametrize(
    "variable", ["AGENT_NAME", "AGENT_OS", "AGENT_WORKFOLDER", "SSH_AGENT_PID", "AGENT_CONFIG"]
)
def test_variables_of_other_programs_are_left_alone(tmp_path: Path, variable: str) -> None:
    config = loaded(tmp_path, PLC, {variable: "x"})

    assert config.devices[0].name == "plc"


def test_a_devices_options_are_variables(tmp_path: Path) -> None:
    environ = {
        "AGENT_DEVICE_PLC_HOST": "three",
        "AGENT_DEVICE_PLC_INTERVAL_S": "7",
        "AGENT_DEVICE_PLC_ENABLED": "false",
        "AGENT_DEVICE_PLC_WORDS": '["a", "b"]',
        "AGENT_DEVICE_PLC_TAG": '[{ name = "a", address = "M0" }]',
    }

    (device,) = loaded(tmp_path, PLC, environ).devices

    assert (device.interval_s, device.enabled) == (7.0, False)
    assert device.options == PressOptions("three", words=("a", "b"), tag=(Tag("a", "M0"),))


def test_the_kind_of_a_device_is_a_variable(tmp_path: Path) -> None:
    file = '[[device]]\nname = "a"\nkind = "press"\n'

    (device,) = loaded(
        tmp_path, file, {"AGENT_DEVICE_A_KIND": "lamp", "AGENT_DEVICE_A_COLOUR": "red"}
    ).devices

    assert (device.kind, device.options.colour) == ("lamp", "red")


def test_of_two_names_that_fit_the_longer_one_has_the_variable(tmp_path: Path) -> None:
    environ = {"AGENT_DEVICE_PLC_2_HOST": "three", "AGENT_DEVICE_PLC_HOST": "four"}

    config = loaded(tmp_path, PLC.replace("plc", "PLC") + PLC_2, environ)

    assert [device.options.host for device in config.devices] == ["four", "three"]


def test_a_wrong_key_of_the_longer_name_is_no_fault_of_the_shorter(tmp_path: Path) -> None:
    found = faults(tmp_path, PLC + PLC_2, {"AGENT_DEVICE_PLC_2_HSOT": "x"})

    assert found == [
        "environment: unknown variable 'AGENT_DEVICE_PLC_2_HSOT', "
        "did you mean 'AGENT_DEVICE_PLC_2_HOST'?"
    ]


def test_a_variable_that_fits_two_devices_is_a_fault(tmp_path: Path) -> None:
    file = PLC_2 + PLC_2.replace("plc-2", "plc_2")

    assert faults(tmp_path, file, {"AGENT_DEVICE_PLC_2_HOST": "x"}) == [
        "environment: unknown variable 'AGENT_DEVICE_PLC_2_HOST', "
        "it fits the devices 'plc-2' and 'plc_2', rename one of them"
    ]


def test_variables_reach_a_section_that_the_file_has_not(tmp_path: Path) -> None:
    config = loaded(tmp_path, "", {"AGENT_STORE_MAX_WAITING_MB": "1"})

    assert config.store.max_waiting_mb == 1


def test_a_section_that_is_none_is_one_fault_whatever_the_variables_say(tmp_path: Path) -> None:
    assert faults(tmp_path, "agent = 1", {"AGENT_AGENT_LOG_LEVEL": "info"}) == [
        "agent.toml: agent: found 1, allowed: a section [agent]"
    ]
