"""What ``query`` does: asks the store, and writes the answer while it comes."""

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from agent.clock import SystemClock
from agent.config import Config
from agent.console.query_held import not_for_ever
from agent.console.query_output import FORMATS
from agent.console.table import size_text, terminal_columns
from agent.errors import AgentError, ConfigError
from agent.files import whole_file
from agent.store.sql.engine import Engine, Row
from agent.words import counted
from agent.zones import zone_of

if TYPE_CHECKING:
    from agent.console.progress import ProgressLine

CHUNK = 64 * 1024  # characters that are written at once
SHOWN_AFTER_S = 0.2  # what there is of an answer is shown then, be the rest as slow as it will
QUIET_S = 2.0  # progress is told after this time
OWN_MB = 70  # what the program takes without SQLite: itself, and the values of a block
LEAST_MB = 8
STANDARD_INPUT = "-"
QUERY_LIMIT = 1_000_000  # bytes of a query in a file
BY_SUFFIX = {".json": "json", ".md": "markdown", ".txt": "table"}


def query_text(file: str) -> str:
    """A query that lies in a file, or comes from standard input.

    Raises:
        ConfigError: It can't be read.
    """
    try:
        if file == STANDARD_INPUT:
            content = sys.stdin.buffer.read(QUERY_LIMIT + 1)
        else:
            with Path(file).open("rb") as stream:
                content = stream.read(QUERY_LIMIT + 1)
    except OSError as exc:
        raise ConfigError(f"cannot read the query from {file}: {exc.strerror}") from exc
    if len(content) > QUERY_LIMIT:
        raise ConfigError(f"{file}: a query has at most {QUERY_LIMIT} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{file}: a query is UTF-8 text, there is another byte: {exc}") from exc


def answer(
    config: Config,
    sql: str,
    *,
    form: str | None,
    output: Path | None,
    timeout_s: float | None,
    memory_mb: int,
) -> str | None:
    """Write what a query comes to, to standard output or a file; of a file, what is in it.

    Raises:
        ConfigError: The query or an option is wrong.
        StoreError: There is no store, or it can't be read.
        AgentError: It takes too long or too much memory, or can't be written.
    """
    target = None if output is None else _checked(output, config)
    zone = zone_of(config.agent.timezone)
    writing = _Writing(timeout_s, tells=target is not None or _goes_to_file())
    heap_bytes = max(LEAST_MB, memory_mb - OWN_MB) << 20
    path = config.store_path
    with Engine(path, zone, heap_bytes=heap_bytes, has_time=writing.has_time) as engine:
        for name in engine.left_out:
            sys.stderr.write(f"note: no table {name!r}: SQLite needs names of this kind itself\n")
        try:
            with not_for_ever(engine.path):
                found = engine.select(sql)
                form = form or _usual_form(target)
                texts = FORMATS[form](found.columns, writing.counted(found.rows))
                _put(writing, texts, target)
        finally:
            writing.clear()
        if target is None:
            return None
        return f"{output}  {counted(writing.rows, 'row')}, {size_text(writing.size_bytes)}"


def _usual_form(target: Path | None) -> str:
    """A table for people, CSV for programs; for a file what its name says."""
    if target is not None:
        return BY_SUFFIX.get(target.suffix.lower(), "csv")
    return "csv" if terminal_columns() is None else "table"


def _goes_to_file() -> bool:
    """Whether standard output does."""
    try:
        return stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError):  # it is none of the system's
        return False


def _checked(output: Path, config: Config) -> Path:
    target = Path(os.path.realpath(output))
    if target.suffix.lower() in BY_SUFFIX and target.is_file():
        return target  # an answer of before; nothing of the agent is called so
    from agent.console.output import checked_output

    return checked_output(output, config)


def _put(writing: "_Writing", texts: Iterable[str], target: Path | None) -> None:
    if target is None:
        _print(writing, texts)
        return
    try:
        with whole_file(target) as stream:
            writing.write(texts, stream)
    except OSError as exc:
        raise AgentError(f"cannot write {target}: {exc.strerror}") from exc


def _print(writing: "_Writing", texts: Iterable[str]) -> None:
    sys.stdout.flush()
    try:
        writing.write(texts, sys.stdout.buffer)
    except BrokenPipeError:
        # Somebody like "head" has read enough. Python writes the rest at its end, and complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as exc:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise AgentError(f"cannot write what was asked for: {exc.strerror}") from exc


class _Writing:
    """Writes texts while they come, counts the rows, and looks at the clock meanwhile."""

    def __init__(self, timeout_s: float | None, *, tells: bool) -> None:
        self.rows = self.size_bytes = 0
        self._timeout_s = timeout_s
        self._tells = tells  # how far it is: where the answer is not seen, and not in a pipe
        self._progress: ProgressLine | None = None
        self._clock = SystemClock()
        self._began_s = self._clock.monotonic()
        self._next_s = self._began_s
        self._stream: BinaryIO | None = None
        self._pending: list[str] = []
        self._pending_size = 0

    def counted(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The same rows."""
        for row in rows:
            self.rows += 1
            yield row

    def write(self, texts: Iterable[str], stream: BinaryIO) -> None:
        """Write all, in chunks, but none later than people would wonder."""
        self._stream = stream
        for text in texts:
            self._pending.append(text)
            self._pending_size += len(text)
            if self._pending_size >= CHUNK or self._clock.monotonic() >= self._next_s:
                self._flush()
        self._flush()
        self._stream = None

    def has_time(self) -> bool:
        """Whether the query may go on; called often while it does."""
        now_s = self._clock.monotonic()
        if now_s >= self._next_s:
            self._flush()
        return self._timeout_s is None or now_s - self._began_s < self._timeout_s

    def clear(self) -> None:
        """Make room for what follows."""
        if self._progress is not None:
            self._progress.clear()

    def _flush(self) -> None:
        pending, self._pending, self._pending_size = self._pending, [], 0
        if self._stream is not None and pending:
            content = "".join(pending).encode("utf-8")
            self.size_bytes += len(content)
            self._stream.write(content)
            self._stream.flush()
        now_s = self._clock.monotonic()
        self._next_s = now_s + SHOWN_AFTER_S
        if self._tells:
            self._tell(now_s - self._began_s)

    def _tell(self, seconds: float) -> None:
        """How far it is, where the answer itself is not seen."""
        if seconds < QUIET_S:
            return
        if self._progress is None:
            from agent.console.progress import ProgressLine

            self._progress = ProgressLine()
        self._progress.say(
            seconds, f"{counted(self.rows, 'row')} in {seconds:.0f} s; Ctrl+C ends it"
        )
