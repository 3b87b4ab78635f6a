"""Each fault says where it is, what was found and what is allowed; all are found at once."""

from pathlib import Path

import pytest

from tests.config.kinds import faults

PRESS = '[[device]]\nname = "press"\nkind = "press"\nhost = "plc"\n'
LAMP = '[[device]]\nname = "lamp"\nkind = "lamp"\n'
FOLDER = "a folder, with {dir} and {device} standing for their values"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("agent = 1", "agent: found 1, allowed: a section [agent]"),
        ("[[store]]", "store: found a list, allowed: a section [store]"),
        ("[agnet]", "unknown section 'agnet', did you mean 'agent'?"),
        ("[[devices]]", "unknown section 'devices', did you mean 'device'?"),
        ("[REPORTS]", "unknown section 'REPORTS', did you mean 'reports'?"),
        ("x = nan", "unknown section 'x', allowed: agent, device, reports, store"),
        ('[agent]\n"a\\nb" = 1', r"[agent]: unknown key 'a\nb', allowed: data_dir, log_level, "
         "timezone"),
        ("[agent]\ndata_dir = 5", "[agent]: data_dir: found 5, allowed: a text in quotes"),
        ('[agent]\ndata_dir = " "', "[agent]: data_dir: found ' ', allowed: a folder"),
        ('[agent]\ndata_dir = "a\\u0000"', r"[agent]: data_dir: found 'a\x00', allowed: a folder"),
        ('[agent]\ndata_dir = "~nobody_here/x"',
         "[agent]: data_dir: found '~nobody_here/x', allowed: a folder"),
        ('[agent]\ntimezone = "Europe/Berln"',
         '[agent]: timezone: found \'Europe/Berln\', allowed: "local" or a name such as '
         "\"Europe/Berlin\", did you mean 'Europe/Berlin'?"),
        ('[agent]\ntimezone = "europe/berlin"',
         '[agent]: timezone: found \'europe/berlin\', allowed: "local" or a name such as '
         "\"Europe/Berlin\", did you mean 'Europe/Berlin'?"),
        ('[agent]\ntimezone = "../../etc/passwd"',
         '[agent]: timezone: found \'../../etc/passwd\', allowed: "local" or a name such as '
         '"Europe/Berlin"'),
        ('[agent]\nlog_level = "loud"',
         "[agent]: log_level: found 'loud', allowed: one of 'debug', 'info', 'warning', 'error'"),
        ("[store]\nflush_intervall_s = 1",
         "[store]: unknown key 'flush_intervall_s', did you mean 'flush_interval_s'?"),
        ("[store]\nflush_interval_s = 4000",
         "[store]: flush_interval_s: found 4000, allowed: 0 to 3600 s"),
        ("[store]\nflush_interval_s = nan",
         "[store]: flush_interval_s: found nan, allowed: a finite number"),
        ("[store]\nflush_interval_s = -inf",
         "[store]: flush_interval_s: found -inf, allowed: a finite number"),
        ("[store]\nflush_interval_s = true",
         "[store]: flush_interval_s: found true, allowed: a number"),
        ('[store]\nflush_interval_s = "10"',
         "[store]: flush_interval_s: found '10', allowed: a number"),
        ("[store]\nflush_interval_s = 2026-11-20",
         "[store]: flush_interval_s: found 2026-11-20, allowed: a number"),
        ("[store]\nflush_interval_s = 07:32:00",
         "[store]: flush_interval_s: found 07:32:00, allowed: a number"),
        (f"[store]\nflush_interval_s = 1{'0' * 400}",
         "[store]: flush_interval_s: found a very large number, allowed: a finite number"),
        (f"[store]\nretention_days = 0x{'f' * 9000}",
         "[store]: retention_days: found a very large number, allowed: 0 to 36500 days"),
        ("[store]\nretention_days = 1.0",
         "[store]: retention_days: found 1.0, allowed: a whole number"),
        ("[store]\nplain_days = 3651",
         "[store]: plain_days: found 3651, allowed: 0 to 3650 days"),
        ("[store]\nmax_size_mb = 49",
         "[store]: max_size_mb: found 49, allowed: 50 to 100000000 MiB"),
        ("[store]\nmax_disk_percent = 100",
         "[store]: max_disk_percent: found 100, allowed: 50 to 99 %"),
        ("[store]\nmax_disk_percent = 49",
         "[store]: max_disk_percent: found 49, allowed: 50 to 99 %"),
        ("[reports]\ndaily = 1", "[reports]: daily: found 1, allowed: true or false"),
        ("[reports]\ntime = 07:00:00",
         "[reports]: time: found 07:00:00, allowed: a text in quotes"),
        ('[reports]\ntime = "7:00"',
         '[reports]: time: found \'7:00\', allowed: a time from "00:00" to "23:59"'),
        ('[reports]\ntime = "0٧:00"',
         '[reports]: time: found \'0٧:00\', allowed: a time from "00:00" to "23:59"'),
        ('[reports]\ndaily_dir = "{divice}"',
         f"[reports]: daily_dir: found '{{divice}}', allowed: {FOLDER}"),
        ('[reports]\ndir = "{device}"', "[reports]: dir: found '{device}', allowed: a folder"),
        (f'[agent]\nlog_level = "{"x" * 100}"',
         f"[agent]: log_level: found '{'x' * 58}..., allowed: one of 'debug', 'info', 'warning', "
         "'error'"),
    ],
)  # fmt: skip
def test_a_section_has_one_fault(tmp_path: Path, text: str, fault: str) -> None:
    assert faults(tmp_path, text) == [f"agent.toml: {fault}"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("rak = 1", "unknown key 'rak', did you mean 'rack'?"),
        ("intervall_s = 4", "unknown key 'intervall_s', did you mean 'interval_s'?"),
        ("HOST_ = 4", "unknown key 'HOST_', did you mean 'host'?"),
        ("port = 0", "port: found 0, allowed: 1 to 65535"),
        ("port = 102.0", "port: found 102.0, allowed: a whole number"),
        ('mode = "Fast"', "mode: found 'Fast', allowed: one of 'slow', 'fast'"),
        ("ratio = 1.5", "ratio: found 1.5, allowed: 0 to 1"),
        ("limit = 11", "limit: found 11, allowed: 0 to 10 bar"),
        ("rack = 8", "rack: found 8, allowed: 0 to 7"),
        ('verbose = "true"', "verbose: found 'true', allowed: true or false"),
        ('words = "a"', "words: found 'a', allowed: a list"),
        ('words = ["a", 1]', "words[2]: found 1, allowed: a text in quotes"),
        ('tag = "x"', "tag: found 'x', allowed: tables, with [[ ]] around their name"),
        ('[device.tag]\nname = "a"',
         "tag: found a table, allowed: tables, with [[ ]] around their name"),
        ("tag = [5]", "tag[1]: found 5, allowed: a table"),
        ('tag = [{ name = "a" }]', "tag[1].address: missing, it has no default"),
        ('tag = [{ name = "", address = "M0" }]',
         "tag[1].name: found '', allowed: a text of 1 to 20 characters"),
        ('tag = [{ name = "a", address = "M0" }, { name = "b", address = "M1", scal = 2 }]',
         "tag[2]: unknown key 'scal', did you mean 'scale'?"),
        ('tag = [{ name = "a", address = "M" }]',
         "tag[1].address: found 'M', allowed: an address with a digit, such as M0"),
        ("enabled = 0", "enabled: found 0, allowed: true or false"),
        ("interval_s = 0.1", "interval_s: found 0.1, allowed: 0.5 s or more for the kind 'press'"),
        ("interval_s = 0", "interval_s: found 0, allowed: 0.01 to 86400 s"),
        ("timeout_s = 601", "timeout_s: found 601, allowed: 0.05 to 600 s"),
    ],
)  # fmt: skip
def test_a_device_has_one_fault(tmp_path: Path, text: str, fault: str) -> None:
    assert faults(tmp_path, PRESS + text) == [f"agent.toml: device 'press': {fault}"]


EVERYWHERE = f"""
[agent]
log_level = "loud"
[store]
retention_days = "x"
[reports]
daily = 1
[sink]
{PRESS}
port = 0
timeout_s = 0
interval_s = 0.1
rack = 9
tag = [{{ name = "a", adress = "M0" }}, {{ name = "b", address = "M" }}]
{LAMP}
color = "red"
[[device]]
name = "lamp"
kind = "lmap"
"""


def test_all_faults_of_a_file_come_at_once(tmp_path: Path) -> None:
    assert faults(tmp_path, EVERYWHERE) == [
        "agent.toml: unknown section 'sink', allowed: agent, device, reports, store",
        "agent.toml: [agent]: log_level: found 'loud', allowed: one of 'debug', 'info', "
        "'warning', 'error'",
        "agent.toml: [store]: retention_days: found 'x', allowed: a whole number",
        "agent.toml: [reports]: daily: found 1, allowed: true or false",
        "agent.toml: device 'press': timeout_s: found 0, allowed: 0.05 to 600 s",
        "agent.toml: device 'press': port: found 0, allowed: 1 to 65535",
        "agent.toml: device 'press': tag[1].address: missing, it has no default",
        "agent.toml: device 'press': tag[1]: unknown key 'adress', did you mean 'address'?",
        "agent.toml: device 'press': tag[2].address: found 'M', allowed: an address with a digit, "
        "such as M0",
        "agent.toml: device 'press': rack: found 9, allowed: 0 to 7",
        "agent.toml: device 'press': interval_s: found 0.1, allowed: 0.5 s or more for the kind "
        "'press'",
        "agent.toml: device 'lamp': unknown key 'color', did you mean 'colour'?",
        "agent.toml: device 'lamp': name: found 'lamp', allowed: a name that no other device has, "
        "however its letters are cased",
        "agent.toml: device 'lamp': kind: found 'lmap', did you mean 'lamp'?",
    ]


def test_a_fault_of_one_option_hides_none_between_options(tmp_path: Path) -> None:
    text = '[[device]]\nname = "p"\nkind = "press"\nrack = 8\n'  # and no host

    assert faults(tmp_path, text) == [
        "agent.toml: device 'p': host: missing, it has no default",
        "agent.toml: device 'p': rack: found 8, allowed: 0 to 7",
    ]


def test_a_faulty_device_counts_where_each_needs_a_folder(tmp_path: Path) -> None:
    text = f'[reports]\ndaily_dir = "out"\n{LAMP}{PRESS}port = 0'

    assert faults(tmp_path, text) == [
        "agent.toml: device 'press': port: found 0, allowed: 1 to 65535",
        "agent.toml: [reports]: daily_dir: found 'out', allowed: a folder with {device} in it, "
        "since there are 2 devices",
    ]
