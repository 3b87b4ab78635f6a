"""The heat pump logger's variables alone make a configuration, without a file."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.config import Config, FaultyConfigError, load
from agent.devices import KINDS
from agent.devices.luxtronik import Options
from agent.errors import ConfigError
from tests.config.kinds import WITH_HEAT_PUMP, HeatPumpOptions, written

THEIRS = {
    "HOST": "192.168.1.50",
    "PORT": "8888",
    "INTERVAL_SEC": "60",
    "CSV_TIME": "06:30",
    "CACHE_PATH": "/data/cache/cache.db",
    "OUTPUT_DIRS_DAILY": "/data/daily",
    "OUTPUT_DIRS_WEEKLY": "/data/weekly",
    "READABLE_HEADERS": "true",
}


@pytest.fixture(autouse=True)
def no_file_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def made(environ: Mapping[str, str]) -> Config:
    return load(None, WITH_HEAT_PUMP, environ)


def test_all_variables_together_are_one_device() -> None:
    config = made(THEIRS)

    (device,) = config.devices
    assert (device.name, device.kind, device.interval_s) == ("heatpump", "luxtronik", 60.0)
    assert device.options == HeatPumpOptions("192.168.1.50", 8888, readable_headers=True)
    assert (config.source, config.data_dir) == ("environment", Path("/data/cache"))
    assert config.reports.time == "06:30"
    assert config.reports.daily_dir == "/data/daily"
    assert config.reports.weekly_dir == "/data/weekly"


def test_the_host_alone_is_enough(tmp_path: Path) -> None:
    config = made({"HOST": "pump"})

    (device,) = config.devices
    assert (device.interval_s, device.options) == (30.0, HeatPumpOptions("pump"))
    assert config.data_dir == tmp_path / "data"


def test_empty_variables_are_not_given() -> None:
    config = made({**dict.fromkeys(THEIRS, ""), "HOST": "pump"})

    assert config.devices[0].options == HeatPumpOptions("pump")


@pytest.mark.parametrize(
    ("text", "value"),
    [("True", True), ("1", True), ("yes", True), ("on", True), ("FALSE", False), ("0", False)],
)
def test_headers_are_readable_in_many_words(text: str, value: bool) -> None:
    config = made({"HOST": "pump", "READABLE_HEADERS": text})

    assert config.devices[0].options.readable_headers is value


def test_our_variables_add_to_theirs() -> None:
    config = made({**THEIRS, "AGENT_DEVICE_HEATPUMP_TIMEOUT_S": "60"})

    assert config.devices[0].timeout_s == 60.0


def test_the_kind_that_there_is_takes_them_all() -> None:
    config = load(None, KINDS, THEIRS)

    (device,) = config.devices
    assert (device.name, device.kind, device.interval_s) == ("heatpump", "luxtronik", 60.0)
    assert device.options == Options("192.168.1.50", 8888, readable_headers=True)


def test_the_kind_that_there_is_has_the_loggers_interval_and_time_out() -> None:
    config = load(None, KINDS, {"HOST": "pump"})

    (device,) = config.devices
    assert (device.interval_s, device.timeout_s) == (30.0, 60.0)
    assert device.options == Options("pump", 8889)


def test_their_faults_come_at_once() -> None:
    with pytest.raises(FaultyConfigError) as caught:
        made({"HOST": "pump", "PORT": "none", "INTERVAL_SEC": "1", "CSV_TIME": "7"})

    assert [str(fault) for fault in caught.value.faults] == [
        'environment: [reports]: time: found \'7\', allowed: a time from "00:00" to "23:59"',
        "environment: device 'heatpump': port: found 'none', allowed: a whole number",
        "environment: device 'heatpump': interval_s: found 1, allowed: 5 s or more for the kind "
        "'luxtronik'",
    ]


def test_a_file_goes_before_them(tmp_path: Path) -> None:
    written(tmp_path, "")

    config = made(THEIRS)

    assert (config.source, config.devices) == ("agent.toml", ())


def test_without_a_file_and_without_the_kind_both_are_said() -> None:
    kinds = {name: kind for name, kind in KINDS.items() if name != "luxtronik"}

    with pytest.raises(ConfigError) as caught:
        load(None, kinds, {"HOST": "pump"})

    assert str(caught.value) == (
        "no configuration: there is no agent.toml in this folder and no /etc/agent/agent.toml, "
        "name a file with --config FILE, or write one with: agent init; HOST is set, as for the "
        "heat pump logger, but this version has no kind 'luxtronik'"
    )
