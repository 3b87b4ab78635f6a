"""Shows on standard error how far a search is, once it takes long enough to wonder."""

import sys
from typing import TextIO

from agent.discovery import Progress

QUIET_S = 2.0  # a search that is done by then says nothing of itself
LINE_EVERY_S = 5.0  # where each says its own line, in a file or pipe


class ProgressLine:
    """One line that changes on a terminal; elsewhere a line now and then."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._is_terminal = self._stream is not None and self._stream.isatty()
        self._next_s = QUIET_S
        self._is_shown = False

    def tell(self, progress: Progress) -> None:
        """Called as often as anybody likes."""
        self.say(
            progress.seconds,
            f"searching: {progress.done} of {progress.total} asked, {progress.found} found, "
            f"{progress.seconds:.0f} s; Ctrl+C shows what was found so far",
        )

    def say(self, seconds: float, text: str) -> None:
        """Any other progress, so long after it began."""
        if self._stream is None or seconds < self._next_s:
            return
        if self._is_terminal:
            self._write(f"\r\x1b[K{text}")
        else:
            self._next_s = seconds + LINE_EVERY_S
            self._write(f"{text}\n")
        self._is_shown = True

    def clear(self) -> None:
        """Make room for what follows."""
        if self._is_shown and self._is_terminal:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # nobody reads it, or it is closed
            self._next_s = float("inf")
