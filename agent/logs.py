"""Where log lines go: the terminal, or the journal with its levels and fields."""

import faulthandler
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from agent.console.table import printable
from agent.service.journal import SOCKET, JournalHandler, priority


class TerminalFormatter(logging.Formatter):
    """Time, level and text; what devices say cannot steer the terminal."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%dT%H:%M:%S%z")

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(printable(line) for line in super().format(record).splitlines())


class JournalFormatter(logging.Formatter):
    """Every line begins with its level, as systemd reads it; the journal knows the time."""

    def format(self, record: logging.LogRecord) -> str:
        prefix = f"<{priority(record.levelno)}>"
        return "\n".join(prefix + printable(line) for line in super().format(record).splitlines())


class MessageFormatter(logging.Formatter):
    """The text alone, for an entry of the journal with the rest in fields."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(printable(line) for line in super().format(record).splitlines())


def set_up(level: str, environ: Mapping[str, str] | None = None, journal: Path = SOCKET) -> None:
    """Send log lines of a level and above to standard error, or to the journal it leads to."""
    handler: logging.Handler
    if leads_to_journal(os.environ if environ is None else environ):
        handler = JournalHandler(sys.stderr, JournalFormatter().format, journal)
        handler.setFormatter(MessageFormatter())
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(TerminalFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


def say_where_it_was_killed() -> None:
    """Have the stacks of all threads written when systemd aborts the process, as it hangs."""
    try:
        faulthandler.enable(2)  # standard error, whatever Python made of it
    except (OSError, RuntimeError, ValueError):
        logging.getLogger(__name__).debug("no stacks can be written to standard error")


def leads_to_journal(environ: Mapping[str, str], descriptor: int = 2) -> bool:
    """Whether a descriptor is the stream that systemd made, and not a terminal or file instead.

    Source: systemd.exec(5), ``JOURNAL_STREAM``. Programs started by a service inherit it.
    """
    try:
        stream = os.fstat(descriptor)
    except OSError:
        return False
    return environ.get("JOURNAL_STREAM") == f"{stream.st_dev}:{stream.st_ino}"
