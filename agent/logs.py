"""Where log lines go: the terminal, or the journal with its levels."""

import logging
import os
import sys
from collections.abc import Mapping

from agent.console.table import printable

JOURNAL_LEVELS = {
    logging.DEBUG: "<7>",
    logging.INFO: "<6>",
    logging.WARNING: "<4>",
    logging.ERROR: "<3>",
    logging.CRITICAL: "<2>",
}


class TerminalFormatter(logging.Formatter):
    """Time, level and text; what devices say cannot steer the terminal."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%dT%H:%M:%S%z")

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(printable(line) for line in super().format(record).splitlines())


class JournalFormatter(logging.Formatter):
    """Every line begins with its level, as systemd reads it; the journal knows the time."""

    def format(self, record: logging.LogRecord) -> str:
        prefix = JOURNAL_LEVELS.get(record.levelno, "<6>")
        return "\n".join(prefix + printable(line) for line in super().format(record).splitlines())


def set_up(level: str, environ: Mapping[str, str] | None = None) -> None:
    """Send log lines of a level and above to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    is_journal = leads_to_journal(os.environ if environ is None else environ)
    handler.setFormatter(JournalFormatter() if is_journal else TerminalFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


def leads_to_journal(environ: Mapping[str, str], descriptor: int = 2) -> bool:
    """Whether a descriptor is the stream that systemd made, and not a terminal or file instead.

    Source: systemd.exec(5), ``JOURNAL_STREAM``. Programs started by a service inherit it.
    """
    try:
        stream = os.fstat(descriptor)
    except OSError:
        return False
    return environ.get("JOURNAL_STREAM") == f"{stream.st_dev}:{stream.st_ino}"
