"""Machines of another architecture, as users have them: Debian without Python, emulated."""

import functools
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CROSS = ROOT / "build" / "cross"
OUT = Path(os.environ.get("OUT", ROOT / "dist"))
NOT_HERE = 3  # what build/cross.sh ends with where the machine is the reason
BUILD_S = 3000.0


def made_by(*words: str | Path) -> str:
    """What a script prints; the test is skipped where this machine can't do it."""
    done = subprocess.run(
        ["sh", *map(str, words)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BUILD_S,
    )
    if done.returncode == NOT_HERE:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@functools.cache  # for all tests, also where the tree is edited meanwhile
def built(arch: str) -> Path:
    """The one file for an architecture, as it is made from the tree as it is."""
    made_by(ROOT / "build" / "cross.sh", arch)
    return OUT / f"agent-linux-{arch}"


def command(arch: str, suite: str = "bookworm") -> Sequence[str]:
    """The words that run the one file on a Debian of that release."""
    program = built(arch)
    return ["/bin/sh", str(CROSS / "run.sh"), user_root(arch, suite), str(program)]


def user_root(arch: str, suite: str = "bookworm") -> str:
    """The folder of such a Debian; its programs run here."""
    root = made_by(CROSS / "root.sh", "user", arch, suite)
    made_by(CROSS / "emulator.sh", arch, root)
    return root
