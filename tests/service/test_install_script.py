"""``install_service.sh``, with programs of the system that say what a test wants."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "install_service.sh"
PROGRAM = """#!/bin/sh
[ "$1" = --version ] && exit {version_code}
echo "program: $0"
for word in "$@"; do echo "word: $word"; done
"""


class Folder:
    """A folder of downloads, and a machine of some architecture."""

    def __init__(self, path: Path) -> None:
        self.path = path / "my downloads"
        self.path.mkdir()
        self.tools = path / "tools"
        self.tools.mkdir()
        self.script = self.path / "install_service.sh"
        shutil.copy(SCRIPT, self.script)
        self.tool("sudo", 'echo "asked for root"; exec "$@"')
        self.machine("x86_64", "64", "amd64")

    def tool(self, name: str, text: str) -> None:
        """A program of the system."""
        path = self.tools / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def machine(self, kernel: str, bits: str, debian: str, uid: str = "1000") -> None:
        """What the programs of the system say of it; no Debian has no dpkg."""
        self.tool("uname", f"echo {kernel}")
        self.tool("getconf", f"echo {bits}")
        self.tool("dpkg", f"echo {debian}" if debian else "exit 127")
        self.tool("id", f"echo {uid}")

    def program(self, name: str, *, folder: str = "", version_code: int = 0) -> Path:
        """A program to install, with its checksum."""
        path = self.path / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(PROGRAM.format(version_code=version_code))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        with (path.parent / "SHA256SUMS").open("a") as stream:
            stream.write(f"{digest}  {name}\n")
        return path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The script, from another folder."""
        return subprocess.run(
            ["sh", str(self.script), *words],
            capture_output=True,
            text=True,
            cwd=self.tools,
            env={"PATH": f"{self.tools}:{os.environ['PATH']}", "TMPDIR": str(self.tools)},
        )


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.mark.parametrize(
    ("kernel", "bits", "debian", "name"),
    [
        ("x86_64", "64", "amd64", "x86_64"),
        ("x86_64", "64", "", "x86_64"),
        ("aarch64", "64", "arm64", "arm64"),
        ("aarch64", "64", "", "arm64"),
        ("aarch64", "32", "armhf", "armhf"),  # a Raspberry Pi OS of 32 bits has such a kernel
        ("aarch64", "32", "", "armhf"),
        ("armv7l", "32", "armhf", "armhf"),
        ("armv8l", "32", "", "armhf"),
    ],
)
def test_the_program_for_the_system_that_is_installed_is_taken(
    folder: Folder, kernel: str, bits: str, debian: str, name: str
) -> None:
    folder.machine(kernel, bits, debian)
    for each in ("x86_64", "arm64", "armhf"):
        folder.program(f"agent-linux-{each}").chmod(0o755)

    done = folder.run()

    assert done.stdout.splitlines()[1] == f"program: {folder.path}/agent-linux-{name}"


@pytest.mark.parametrize(
    ("kernel", "bits", "debian", "text"),
    [
        ("armv6l", "32", "armhf", "an ARMv6 (Raspberry Pi 1, Zero, Zero W)"),
        ("i686", "32", "i386", "i386 on i686 with 32 bits"),
        ("riscv64", "64", "", "riscv64 with 64 bits"),
        ("x86_64", "32", "i386", "i386 on x86_64"),
    ],
)
def test_a_machine_without_a_program_is_told_which_there_are(
    folder: Folder, kernel: str, bits: str, debian: str, text: str
) -> None:
    folder.machine(kernel, bits, debian)
    folder.program("agent-linux-armhf")

    done = folder.run()

    assert done.returncode == 1
    assert text in done.stderr
    assert "there are: x86_64, arm64" in done.stderr
    assert done.stdout == ""


def test_all_options_come_through_with_their_blanks(folder: Folder) -> None:
    folder.program("agent-linux-x86_64").chmod(0o755)

    done = folder.run("--config", "my file.toml")

    assert done.stdout.splitlines() == [
        "asked for root",
        f"program: {folder.path}/agent-linux-x86_64",
        "word: install-service",
        "word: --config",
        "word: my file.toml",
    ]


@pytest.mark.parametrize("option", ["--user", "--dry-run"])
def test_what_needs_no_rights_does_not_ask_for_them(folder: Folder, option: str) -> None:
    folder.program("agent-linux-x86_64").chmod(0o755)

    done = folder.run(option)

    assert "asked for root" not in done.stdout
    assert f"word: {option}" in done.stdout


def test_root_is_not_asked_for_rights(folder: Folder) -> None:
    folder.program("agent-linux-x86_64").chmod(0o755)
    folder.machine("x86_64", "64", "amd64", uid="0")

    assert "asked for root" not in folder.run().stdout


def test_a_program_that_may_not_run_where_it_lies_is_run_from_a_copy(folder: Folder) -> None:
    folder.program("agent-linux-x86_64").chmod(0o644)

    done = folder.run()

    assert "word: install-service" in done.stdout
    assert f"program: {folder.tools}/agent-install." in done.stdout
    assert list(folder.tools.glob("agent-install.*")) == []


def test_a_program_that_does_not_run_here_stops_it_before_sudo(folder: Folder) -> None:
    folder.program("agent-linux-x86_64", version_code=1).chmod(0o755)

    done = folder.run()

    assert done.returncode == 1
    assert "does not run on this machine" in done.stderr
    assert "asked for root" not in done.stdout


def test_a_damaged_file_stops_it(folder: Folder) -> None:
    path = folder.program("agent-linux-x86_64")
    path.write_text(path.read_text() + "# one bit more\n")

    done = folder.run()

    assert done.returncode == 1
    assert "is damaged" in done.stderr
    assert done.stdout == ""


def test_without_checksums_nothing_is_run(folder: Folder) -> None:
    folder.program("agent-linux-x86_64")
    (folder.path / "SHA256SUMS").unlink()

    done = folder.run()

    assert done.returncode == 1
    assert "SHA256SUMS is missing" in done.stderr


def test_the_checksum_has_to_be_of_exactly_this_file(folder: Folder) -> None:
    folder.program("agent-linux-x86_64")
    sums = folder.path / "SHA256SUMS"
    sums.write_text(sums.read_text().replace("agent-linux-x86_64", "agent-linux-x86_64.old"))

    done = folder.run()

    assert done.returncode == 1
    assert "has no checksum of agent-linux-x86_64" in done.stderr


def test_others_in_the_list_need_not_be_there(folder: Folder) -> None:
    folder.program("agent-linux-arm64").unlink()
    folder.program("agent-linux-x86_64").chmod(0o755)

    assert folder.run().returncode == 0


def test_a_folder_without_a_program_says_which_one_is_needed(folder: Folder) -> None:
    done = folder.run()

    assert done.returncode == 1
    assert f"there is no agent-linux-x86_64 in {folder.path}" in done.stderr


def test_a_checkout_builds_what_is_missing(folder: Folder) -> None:
    (folder.path / "Makefile").touch()
    (folder.path / "agent").mkdir()
    made = folder.program("agent-linux-x86_64", folder="dist")
    (folder.path / "dist").rename(folder.path / "made")
    made = folder.path / "made" / made.name
    made.chmod(0o755)
    folder.tool("make", 'echo "making: $1 in $PWD" && mv made dist')
    folder.tool("python3", "exit 0")

    done = folder.run()

    assert f"making: build in {folder.path}" in done.stderr
    assert f"program: {folder.path}/dist/agent-linux-x86_64" in done.stdout


def test_help_needs_nothing(folder: Folder) -> None:
    done = folder.run("--help")

    assert done.returncode == 0
    assert "Usage: ./install_service.sh" in done.stdout


def test_the_exit_code_of_the_program_is_that_of_the_script(folder: Folder) -> None:
    path = folder.program("agent-linux-x86_64")
    path.chmod(0o755)
    path.write_text(path.read_text() + "exit 4\n")
    (folder.path / "SHA256SUMS").unlink()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder.path / "SHA256SUMS").write_text(f"{digest} *agent-linux-x86_64\n")

    assert folder.run().returncode == 4
