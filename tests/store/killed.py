"""Runs a program that has processes killed again and again, and takes its account of it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
FAULTS_SHOWN = 10


def account_of(module: str, *words: object) -> dict[str, Any]:
    """What a module of this folder found; it fails the test where it found a fault."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.store.{module}", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["faults"][:FAULTS_SHOWN] == []
    return found
