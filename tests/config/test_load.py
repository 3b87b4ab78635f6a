"""A sound configuration is what its file says, and its kinds' defaults."""

import os
from pathlib import Path

import pytest

from agent.config import load
from agent.config.options import Secret
from agent.config.schema import AgentSection, DeviceConfig, ReportsSection, StoreSection
from agent.config.source import hidden_by_here
from agent.errors import ConfigError
from tests.config.kinds import KINDS, LampOptions, PressOptions, Tag, loaded, written

LAMP = '[[device]]\nname = "lamp"\nkind = "lamp"\n'
PRESS = """
[[device]]
name = "Press-1"
kind = "press"
enabled = false
interval_s = 2
timeout_s = 0.5
host = "10.0.0.7"
limit = 3
words = ["a", "b"]
password = { env = "PRESS_PASSWORD" }
[[device.tag]]
name = "level"
address = "M0"
[[device.tag]]
name = "speed"
address = "M4"
scale = 0.1
"""


def test_an_empty_file_has_every_default(tmp_path: Path) -> None:
    config = loaded(tmp_path, "")

    assert (config.agent, config.store) == (AgentSection(), StoreSection())
    assert config.reports == ReportsSection()
    assert config.devices == ()


def test_a_device_gets_the_defaults_of_its_kind(tmp_path: Path) -> None:
    config = loaded(tmp_path, LAMP)

    assert config.devices == (DeviceConfig("lamp", "lamp", True, 5.0, 3.0, LampOptions("white")),)


def test_a_device_has_what_its_table_says(tmp_path: Path) -> None:
    config = loaded(tmp_path, PRESS, {"PRESS_PASSWORD": "1234"})

    tags = (Tag("level", "M0"), Tag("speed", "M4", 0.1))
    options = PressOptions(
        "10.0.0.7", limit=3.0, words=("a", "b"), password=Secret("1234"), tag=tags
    )
    assert config.devices == (DeviceConfig("Press-1", "press", False, 2.0, 0.5, options),)


@pytest.mark.parametrize(
    ("kind", "said", "is_plain"),
    [
        ("host", "", True),
        ("host", "plain = false", False),
        ("lamp", "", False),
        ("lamp", "plain = true", True),
    ],
)
def test_a_host_is_plain_and_others_are_when_they_say_so(
    tmp_path: Path, kind: str, said: str, *, is_plain: bool
) -> None:
    file = written(tmp_path, f'[[device]]\nname = "one"\nkind = "{kind}"\n{said}')

    config = load(file, {**KINDS, "host": KINDS["lamp"]}, {})

    assert config.devices[0].plain == is_plain


def test_whole_numbers_are_taken_where_any_number_is(tmp_path: Path) -> None:
    config = loaded(tmp_path, "[store]\nflush_interval_s = 5")

    assert repr(config.store.flush_interval_s) == "5.0"


def test_a_device_is_found_however_its_letters_are_cased(tmp_path: Path) -> None:
    config = loaded(tmp_path, LAMP)

    assert config.device("LAMP") == config.devices[0]
    assert config.device("lamp2") is None


def test_the_data_lies_beside_the_file(tmp_path: Path) -> None:
    config = loaded(tmp_path, '[agent]\ndata_dir = "samples"')

    assert config.data_dir == tmp_path / "samples"
    assert config.store_path == tmp_path / "samples" / "telemetry.db"


def test_folders_may_begin_with_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/pi")
    reports = '[reports]\ndir = "~/out"\ndaily_dir = "~/{device}"\nweekly_dir = "{dir}/w"'

    config = loaded(tmp_path, f'[agent]\ndata_dir = "~/data"\n{reports}')

    assert config.data_dir == Path("/home/pi/data")
    assert config.reports.dir == "/home/pi/out"
    assert config.reports.daily_dir == "/home/pi/{device}"
    assert config.reports.weekly_dir == "{dir}/w"


def test_a_file_may_have_a_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    config = loaded(tmp_path, b'\xef\xbb\xbf[agent]\r\nlog_level = "debug"\r\n')

    assert config.agent.log_level == "debug"


def test_the_file_may_be_named_by_a_variable(tmp_path: Path) -> None:
    file = written(tmp_path, LAMP)

    config = load(None, KINDS, {"AGENT_CONFIG": str(file)})

    assert config.source == str(file)


def test_a_named_file_goes_before_that_of_the_variable(tmp_path: Path) -> None:
    file = written(tmp_path, LAMP)

    config = load(file, KINDS, {"AGENT_CONFIG": "/elsewhere"})

    assert config.source == str(file)


def test_the_file_of_this_folder_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, LAMP)
    monkeypatch.chdir(tmp_path)

    config = load(None, KINDS, {})

    assert (config.source, config.data_dir) == ("agent.toml", tmp_path / "data")


@pytest.mark.skipif(Path("/etc/agent/agent.toml").exists(), reason="an agent is installed here")
def test_no_file_at_all_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigError) as caught:
        load(None, KINDS, {"AGENT_CONFIG": ""})

    assert str(caught.value) == (
        "no configuration: there is no agent.toml in this folder and no "
        "/etc/agent/agent.toml, name a file with --config FILE, or write one with: agent init"
    )


def test_the_machines_file_is_hidden_only_by_one_that_nobody_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines = tmp_path / "machines.toml"
    machines.write_text("")
    monkeypatch.delenv("AGENT_CONFIG", raising=False)

    assert hidden_by_here(None, machines) == machines
    assert hidden_by_here(Path("agent.toml"), machines) is None
    assert hidden_by_here(None, tmp_path / "none.toml") is None


def test_data_lies_beside_the_file_that_a_link_leads_to(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    link = tmp_path / "agent.toml"
    link.symlink_to(written(real, ""))

    config = load(link, KINDS, {})

    assert config.data_dir == Path(os.path.realpath(real)) / "data"
