"""What holds for every test."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples each time, and no verdict by the wall clock: on a new machine hypothesis
# first builds its table of Unicode, and takes that for slow strategies.
settings.register_profile(
    "tests",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tests")

# A shell's background job ignores Ctrl+C, and so would every program that a test starts.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session", autouse=True)
def _runtime_directory() -> Iterator[None]:
    """A folder in memory for what agents keep there: none is to find another test's samples."""
    if not os.access(MEMORY, os.W_OK) or "RUNTIME_DIRECTORY" in os.environ:
        yield
        return
    folder = tempfile.mkdtemp(prefix="agent-tests-", dir=MEMORY)
    os.environ["RUNTIME_DIRECTORY"] = folder
    yield
    del os.environ["RUNTIME_DIRECTORY"]
    shutil.rmtree(folder, ignore_errors=True)
