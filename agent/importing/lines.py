"""Lines of a text file from anywhere: in any usual encoding, of bounded length, numbered."""

import codecs
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import AnyStr, BinaryIO, NamedTuple

from agent.importing.reading import FileError

LINE_LIMIT = 1024 * 1024  # bytes; the longest known are those of a heat pump, 60,000
SNIFFED = 64 * 1024
NUL_SHARE = 0.4  # of every second byte: it is UTF-16 that does not say so
OTHER = "cp1252"
NOT_UTF_8 = "not all of it is UTF-8: the rest is read as Windows-1252"


class Line(NamedTuple):
    """A line without its line feed, counted from 1; ``None``: it is longer than any can be."""

    number: int
    text: str | None


class Lines:
    """Reads a file line by line, as often as it is asked to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.has_other_encoding = False
        try:
            with path.open("rb") as stream:
                self._start, self._encoding = _encoding_of(stream.read(SNIFFED))
        except OSError as exc:
            raise FileError(f"cannot read {path}: {exc.strerror}") from exc

    def __iter__(self) -> Iterator[Line]:
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._start)
                yield from self._lines(stream)
        except OSError as exc:
            raise FileError(f"cannot read {self._path}: {exc.strerror}") from exc

    def _lines(self, stream: BinaryIO) -> Iterator[Line]:
        if self._encoding is None:
            for number, data in enumerate(_bounded(stream.readline, b"\n"), 1):
                yield Line(
                    number, None if data is None else self._decoded(data.removesuffix(b"\n"))
                )
            return
        # A half pair, or a byte too many at a torn end, is one bad character.
        with io.TextIOWrapper(stream, self._encoding, errors="replace", newline="\n") as wide:
            for number, text in enumerate(_bounded(wide.readline, "\n"), 1):
                yield Line(number, None if text is None else text.removesuffix("\n"))

    def _decoded(self, data: bytes) -> str:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            self.has_other_encoding = True
            return data.decode(OTHER, "replace")


def _bounded(readline: Callable[[int], AnyStr], end: AnyStr) -> Iterator[AnyStr | None]:
    """Lines with their ends; one that is too long is left out, and is ``None``."""
    while line := readline(LINE_LIMIT):
        if len(line) < LINE_LIMIT or line.endswith(end):
            yield line
            continue
        while (more := readline(LINE_LIMIT)) and not more.endswith(end):
            pass
        yield None


def _encoding_of(data: bytes) -> tuple[int, str | None]:
    """Where the text begins, and its encoding where that is not UTF-8 or alike."""
    if data.startswith(codecs.BOM_UTF8):
        return len(codecs.BOM_UTF8), None
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if data.startswith(mark):
            return len(mark), encoding
    # A stretch of NUL bytes alone is what a power cut leaves.
    head = data[:1024]
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        nuls, others = head[offset::2].count(0), head[1 - offset :: 2].count(0)
        if head and nuls > NUL_SHARE * len(head[offset::2]) and not others:
            return 0, encoding
    return 0, None


def last_lines(path: Path, size_bytes: int) -> list[str]:
    """The whole lines among the last bytes of a file, the newest first, as far as they are text."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - size_bytes))
        data = stream.read(size_bytes)
    lines = data.replace(b"\0", b"").split(b"\n")
    return [line.rstrip(b"\r").decode(OTHER, "replace") for line in reversed(lines)]


def count_lines(path: Path) -> int:
    """How many lines a file has, an unfinished last one included."""
    count, last = 0, b"\n"
    with path.open("rb") as stream:
        while data := stream.read(1 << 20):
            count += data.count(b"\n")
            last = data[-1:]
    return count + (last != b"\n")
