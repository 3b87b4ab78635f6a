"""Where log lines go: the terminal, or the journal with its levels."""

import logging
import os
import sys
from collections.abc import Mapping

JOURNAL_LEVELS = {
    logging.DEBUG: "<7>",
    logging.INFO: "<6>",
    logging.WARNING: "<4>",
    logging.ERROR: "<3>",
    logging.CRITICAL: "<2>",
}


class JournalFormatter(logging.Formatter):
    """Every line begins with its level, as systemd reads it; the journal knows the time."""

    def format(self, record: logging.LogRecord) -> str:
        prefix = JOURNAL_LEVELS.get(record.levelno, "<6>")
        return "\n".join(prefix + line for line in super().format(record).splitlines())


def set_up(level: str, environ: Mapping[str, str] | None = None) -> None:
    """Send log lines of a level and above to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    if (os.environ if environ is None else environ).get("JOURNAL_STREAM"):
        handler.setFormatter(JournalFormatter("%(message)s"))
    else:
        handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%dT%H:%M:%S%z")
        )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
