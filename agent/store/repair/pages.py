"""The pages of a damaged store: those of its file, with those of its log laid over them."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agent.store.repair.cells import TABLE_LEAF, TornError, is_filled, leaf_lines, page_from
from agent.store.repair.frames import PAGE_SIZES, Frame, log_of
from agent.store.repair.raw import IsLate, RawFile

MAGIC = b"SQLite format 3\0"
HEAD_BYTES = 100  # of the first page, before what it has as a page
LIKELY = 1024  # bytes of a page, where nothing tells
GUESSED = 512  # pages that a size is guessed from
AHEAD_BYTES = 1 << 18


class Pages:
    """Pages by number, from 1 on; a page that is not there is empty."""

    def __init__(
        self,
        file: RawFile | None,
        log: RawFile | None,
        frames: Sequence[Frame],
        page_bytes: int,
    ) -> None:
        self._file = file
        self._log = log
        self.page_bytes = page_bytes
        self.is_with_both = file is not None and file.size_bytes > 0 and log is not None
        self.is_log_whole = all(frame.is_whole for frame in frames)
        self._at: dict[int, int] = {}
        self.outdated: set[int] = set()  # the newest that was written is damaged
        ends = [number for number, frame in enumerate(frames, 1) if frame.pages]
        for frame in frames[: max(ends, default=0)]:
            if frame.is_whole:
                self._at[frame.page] = frame.at
                self.outdated.discard(frame.page)
            else:
                self.outdated.add(frame.page)
        file_pages = -(-file.size_bytes // page_bytes) if file is not None else 0
        said = [frame.pages for frame in frames if frame.pages and frame.is_whole]
        self.count = said[-1] if said else max(file_pages, *self._at, 0)
        self._ahead = b"", 0

    def page(self, number: int) -> bytes:
        """A page as it was written last, as far as that is known."""
        at = self._at.get(number)
        if at is not None and self._log is not None:
            return self._log.read(at, self.page_bytes)
        if self._file is None or not 0 < number <= self.count:
            return b""
        start = (number - 1) * self.page_bytes
        data, first = self._ahead
        if not first <= start < first + len(data):
            data, first = self._file.read(start, AHEAD_BYTES), start
            self._ahead = data, first
        page = data[start - first : start - first + self.page_bytes]
        return page if len(page) == self.page_bytes else b""

    @property
    def usable_bytes(self) -> int:
        """Of each page: some programs keep room at their ends."""
        head = self.page(1)[:HEAD_BYTES]
        reserved = head[20] if head[:16] == MAGIC else 0
        return self.page_bytes - (reserved if reserved <= 32 else 0)


def page_bytes_of(head: bytes) -> int | None:
    """What the first bytes of a file say."""
    if head[:16] != MAGIC or len(head) < HEAD_BYTES:
        return None
    said = int.from_bytes(head[16:18], "big")
    said = 65536 if said == 1 else said
    return said if said in PAGE_SIZES else None


def guessed_bytes(file: RawFile) -> int:
    """The size of the pages of a file whose head is damaged: pages of that size are whole."""
    head = file.read(0, HEAD_BYTES)
    said = int.from_bytes(head[16:18], "big")
    whole = {size: _whole_pages(file, size) for size in PAGE_SIZES}
    most = max(whole.values())
    if not most:
        return said if said in PAGE_SIZES else LIKELY
    return next(size for size, count in whole.items() if count == most)


def _whole_pages(file: RawFile, size: int) -> int:
    """How many of some pages are leaves of tables and full of cells to the last byte."""
    step = max(1, file.size_bytes // size // GUESSED)
    found = 0
    for number in range(step, file.size_bytes // size, step):
        try:
            page = page_from(file.read(number * size, size), size, is_first=False)
        except TornError:
            continue
        lines = [*leaf_lines(page)] if page.kind == TABLE_LEAF else []
        found += bool(lines) and is_filled(page, sum(line.taken for line in lines))
    return found


@contextmanager
def pages_of(
    path: Path, is_late: IsLate = lambda: False, *, with_log: bool = True
) -> Iterator[Pages]:
    """The pages of a file and, ``with_log``, of the log beside it; either may be missing.

    Raises:
        OSError: They can't be read.
    """
    with ExitStack() as stack:
        file = _opened(path, stack)
        log_file = _opened(path.with_name(f"{path.name}-wal"), stack) if with_log else None
        page_bytes = page_bytes_of(file.read(0, HEAD_BYTES)) if file is not None else None
        if page_bytes is None:
            page_bytes = guessed_bytes(file) if file is not None and file.size_bytes else LIKELY
        log = log_of(log_file, page_bytes, is_late) if log_file is not None else None
        if log is None:
            yield Pages(file, None, (), page_bytes)
        else:
            yield Pages(file, log_file, log.frames, log.page_bytes)


def _opened(path: Path, stack: ExitStack) -> RawFile | None:
    try:
        return stack.enter_context(RawFile(path))
    except (FileNotFoundError, IsADirectoryError):
        return None
