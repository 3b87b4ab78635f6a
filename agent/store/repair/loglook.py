"""Looks at the log beside a file before SQLite does, which takes what it can of any log.

What SQLite would leave out of a damaged log is kept in a copy. A log whose pages would do harm is
set aside: one of another file, and a damaged one from which the file has already been brought up
to date, wholly or in part.
"""

from collections.abc import Mapping
from enum import Enum, auto
from pathlib import Path

import attrs

from agent.store.repair.belongs import why_foreign
from agent.store.repair.frames import Frame, Log, log_of
from agent.store.repair.pages import HEAD_BYTES, LIKELY, Pages, page_bytes_of
from agent.store.repair.raw import IsLate, RawFile


class Verdict(Enum):
    """What to do with a log."""

    FINE = auto()
    FOREIGN = auto()  # it is not this file's
    WRITTEN = auto()  # it is damaged, and the file has all that it has
    CUT = auto()  # it is damaged, and the file is whole with what SQLite reads of it
    MIXED = auto()  # it is damaged, and the file is whole neither with it nor without it


@attrs.frozen
class Found:
    """What was found; ``lost`` are the commits that SQLite does not read."""

    verdict: Verdict
    why: str = ""
    lost: int = 0


def look_at_log(path: Path, log_path: Path, is_late: IsLate) -> Found:
    """Whether SQLite may open a file with its log.

    Raises:
        OSError: They can't be read.
    """
    with RawFile(path) as file, RawFile(log_path) as log_file:
        page_bytes = page_bytes_of(file.read(0, HEAD_BYTES))
        log = log_of(log_file, page_bytes or LIKELY, is_late)
        if log is None or page_bytes is None:
            return Found(Verdict.FINE)
        before = Pages(file, None, (), page_bytes)
        lost = sum(frame.pages > 0 for frame in log.unread)
        if lost:
            return Found(_of_damaged(before, log, log_file), "it is damaged", lost)
        both = Pages(file, log_file, log.read, log.page_bytes)
        least_pages = next((frame.pages for frame in log.read if frame.pages), before.count)
        heads = {log_file.read(frame.at, HEAD_BYTES) for frame in log.read if frame.page == 1}
        why = why_foreign(before, both, least_pages, heads)
        return Found(Verdict.FOREIGN, why) if why is not None else Found(Verdict.FINE)


def _of_damaged(file: Pages, log: Log, log_file: RawFile) -> Verdict:
    unread = {frame.at for frame in log.unread}
    newest = _newest(log)
    same = {
        page: file.page(page) == log_file.read(frame.at, log.page_bytes)
        for page, frame in newest.items()
    }
    if all(same.values()):
        return Verdict.WRITTEN
    if any(is_same and newest[page].at in unread for page, is_same in same.items()):
        return Verdict.MIXED
    return Verdict.CUT


def _newest(log: Log) -> Mapping[int, Frame]:
    """The last whole frame of each page, of commits that have an end."""
    ends = [number for number, frame in enumerate(log.frames, 1) if frame.pages]
    return {frame.page: frame for frame in log.frames[: max(ends, default=0)] if frame.is_whole}
