"""Ends an answer that is taken so slowly that the store's log can't be written back meanwhile."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from agent.console.table import size_text
from agent.errors import AgentError
from agent.store.log_file import LIMIT_BYTES

LOOK_S = 2.0  # between two looks
STANDARD_OUTPUT = 1


def _bytes_of(path: Path) -> int:
    with suppress(OSError):  # without a log nothing grows
        return path.stat().st_size
    return 0


@contextmanager
def not_for_ever(store: Path) -> Iterator[None]:
    """While this lasts, the log may grow by so much; it does as long as the same state is read.

    A signal looks at it: a thread could not end a write into a pipe that nobody reads.

    Raises:
        AgentError: It grew by more.
    """
    log = store.with_name(f"{store.name}-wal")
    most = _bytes_of(log) + LIMIT_BYTES

    def look(_number: int, _frame: Any) -> None:
        if _bytes_of(log) > most:
            signal.setitimer(signal.ITIMER_REAL, 0)
            # What waits to be written would be waited for at the end, too.
            os.dup2(os.open(os.devnull, os.O_WRONLY), STANDARD_OUTPUT)
            raise AgentError(
                f"ended, since the agent could not shorten {log} meanwhile, and it grew by "
                f"{size_text(LIMIT_BYTES)}: take the answer sooner, as with --output FILE, "
                "or ask for a shorter stretch of time"
            )

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, LOOK_S, LOOK_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
