"""Files of the store that can't be used are set aside: renamed beside it, and never deleted."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs

from agent.errors import StoreError
from agent.files import sync_folder

LOG, INDEX, JOURNAL = "-wal", "-shm", "-journal"
ENDS = ("", LOG, INDEX, JOURNAL)  # of the files that belong together, by SQLite's names
DAMAGED = "damaged"  # what can be saved of these is saved
CUT = "cut"  # a log of the store that is still in use: the same
FOREIGN = "foreign"  # another program's, or another store's log: nothing is taken from them
REPLACED = "replaced"  # by a backup that was put in its place: the same
HOUR_MS = 3_600_000
MOST_AN_HOUR = 10  # a disk that damages each new file would be full of them otherwise
STAMP = re.compile(r"\.(damaged|cut|foreign|replaced)-(\d{8}T\d{6}Z)(-\d+)?$")


@attrs.frozen
class SetAside:
    """A file that was set aside, with what belongs to it; ``path`` itself may be missing."""

    path: Path
    why: str
    size_bytes: int


def real(path: Path) -> Path:
    """Where a file lies that ``path`` names: SQLite keeps its log there."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # links in a circle
        return path


def beside(path: Path, end: str) -> Path:
    """A file that belongs to another one."""
    return path.with_name(path.name + end)


def is_there(path: Path) -> bool:
    """Whether there is anything of that name."""
    return path.is_symlink() or path.exists()


def set_aside(path: Path, now_ms: int, why: str, ends: Sequence[str] = ENDS) -> Path:
    """Rename a file and what belongs to it; what they are called now.

    Raises:
        StoreError: They can't be renamed, or the disk seems to damage each new file.
    """
    if why != REPLACED:  # that is no fault of the disk
        _check_rate(path, now_ms)
    target = name_for(path, now_ms, why)
    try:
        # The file goes first: a log that is left behind then is found to have none.
        for end in ends:
            if is_there(beside(path, end)):
                beside(path, end).rename(beside(target, end))
        sync_folder(path.parent)
    except OSError as exc:
        raise StoreError(
            f"{path} can't be used, and can't be set aside: {exc.strerror}; check that "
            f"{path.parent} may be written"
        ) from exc
    return target


def name_for(path: Path, now_ms: int, why: str) -> Path:
    """A name that no file has yet."""
    stamp = f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=now_ms):%Y%m%dT%H%M%SZ}"
    target = beside(path, f".{why}-{stamp}")
    number = 1
    while any(is_there(beside(target, end)) for end in ENDS):
        number += 1
        target = beside(path, f".{why}-{stamp}-{number}")
    return target


def all_set_aside(path: Path) -> list[SetAside]:
    """What was set aside of a store, oldest first."""
    path = real(path)
    found: dict[Path, tuple[str, str, int]] = {}
    try:
        names = sorted(each.name for each in path.parent.iterdir())
    except OSError:
        return []
    for name in names:
        stem = name
        for end in ENDS[1:]:
            stem = stem.removesuffix(end)
        match = STAMP.search(stem)
        if match is not None and stem == path.name + match[0]:
            *_, size = found.get(path.with_name(stem), (0,))
            size += _size(path.with_name(name))
            found[path.with_name(stem)] = match[2], match[1], size
    order = sorted(found, key=lambda each: (found[each][0], each))
    return [SetAside(each, *found[each][1:]) for each in order]


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _check_rate(path: Path, now_ms: int) -> None:
    recent = [stamp for stamp in _stamps(path) if abs(now_ms - stamp) < HOUR_MS]
    if len(recent) >= MOST_AN_HOUR:
        raise StoreError(
            f"{path} was damaged {len(recent)} times within an hour, the disk seems to be bad: "
            "replace it, or name another data_dir"
        )


def _stamps(path: Path) -> Iterator[int]:
    yield from (stamp_ms(each.path) for each in all_set_aside(path) if each.why == DAMAGED)


def why_of(path: Path) -> str | None:
    """Why a file was set aside, by its name."""
    match = STAMP.search(path.name)
    return None if match is None else match[1]


def stamp_ms(path: Path) -> int:
    """When a file was set aside, by its name; 0 where that does not say."""
    match = STAMP.search(path.name)
    if match is None:
        return 0
    try:
        moment = datetime.strptime(match[2], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return 0
    return round(moment.timestamp() * 1000)
