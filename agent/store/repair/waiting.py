"""Which files beside the store still have something that is not in it."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from agent.store.query import file_of, open_to_read
from agent.store.repair.aside import CUT, DAMAGED, LOG, SetAside, all_set_aside, beside, real
from agent.store.repair.salvage import identity, reports
from agent.store.schema import VERSION, stand_in

SPARE_BYTES = 64 * 1024 * 1024  # left free on the disk


def to_save(path: Path) -> list[Path]:
    """Files whose samples are to be moved into the store, oldest first.

    Raises:
        StoreError: The store can't be read.
        OSError: One of them can't be looked at.
    """
    path = real(path)
    is_stood_in = bool(all_beside(path) or [*_stand_ins(path)]) and _is_stood_in(path)
    asides = all_set_aside(stand_in(path)) if is_stood_in else all_beside(path)
    found = [each.path for each in asides if each.why in (DAMAGED, CUT)]
    if not is_stood_in:
        found = [*_stand_ins(path), *found]
    if not found:
        return []
    known = reports(path)
    return [
        each
        for each in found
        if each.name not in known or known[each.name].identity != identity(each)
    ]


def all_beside(path: Path) -> list[SetAside]:
    """What was set aside of a store, and of the files that stood in for it."""
    path = real(path)
    return [each for one in (path, *_names(path)) for each in all_set_aside(one)]


def _is_stood_in(path: Path) -> bool:
    """Whether another file is written; what is in it is taken over once that is over."""
    with closing(open_to_read(path)) as connection:
        return file_of(connection).name != path.name


def _stand_ins(path: Path) -> Iterator[Path]:
    """What older agents wrote while a file of a newer one was in the place of theirs."""
    yield from (other for other in _names(path) if other.is_file())


def _names(path: Path) -> Iterator[Path]:
    for version in range(1, VERSION + 1):
        yield path.with_name(f"{path.stem}-{version}{path.suffix}")


def lacking_bytes(path: Path, source: Path) -> int:
    """How much room is missing on the disk to take over a file; 0: there is enough."""
    wanted = sum(each.stat().st_size for each in (source, beside(source, LOG)) if each.exists())
    return max(0, wanted + SPARE_BYTES - shutil.disk_usage(path.parent).free)
