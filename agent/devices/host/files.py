"""Files of the kernel: read whole, bounded, and kept open where that is sound."""

import os
import re
import zlib

MAX_BYTES = 1 << 20
PIECE_BYTES = 16384
ATTRIBUTE_BYTES = 256  # one value of sysfs; longer ones are not what they should be
_WHOLE = re.compile(rb"\s*(-?[0-9]{1,18})\s*")  # 18 digits fit into 64 bits
_NOT_A_WORD = re.compile(r"[^a-z0-9]+")


class Files:
    """Reads files of ``/proc`` and keeps them open, which halves what a read costs.

    Only files without a size that have content are kept: that is how procfs shows its files. An
    ordinary file may be replaced by another of the same name, and a kept one would go stale.
    """

    def __init__(self) -> None:
        self._kept: dict[str, int] = {}

    def read(self, path: str) -> bytes:
        """Content of ``path``, cut at 1 MiB.

        Raises:
            OSError: It can't be opened or read.
        """
        kept = self._kept.get(path)
        if kept is not None:
            try:
                return _read_whole(kept)
            except OSError:  # a FUSE file over /proc, as lxcfs has, whose server started again
                os.close(self._kept.pop(path))
        file = os.open(path, os.O_RDONLY)
        try:
            content = _read_whole(file)
            if content and os.fstat(file).st_size == 0:
                self._kept[path] = file
        finally:
            if path not in self._kept:
                os.close(file)
        return content

    def try_read(self, path: str) -> bytes:
        """As ``read``, empty where it can't be read."""
        try:
            return self.read(path)
        except OSError:
            return b""

    def close(self) -> None:
        """Close what is kept; the next read opens it again."""
        while self._kept:
            os.close(self._kept.popitem()[1])


def _read_whole(file: int) -> bytes:
    # Tables of procfs come in pieces of a page each, however large the buffer: only an empty
    # piece is the end.
    content = os.pread(file, PIECE_BYTES, 0)
    while content and len(content) < MAX_BYTES:
        piece = os.pread(file, PIECE_BYTES, len(content))
        if not piece:
            break
        content += piece
    return content


def read_attribute(path: str) -> bytes | None:
    """The value in a file of sysfs, without the white space around it; ``None`` where it is gone.

    Opened each time: a kept one would answer ENODEV for ever once its device was plugged out and
    in again.
    """
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        return os.read(file, ATTRIBUTE_BYTES).strip()
    except OSError:  # ENODEV, ENODATA, EIO, EAGAIN: the device does not answer
        return None
    finally:
        os.close(file)


def read_number(path: str) -> int | None:
    """The whole number in a file of sysfs; ``None`` where there is none."""
    content = read_attribute(path)
    return None if content is None else whole(content)


def names_in(folder: str) -> list[str]:
    """Names of what a folder holds, sorted; empty where there is no such folder."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - Path.iterdir makes an object of each
    except OSError:
        return []


def is_there(path: str) -> bool:
    """Whether ``path`` leads somewhere; never raises."""
    return os.access(path, os.F_OK)


def whole(content: bytes) -> int | None:
    """A whole number of at most 18 digits; ``None`` for anything else.

    >>> whole(b" -3987500\\n"), whole(b"12 V"), whole(b"")
    (-3987500, None, None)
    """
    match = _WHOLE.fullmatch(content)
    return int(match[1]) if match else None


def word(content: str) -> str:
    """A name of the kernel as part of the name of a metric.

    >>> word("cpu-thermal"), word("Package id 0")
    ('cpu_thermal', 'package_id_0')
    """
    return _NOT_A_WORD.sub("_", content.lower()).strip("_")


def distinct_word(name: str) -> str:
    """As ``word``, another for each name: the CRC-32 tells those apart that would read the same.

    A name that is a word already is left as it is, so that it never depends on what else there is.

    >>> distinct_word("eth0"), distinct_word("eth0.7")
    ('eth0', 'eth0_7__8ceaef1a')
    """
    found = word(name)
    return found if found == name else f"{found}__{checksum(name)}"


def checksum(name: str) -> str:
    """The CRC-32 of a name, eight hexadecimal digits."""
    return f"{zlib.crc32(os.fsencode(name)):08x}"


def printable(content: bytes) -> str:
    """Text that others chose, such as names of processes, without control characters.

    >>> printable(b"\\x1b[2Jtop")
    '?[2Jtop'
    """
    text = content.decode("utf-8", "replace")
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "?" for character in text)
