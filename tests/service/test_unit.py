"""The text of the unit, and what systemd's own tools say of it."""

import re
import shutil
import subprocess
from pathlib import Path

import attrs
import pytest

from agent.service.unit import (
    UnitFacts,
    escaped,
    folders_of,
    is_edited,
    is_ours,
    prefix_of,
    quoted,
    unit_text,
)

ESCAPE = shutil.which("systemd-escape")
ANALYZE = shutil.which("systemd-analyze")
LEAST = 2.0  # exposure, of 10
USUAL = UnitFacts(
    Path("/usr/local/lib/agent/current/agent"),
    Path("/etc/agent/agent.toml"),
    Path("/etc/agent/agent.env"),
)
needs_analyze = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")


def written(folder: Path, facts: UnitFacts) -> Path:
    """A unit whose program is there."""
    program = folder / "my apps/lib/agent/current/agent"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    path = folder / "agent.service"
    text = unit_text(facts)
    path.write_text(text.replace(quoted(facts.program, is_command=True), quoted(program)))
    return path


OTHERS = (Path("/mnt/my disk/100%"), Path("/home/pi/data"))
VARIANTS = {
    "usual": USUAL,
    "folders": UnitFacts(
        USUAL.program, USUAL.config, USUAL.environment, has_usual_data_dir=False, folders=OTHERS
    ),
    "user": UnitFacts(USUAL.program, USUAL.config, USUAL.environment, is_user=True),
}


@needs_analyze
@pytest.mark.parametrize("name", VARIANTS)
def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, VARIANTS[name])
    scope = ["--user"] if VARIANTS[name].is_user else []

    done = subprocess.run(
        [str(ANALYZE), *scope, "verify", str(path)],
        capture_output=True,
        text=True,
        env={"XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/usr/sbin:/usr/bin"},
    )

    assert (done.stderr, done.returncode) == ("", 0)


@needs_analyze
@pytest.mark.parametrize("name", ["usual", "folders"])
def test_its_exposure_is_low(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, VARIANTS[name])
    command = [str(ANALYZE), "security", "--offline=true", "--no-pager", str(path)]

    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    found = re.search(r"exposure level for agent.service: ([0-9.]+)", said)
    assert found is not None
    assert float(found[1]) <= LEAST


def test_everything_that_stays_open_says_what_for() -> None:
    _, _, rest = unit_text(USUAL).partition("# What stays open, and what for.\n")
    lines = rest.partition("\n[Install]")[0].splitlines()

    explained = ""
    for number, line in enumerate(lines):
        if line.startswith("#"):
            explained = line
        elif lines[number - 1].startswith("#"):
            assert explained
    assert {line.split("=")[0] for line in lines if not line.startswith("#")} == {
        "RestrictAddressFamilies", "SystemCallFilter", "SystemCallErrorNumber", "DevicePolicy",
        "DeviceAllow", "ProtectProc", "ProcSubset", "ProtectHome",
    }  # fmt: skip
    assert lines[0].startswith("#")


def test_a_folder_in_a_home_is_the_only_thing_shown_of_homes() -> None:
    text = unit_text(VARIANTS["folders"])

    assert "ProtectHome=tmpfs\nBindPaths=/home/pi/data\n" in text
    assert 'ReadWritePaths="-/mnt/my disk/100%%"\n' in text
    assert "StateDirectory" not in text


def test_it_waits_for_the_disks_of_its_folders_and_requires_none() -> None:
    text = unit_text(VARIANTS["folders"])

    mounts = r"mnt.mount mnt-my\x20disk.mount mnt-my\x20disk-100\x25.mount"
    assert f"\nWants={mounts}\nAfter={mounts}\n" in text
    assert "Require" not in text
    assert "mount" not in unit_text(USUAL).partition("[Service]")[0]


@pytest.mark.parametrize("name", ["/srv", "/srv/.a/my disk/100%-\\x2d", "/.srv/ä:_"])
def test_the_folders_are_read_back_from_the_unit(name: str) -> None:
    facts = attrs.evolve(USUAL, folders=(Path(name), Path("/home/pi/data")))

    assert folders_of(unit_text(facts)) == list(facts.folders)


def test_the_folders_are_read_back_from_a_former_unit() -> None:
    former = '[Unit]\nRequiresMountsFor="/mnt/my disk/100%%"\nRequiresMountsFor=/srv\n'

    assert folders_of(former) == [Path("/mnt/my disk/100%"), Path("/srv")]


@pytest.mark.skipif(ESCAPE is None, reason="systemd-escape is not installed")
@pytest.mark.parametrize("name", ["/srv", "/srv/.a/my disk/100%-\\x2d", "/.srv/ä:_"])
def test_mounts_are_named_as_systemd_names_them(name: str) -> None:
    command = [str(ESCAPE), "--path", name]

    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert escaped(Path(name)) == said.strip()


def test_the_unit_of_a_user_asks_for_nothing_that_only_root_may() -> None:
    text = unit_text(VARIANTS["user"])

    assert "WantedBy=default.target" in text
    assert not re.search(r"^(User|DeviceAllow|Protect\w+|StateDirectory)=", text, re.MULTILINE)


def test_an_edited_unit_is_told_from_one_that_is_as_it_was_made() -> None:
    text = unit_text(USUAL)

    assert is_ours(text)
    assert not is_edited(text)
    assert is_edited(text.replace("RestartSec=500ms", "RestartSec=2"))
    assert not is_ours("[Service]\nExecStart=/bin/true\n")


@pytest.mark.parametrize("prefix", ["/usr/local", "/opt/my apps", "/opt/100%"])
def test_the_prefix_is_read_back_from_the_unit(prefix: str) -> None:
    facts = UnitFacts(Path(prefix, "lib/agent/current/agent"), USUAL.config, USUAL.environment)

    assert prefix_of(unit_text(facts)) == Path(prefix)
    assert prefix_of("[Service]\nExecStart=/bin/true run\n") is None
