"""Lays out the folder that becomes a Debian package.

Usage: python -m build.deb.tree PROGRAM ARCHITECTURE TREE
PROGRAM is the one file, with its list of contents beside it, for any machine: it is not run.
Prints the name of the package's file.
"""

import datetime as dt
import gzip
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import attrs

from agent import __version__
from agent.config import from_tables
from agent.console.first_config import config_text, named
from agent.devices import KINDS
from agent.devices.contract import Found
from agent.discovery import Finding
from agent.errors import AgentError
from agent.service.configuration import with_data_dir
from agent.service.program import Program, unpack
from agent.service.unit import UnitFacts, unit_text
from build.deb.copyright import copyright_file
from build.deb.manual import manual
from build.inside import facts_of

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PACKAGE = "edge-agent"
LIB = Path("usr/lib/agent")
CONFIG = Path("/etc/agent/agent.toml")
DATA_DIR = Path("/var/lib/agent")
SCRIPTS = ("postinst", "prerm", "postrm")
GLIBC = re.compile(rb"GLIBC_(\d+)\.(\d+)")
ENTRY = re.compile(
    rf"{PACKAGE} \((?P<version>\S+)\) .*?\n -- (?P<who>.*?>)  (?P<when>.*?)\n", re.DOTALL
)
COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/agent",
    "zsh": "usr/share/zsh/vendor-completions/_agent",
    "fish": "usr/share/fish/vendor_completions.d/agent.fish",
}


@attrs.frozen
class Release:
    """What the newest entry of the package's changelog says."""

    version: str
    maintainer: str
    when: dt.datetime


def release() -> Release:
    """The version to make.

    Raises:
        SystemExit: The changelog is of another version of the agent.
    """
    found = ENTRY.match((HERE / "changelog").read_text("utf-8"))
    if found is None or found["version"].rpartition("-")[0] != __version__:
        raise SystemExit(f"build/deb/changelog: its first entry is not of version {__version__}")
    return Release(found["version"], found["who"], parsedate_to_datetime(found["when"]))


def make(program: Path, architecture: str, tree: Path) -> str:
    """Lay out the folder; the name for the package's file."""
    this = release()
    check_version(program)
    shutil.rmtree(tree, ignore_errors=True)
    unpack(Program(program, is_frozen=True, version=__version__, build=None), tree / LIB)
    link = tree / "usr/bin/agent"
    link.parent.mkdir(parents=True)
    link.symlink_to("../lib/agent/agent")
    for path, content in files(program, this):
        _write(tree / path, content)
    _write(tree / "DEBIAN/control", _control(tree, architecture, this).encode())
    for name in SCRIPTS:
        _write(tree / "DEBIAN" / name, script(name).encode())
    _write(tree / "DEBIAN/md5sums", _checksums(tree).encode())
    _set_modes_and_times(tree, this.when.timestamp())
    return f"{PACKAGE}_{this.version}_{architecture}.deb"


def check_version(program: Path) -> None:
    """The program has to be of this version.

    Raises:
        SystemExit: It is not.
        AgentError: It is not one that was built.
    """
    found = facts_of(program)["version"]
    if found != __version__:
        raise SystemExit(f"{program} is of version {found}, not {__version__}: build it again")


def files(program: Path, this: Release) -> Iterator[tuple[str, bytes]]:
    """All but the program: paths in the package and what they hold."""
    doc = f"usr/share/doc/{PACKAGE}"
    listed = program.with_name(f"{program.name}.cdx.json")
    yield "usr/lib/systemd/system/agent.service", unit().encode()
    yield f"usr/lib/sysusers.d/{PACKAGE}.conf", (HERE / "sysusers.conf").read_bytes()
    yield f"usr/share/{PACKAGE}/agent.toml", first_configuration().encode()
    yield f"usr/share/lintian/overrides/{PACKAGE}", (HERE / "lintian-overrides").read_bytes()
    yield "usr/share/man/man1/agent.1.gz", _zipped(manual(this.when.date()).encode())
    yield f"{doc}/copyright", copyright_file(listed).encode()
    yield f"{doc}/changelog.gz", _zipped((ROOT / "CHANGELOG.md").read_bytes())
    yield f"{doc}/changelog.Debian.gz", _zipped((HERE / "changelog").read_bytes())
    yield f"{doc}/contents.cdx.json.gz", _zipped(listed.read_bytes())
    yield f"{doc}/examples/agent.toml", (ROOT / "agent.toml").read_bytes()
    for shell, path in COMPLETIONS.items():
        yield path, completion(shell)


def unit() -> str:
    """The unit as install-service writes it, but for where the program is."""
    facts = UnitFacts(Path("/", LIB, "agent"), CONFIG, CONFIG.with_name("agent.env"))
    body = unit_text(facts).partition("\n# check ")[2].partition("\n")[2]
    head = f"# Of the package {PACKAGE}. Changes belong into: systemctl edit agent\n"
    return head + body.replace("[Unit]\n", "[Unit]\nDocumentation=man:agent(1)\n", 1)


def first_configuration() -> str:
    """What is polled until the user says more: the computer itself."""
    host = Finding("host", "local", Found("this computer", {"processes": 10}))
    text = config_text(named([host], KINDS), KINDS)
    text = with_data_dir(text, str(DATA_DIR), "the first configuration")
    from_tables(tomllib.loads(text), str(CONFIG), CONFIG.parent, KINDS, {})
    return text


def completion(shell: str) -> bytes:
    """What a shell reads to complete the words of a command line."""
    done = subprocess.run(
        [sys.executable, "-c", "from agent.cli import main; main(prog_name='agent')"],
        env={**os.environ, "_AGENT_COMPLETE": f"{shell}_source", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    return done.stdout


def libc_needed(tree: Path) -> tuple[int, int]:
    """The newest version of the C library that something in the folder asks for."""
    binaries = [path for path in tree.rglob("*") if path.is_file() and not path.is_symlink()]
    asked = [
        (int(major), int(minor))
        for path in binaries
        if (content := path.read_bytes()).startswith(b"\x7fELF")
        for major, minor in GLIBC.findall(content)
    ]
    return max(asked)


def _control(tree: Path, architecture: str, this: Release) -> str:
    major, minor = libc_needed(tree)
    sizes = [path.lstat().st_size for path in tree.rglob("*") if not path.is_dir()]
    return (HERE / "control.in").read_text("utf-8").format(
        version=this.version,
        architecture=architecture,
        maintainer=this.maintainer,
        installed_size=sum(-(-size // 4096) * 4 for size in sizes),
        libc=f"{major}.{minor}",
    )  # fmt: skip


def script(name: str) -> str:
    """A maintainer script with the functions that all share."""
    functions = (HERE / "functions").read_text("utf-8")
    return (HERE / name).read_text("utf-8").replace("#FUNCTIONS#\n", functions)


def _checksums(tree: Path) -> str:
    names = sorted(
        str(path.relative_to(tree))
        for path in tree.rglob("*")
        if path.is_file() and not path.is_symlink() and "DEBIAN" not in path.parts
    )
    done = subprocess.run(["md5sum", *names], cwd=tree, capture_output=True, check=True, text=True)
    return done.stdout


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _zipped(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)


def _set_modes_and_times(tree: Path, ts_s: float) -> None:
    """The same for everybody who makes the package; libraries are no programs."""
    programs = {tree / LIB / "agent", *(tree / "DEBIAN" / name for name in SCRIPTS)}
    for path in [*tree.rglob("*"), tree]:
        if not path.is_symlink():
            is_open = stat.S_ISDIR(path.lstat().st_mode) or path in programs
            path.chmod(0o755 if is_open else 0o644)
        os.utime(path, (ts_s, ts_s), follow_symlinks=False)


if __name__ == "__main__":
    try:
        print(make(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])))
    except AgentError as exc:
        raise SystemExit(f"error: {exc}") from exc
