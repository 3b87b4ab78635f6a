"""Files that appear whole or not at all."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

TEMPORARY = ".tmp"  # how names of files end that are still being written
NAME_LIMIT = 60  # characters of the file's name in that of the temporary one: 255 bytes are allowed
CANNOT_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}  # folders of some network file systems


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Write beside ``path``; at the end sync and rename, after an error leave nothing.

    Raises:
        OSError: As it comes from the system.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    name = f".{path.name[:NAME_LIMIT]}.{secrets.token_hex(4)}{TEMPORARY}"
    beside = path.with_name(name)
    # Not tempfile: its files are for their owner alone, and the umask that others are made with
    # can only be read by setting it, for all threads.
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames and removals in a folder last, where its file system can."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as exc:
        if exc.errno not in CANNOT_SYNC:
            raise
    finally:
        os.close(handle)
