"""What is in a Debian package: made from the program that was built, the same for everybody."""

import gzip
import json
import os
import re
import shutil
import stat
import subprocess
import tomllib
from pathlib import Path

import click
import pytest

from agent import __version__
from agent.cli import main
from agent.config import from_tables
from agent.devices import KINDS
from agent.errors import AgentError
from agent.service import unit as own
from build.deb import tree
from build.deb.manual import manual

ROOT = Path(__file__).parents[2]
SIZE_LIMIT_KIB = 26 * 1024  # installed
PACKAGE_LIMIT = 12_000_000


def test_the_package_is_of_the_version_of_the_agent() -> None:
    assert tree.release().version.rpartition("-")[0] == __version__


def test_the_first_configuration_polls_this_computer_and_keeps_the_data_where_the_unit_may() -> (
    None
):
    table = tomllib.loads(tree.first_configuration())

    config = from_tables(table, "agent.toml", Path("/etc/agent"), KINDS, {})

    assert [device.kind for device in config.devices] == ["host"]
    assert str(config.data_dir) == "/var/lib/agent"


def test_the_unit_runs_the_program_of_the_package_and_is_not_install_service_s() -> None:
    text = tree.unit()

    assert "\nExecStart=/usr/lib/agent/agent run --config /etc/agent/agent.toml\n" in text
    assert "\nType=notify\n" in text
    assert not own.is_ours(text)


def test_the_manual_page_explains_every_command() -> None:
    text = manual(tree.release().when.date())

    with click.Context(main, info_name="agent") as context:
        names = main.list_commands(context)
    missing = [
        name for name in names if f".SS agent {name.replace('-', chr(92) + '-')} " not in text
    ]
    assert missing == []
    assert text.startswith(".TH AGENT 1")


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_the_manual_page_is_shown_without_a_warning(tmp_path: Path) -> None:
    page = tmp_path / "agent.1"
    page.write_text(manual(tree.release().when.date()), "utf-8")

    done = subprocess.run(
        ["man", "--warnings", "--local-file", page],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MANROFFSEQ": ""},
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "install-service" in done.stdout


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_shells_can_complete_commands(shell: str) -> None:
    assert b"_AGENT_COMPLETE" in tree.completion(shell)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_a_command(tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_bytes(tree.completion("bash"))

    done = subprocess.run(["bash", "-n", words], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
    assert "_AGENT_COMPLETE=bash_complete" in words.read_text()


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("name", tree.SCRIPTS)
def test_the_scripts_of_the_package_are_clean(tmp_path: Path, name: str) -> None:
    script = tmp_path / name
    script.write_text(tree.script(name), "utf-8")

    done = subprocess.run(
        ["shellcheck", "--exclude=SC2317,SC2034", script], capture_output=True, text=True
    )

    assert (done.returncode, done.stdout) == (0, "")


@pytest.fixture(scope="module")
def package_tree(program: Path, listed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that becomes a package."""
    assert listed.exists()
    folder = tmp_path_factory.mktemp("deb") / "tree"
    tree.make(program, "amd64", folder)
    return folder


@pytest.mark.frozen
def test_the_tree_has_what_people_expect_of_a_package(package_tree: Path) -> None:
    expected = [
        "usr/bin/agent",
        "usr/lib/agent/_internal/build.json",
        "usr/lib/systemd/system/agent.service",
        "usr/lib/sysusers.d/edge-agent.conf",
        "usr/share/bash-completion/completions/agent",
        "usr/share/doc/edge-agent/changelog.Debian.gz",
        "usr/share/doc/edge-agent/copyright",
        "usr/share/man/man1/agent.1.gz",
    ]

    assert [name for name in expected if not (package_tree / name).exists()] == []
    assert not (package_tree / "etc").exists()  # a configuration is the user's


@pytest.mark.frozen
@pytest.mark.skipif(shutil.which("readelf") is None, reason="binutils are not installed")
def test_no_library_is_needed_but_those_inside_and_the_c_library(package_tree: Path) -> None:
    lib = package_tree / "usr/lib/agent"
    files = [path for path in lib.rglob("*") if path.is_file()]
    binaries = [path for path in files if path.read_bytes()[:4] == b"\x7fELF"]

    shown = subprocess.run(
        ["readelf", "--dynamic", "--wide", *binaries], capture_output=True, text=True, check=True
    ).stdout

    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", shown)) - {path.name for path in files}
    of_libc6 = re.compile(r"ld-linux.*|lib(c|m|dl|pthread|rt|util)\.so\.\d")
    assert [name for name in needed if not of_libc6.fullmatch(name)] == []
    assert "(RUNPATH)" not in shown
    assert "(RPATH)" not in shown


@pytest.mark.frozen
def test_nobody_but_root_may_change_what_is_installed(package_tree: Path) -> None:
    modes = {
        stat.S_IMODE(path.lstat().st_mode)
        for path in package_tree.rglob("*")
        if not path.is_symlink()
    }

    assert modes == {0o755, 0o644}


@pytest.mark.frozen
def test_every_work_inside_is_in_the_copyright_file(package_tree: Path, listed: Path) -> None:
    text = (package_tree / "usr/share/doc/edge-agent/copyright").read_text("utf-8")
    kept = package_tree / "usr/share/doc/edge-agent/contents.cdx.json.gz"

    named = ", ".join(re.findall(r"^Comment: (.*)$", text, re.MULTILINE)).split(", ")
    components = json.loads(listed.read_text("utf-8"))["components"]
    assert set(named) >= {f"{each['name']} {each['version']}" for each in components}
    assert "TERMS AND CONDITIONS FOR COPYING" not in text  # it is on every Debian
    assert gzip.decompress(kept.read_bytes()) == listed.read_bytes()


@pytest.mark.frozen
@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg is not installed")
def test_two_builds_give_the_same_package_within_its_size(
    program: Path, listed: Path, tmp_path: Path
) -> None:
    name = f"edge-agent_{tree.release().version}_amd64.deb"
    contents = []
    for number in "12":
        out = tmp_path / number
        out.mkdir()
        for path in (program, listed):
            os.link(path, out / path.name)
        subprocess.run(
            ["sh", "build/deb.sh", out / program.name],
            cwd=ROOT,
            env={**os.environ, "OUT": str(out), "TREES": str(out / "tree"), "LINTIAN": "no"},
            check=True,
            capture_output=True,
        )
        contents.append((out / name).read_bytes())

    field = subprocess.run(
        ["dpkg-deb", "--field", out / name, "Installed-Size"], capture_output=True, check=True
    )
    assert contents[0] == contents[1]
    assert len(contents[0]) <= PACKAGE_LIMIT
    assert int(field.stdout) <= SIZE_LIMIT_KIB


@pytest.mark.frozen
def test_a_program_that_is_cut_short_makes_no_package(program: Path, tmp_path: Path) -> None:
    copy = tmp_path / "agent"
    content = program.read_bytes()
    copy.write_bytes(content[: len(content) // 2])

    with pytest.raises(AgentError, match="has no archive"):
        tree.make(copy, "amd64", tmp_path / "tree")
