"""The commands themselves, from source, where nothing may be installed."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.agent_process import AGENT


def agent(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*AGENT, *words], capture_output=True, text=True, cwd=folder, stdin=subprocess.DEVNULL
    )


def test_from_source_nothing_is_installed_and_it_says_what_to_do(tmp_path: Path) -> None:
    done = agent(tmp_path, "install-service")

    assert done.returncode == 1
    assert "make build" in done.stderr
    assert "./install_service.sh" in done.stderr


def test_programs_are_told_the_same(tmp_path: Path) -> None:
    done = agent(tmp_path, "install-service", "--json")

    facts = json.loads(done.stdout)
    assert (done.returncode, facts["ok"]) == (1, False)
    assert "make build" in facts["error"]


@pytest.mark.parametrize("prefix", ["relative", "/usr", "/"])
def test_a_wrong_prefix_is_a_wrong_use(tmp_path: Path, prefix: str) -> None:
    done = agent(tmp_path, "install-service", "--dry-run", "--prefix", prefix)

    assert done.returncode == 2
    assert "--prefix: found" in done.stderr


def test_a_dry_run_for_one_user_shows_a_unit_of_that_user(tmp_path: Path) -> None:
    done = agent(tmp_path, "install-service", "--user", "--dry-run", "--json")

    facts = json.loads(done.stdout)
    assert "WantedBy=default.target" in facts["unit"]
    assert not facts["ok"]  # from source


@pytest.mark.parametrize("command", ["install-service", "uninstall-service"])
def test_the_help_has_examples(tmp_path: Path, command: str) -> None:
    done = agent(tmp_path, command, "--help")

    assert f"agent {command}" in done.stdout
    assert "--dry-run" in done.stdout
