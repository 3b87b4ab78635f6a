"""Makes sure that there is a file that the store can use, whatever lies in its place.

What can't be used is set aside, and a new file takes its place at once: what can be saved is moved
there later, in small steps. So a start reads little, however large the file is.
"""

import filecmp
import logging
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from agent.errors import StoreError
from agent.files import whole_file
from agent.store.repair.aside import (
    CUT,
    DAMAGED,
    FOREIGN,
    INDEX,
    JOURNAL,
    LOG,
    all_set_aside,
    beside,
    is_there,
    name_for,
    real,
    set_aside,
)
from agent.store.repair.loglook import Verdict, look_at_log
from agent.store.repair.look import (
    ClosedError,
    ForeignError,
    UnfitError,
    is_newer,
    is_with_log,
    look,
    was_killed,
)
from agent.store.repair.obstacle import obstacle_at, obstacles_beside, take_rights
from agent.store.repair.raw import IsLate, late_after
from agent.store.repair.seed import seed
from agent.store.schema import NewerError, stand_in

log = logging.getLogger(__name__)

LOOK_S = 2.0  # a start takes 5 s at most


def in_use(path: Path) -> Path:
    """The file that is written: another one while a newer agent's is in its place."""
    return stand_in(real(path)) if is_newer(path) else path


def make_usable(path: Path, now_ms: int, fault: str | None = None) -> list[str]:
    """Set aside what is in the way of the store; what was done, in sentences for the log.

    Afterwards the file of ``in_use(path)`` can be opened. ``fault`` is by what one knows already
    that it can't.

    Raises:
        StoreError: It can't be set aside.
    """
    path = real(path)
    is_late = late_after(LOOK_S)
    try:
        if is_newer(path):
            other = stand_in(path)
            return [_newer(path, other), *_make_usable(other, now_ms, fault, is_late)]
        return _make_usable(path, now_ms, fault, is_late)
    except NewerError as exc:
        raise StoreError(f"{path}: written by a newer agent, name another data_dir") from exc
    except OSError as exc:
        raise StoreError(f"cannot read {path}: {exc.strerror}, check its disk") from exc


def _newer(path: Path, other: Path) -> str:
    return (
        f"{path} was written by a newer agent: it is left as it is, and samples go to {other}; "
        "install that version again, it takes them over"
    )


def _make_usable(path: Path, now_ms: int, fault: str | None, is_late: IsLate) -> list[str]:
    said = [
        f"{each} lacked the rights of its owner, us: it has them again"
        for each in take_rights(path)
    ]
    try:
        if fault is not None:
            raise UnfitError(fault)
        for sentence in _clear(path, now_ms, is_late):
            said.append(sentence)  # noqa: PERF402  those before an error count, too
    except ForeignError as exc:
        target = set_aside(path, now_ms, FOREIGN)
        said.append(
            f"{path} can't be used: {exc}; it is called {target.name} now, and a new one is begun; "
            "agent import may take over what is in it"
        )
    except UnfitError as exc:
        target = set_aside(path, now_ms, DAMAGED)
        said.append(_set_aside(path, target, str(exc), closed=isinstance(exc, ClosedError)))
        seed(path, target, is_late)
    return said + (_how_many(path) if said else [])


def _clear(path: Path, now_ms: int, is_late: IsLate) -> Iterator[str]:
    """Put right what can be put right with the file in its place.

    Raises:
        UnfitError: It can't be used.
        NewerError: It is of a newer agent.
    """
    why = obstacle_at(path)
    if why is not None and path.is_file():
        raise ClosedError(why)
    if why is not None:
        yield _aside(path, now_ms, FOREIGN, why, "")
    for end, why in obstacles_beside(path).items():
        if end == LOG and beside(path, LOG).is_file():
            raise ClosedError(why)  # what was stored last is in it
        yield _aside(path, now_ms, FOREIGN, why, end)
    if not _size(path):
        yield from _without_file(path, now_ms)
        return
    if _size(beside(path, LOG)):
        yield from _with_log(path, now_ms, is_late)
    elif is_with_log(path) and was_killed(path):
        yield f"{path} has no log, as it should after a kill: its last commits may be lost"
    if _size(beside(path, JOURNAL)) and is_with_log(path):
        yield _aside(path, now_ms, FOREIGN, "its journal is not its own", JOURNAL)
    try:
        look(path, is_late)
    except sqlite3.Error as exc:  # such as a lock: whoever opens it for writing says so
        log.debug("looking at %s: %s", path, exc)


def _without_file(path: Path, now_ms: int) -> Iterator[str]:
    """There is no file, or nothing in it: what is left beside it is no longer its own."""
    if _size(beside(path, JOURNAL)):
        yield _aside(path, now_ms, FOREIGN, "there is no file for its journal", JOURNAL)
    if not _size(beside(path, LOG)):
        return
    lacking = [
        each.path
        for each in all_set_aside(path)
        if each.why == DAMAGED and each.path.is_file() and not is_there(beside(each.path, LOG))
    ]
    if lacking and not path.exists():  # a start that was cut off came as far as that
        beside(path, LOG).rename(beside(lacking[-1], LOG))
        yield f"{beside(path, LOG)} is set aside, as {lacking[-1].name} was before"
        return
    target = set_aside(path, now_ms, DAMAGED)
    yield _set_aside(path, target, "of what was stored there is only the log")


def _with_log(path: Path, now_ms: int, is_late: IsLate) -> Iterator[str]:
    found = look_at_log(path, beside(path, LOG), is_late)
    match found.verdict:
        case Verdict.FOREIGN:
            yield _aside(path, now_ms, FOREIGN, f"its log is not its own, {found.why}", LOG, INDEX)
        case Verdict.WRITTEN:
            why = "its log is damaged, but all that was in it is in the file"
            yield _aside(path, now_ms, CUT, why, LOG, INDEX)
        case Verdict.MIXED:
            raise UnfitError("its log is damaged")
        case Verdict.CUT if (target := _copied(path, now_ms)) is not None:
            commits = f"{found.lost} commits of it" if found.lost > 1 else "its last commit"
            yield (
                f"the log of {path} is damaged: {commits} can't be read at once, what can be "
                f"saved is taken from a copy, {beside(target, LOG).name}, in the background"
            )


def _copied(path: Path, now_ms: int) -> Path | None:
    """Where the log was copied to; ``None`` where it has been, by a start before this one."""
    source = beside(path, LOG)
    for each in reversed(all_set_aside(path)):
        if each.why == CUT and filecmp.cmp(beside(each.path, LOG), source, shallow=False):
            return None
    target = name_for(path, now_ms, CUT)
    with whole_file(beside(target, LOG)) as stream, source.open("rb") as log_stream:
        shutil.copyfileobj(log_stream, stream)
    return target


def _aside(path: Path, now_ms: int, kind: str, why: str, *ends: str) -> str:
    """Set files aside that lie beside the store's; in one sentence."""
    target = set_aside(path, now_ms, kind, ends)
    return f"{path}: {why}; it is kept as {beside(target, ends[0]).name}"


def _set_aside(path: Path, target: Path, why: str, *, closed: bool = False) -> str:
    how = "in the background"
    if closed:
        how = "once the agent is stopped, by: sudo agent store repair"
    return (
        f"{path} can't be used: {why}; it is set aside as {target.name}, and a new one is begun; "
        f"what can be saved is moved there {how}"
    )


def _how_many(path: Path) -> list[str]:
    """They are never deleted, so that is said."""
    found = all_set_aside(path)
    if not found:
        return []
    size = sum(each.size_bytes for each in found)
    text = f"{size / 1e6:.1f} MB" if size >= 1_000_000 else f"{-(-size // 1000)} kB"
    files = "1 file" if len(found) == 1 else f"{len(found)} files"
    return [
        f"{files} set aside in {path.parent} with {text}; agent status lists them, "
        "remove what you do not need"
    ]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
