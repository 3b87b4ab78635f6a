"""A command that is interrupted with Ctrl+C while it searches."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

from tests.console.commands import LIMIT_S, ROOT


def interrupted(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Ctrl+C as soon as it says that it has found one device; standard error is a terminal."""
    first, second = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "agent", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=second,
        text=True,
    ) as process:
        os.close(second)
        shown = b""
        while b"1 found" not in shown:  # it tells that after two seconds
            shown += os.read(first, 4096)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=LIMIT_S)
    os.close(first)
    return subprocess.CompletedProcess(words, process.returncode, output, shown.decode())
