"""The one file as it was built, and another build of it that may fail on purpose."""

import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.systemd.tree import MADE, only_one

ROOT = Path(__file__).parents[2]
NAMES = {"aarch64": "arm64", "armv7l": "armhf", "armv8l": "armhf"}
NAME = f"agent-linux-{NAMES.get(platform.machine(), platform.machine())}"
OTHER_VERSION = "9.9.9"
LIMIT_S = 900.0
SOURCES = ("agent", "hw_sim", "build", "agent.toml", "LICENSE", "README.md", "pyproject.toml")
LOCKS = ("requirements.lock", "requirements-build.lock", "requirements-dev.lock")
# What the other build does as a service when AGENT_FAULT says so: a variable for agent.env, so
# that one build stands for all that can go wrong with a new version.
FAULTS = """
import os, signal, sys, threading

fault, _, after = os.environ.pop("FAULT_OF_BUILD", "").partition(":")
if fault and sys.argv[1:2] == ["run"]:
    doing = {
        "exit": lambda: os._exit(1),
        "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
        "stand still": lambda: os.kill(os.getpid(), signal.SIGSTOP),
        "sleep": lambda: signal.pause(),
    }[fault]
    if after:
        timer = threading.Timer(float(after), doing)
        timer.daemon = True
        timer.start()
    else:
        doing()
"""


def one_file() -> Path:
    """Where the one file is, or would be."""
    return Path(os.environ.get("AGENT_BINARY") or ROOT / "dist" / NAME).resolve()


def missing_program() -> str:
    """Why there is no program to install; empty when there is one."""
    program = one_file()
    return "" if program.is_file() else f"{program} is not there: make build"


@functools.cache
def other_build() -> Path:
    """The same program with another version, and with ``FAULTS``; made when it is not there."""
    key = hashlib.sha256(one_file().read_bytes() + FAULTS.encode()).hexdigest()[:8]
    target = MADE / f"other-build-{key}" / NAME
    with only_one(MADE / "other-build.lock"):
        if not target.exists():
            for old in MADE.glob("other-build-*/"):
                shutil.rmtree(old)
            with tempfile.TemporaryDirectory(prefix="other-build-") as folder:
                _build(Path(folder))
                target.parent.mkdir()
                shutil.move(Path(folder) / "dist" / NAME, target)
    return target


def _build(folder: Path) -> None:
    ignored = shutil.ignore_patterns("made", "__pycache__")
    for name in (*SOURCES, *LOCKS):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        elif source.exists():
            shutil.copy(source, folder / name)
    first = folder / "agent" / "__init__.py"
    lines = [
        f'__version__ = "{OTHER_VERSION}"' if line.startswith("__version__") else line
        for line in first.read_text().splitlines()
    ]
    first.write_text("\n".join([*lines, "from agent import faults_of_build", ""]))
    (folder / "agent" / "faults_of_build.py").write_text(FAULTS)
    (folder / "build" / "made").mkdir()
    for path in (MADE / "build-venv", *MADE.glob("bootloader-*")):
        (folder / "build" / "made" / path.name).symlink_to(path)
    done = subprocess.run(
        ["sh", "build/build.sh"],
        cwd=folder,
        env={**os.environ, "OUT": "dist", "PYINSTALLER_CONFIG_DIR": str(folder / "cache")},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    if done.returncode:
        raise RuntimeError(f"the other build failed: {done.stdout[-500:]} {done.stderr[-1500:]}")
