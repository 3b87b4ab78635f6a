"""The store's file: sound, growing slowly enough, and written by the agent alone."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agent.config.schema import StoreSection
from agent.console.store_info import limits_of
from agent.console.store_next import next_step
from agent.console.table import duration_text, size_text
from agent.doctor.case import Case
from agent.doctor.disk import existing
from agent.doctor.finding import Finding, note, ok, problem, warning
from agent.errors import StoreError
from agent.service.own import STORE_PARTS
from agent.store import sqlite_version
from agent.store.check import quick_check, time_span
from agent.store.outlook import ROOM, Outlook, outlook_of
from agent.store.room import Room
from agent.store.usage import usage_of

CHECK_S: Final = 8.0  # a store of some GB on a card takes longer, and is not read to its end
DAY_MS: Final = 86_400_000
SOON_DAYS: Final = 60
GROWTH_S: Final = 4.0
LARGE_LOG: Final = 256_000_000  # bytes; the log is emptied every few MB unless a reader holds it
FUTURE_MS: Final = 60_000
WAL_RESET_FIXED: Final = (3, 51, 3)


def check_store(case: Case) -> Iterator[Finding]:
    """What of the store can be seen in some seconds, the agent running or not."""
    store = case.store
    if store is None:
        return
    if case.running is not None:
        yield from _as_running(case)
    try:
        store.stat()
    except FileNotFoundError:
        yield note(f"{store}: there is no store yet, the agent makes it")
        return
    size = sum(_size(store.with_name(store.name + end)) for end in STORE_PARTS)
    try:
        yield from _soundness(store, size)
        yield from _growth(case, store)
    except StoreError as exc:
        yield problem(str(exc), next_step(str(exc)))
    log = _size(store.with_name(f"{store.name}-wal"))
    if log > LARGE_LOG:
        text = f"{store}-wal has {size_text(log)}: another program keeps it from being emptied"
        yield warning(text, "close programs that read the store, such as a sqlite3 shell")
    yield from _other_writers(case, store)


def _as_running(case: Case) -> Iterator[Finding]:
    said = case.running.get("store") if case.running is not None else None
    if isinstance(said, dict) and said.get("error"):
        count, lost = said.get("waiting"), said.get("dropped")
        samples = "1 sample waits" if count == 1 else f"{count} samples wait"
        waiting = f"{samples} in memory, {lost} {'is' if lost == 1 else 'are'} lost"
        yield problem(
            f"the running agent can't store: {said['error']}; {waiting}",
            "the lines on permissions and disk tell why; the agent tries again by itself",
        )


def _soundness(store: Path, size: int) -> Iterator[Finding]:
    faults = quick_check(store, CHECK_S)
    if faults is None:
        yield note(
            f"{store}: {size_text(size)}, too large to be checked whole in {CHECK_S:g} s",
            f"sqlite3 -readonly {store} 'PRAGMA quick_check'",
        )
    elif faults:
        more = f" and {len(faults) - 1} more" if faults[1:] else ""
        yield problem(
            f"{store} is damaged: {faults[0]}{more}",
            "stop the agent, and save what can be read with: agent store repair",
        )
    else:
        yield ok(f"{store}: {size_text(size)}, sound")


def _growth(case: Case, store: Path) -> Iterator[Finding]:
    span = time_span(store, CHECK_S)
    if span is None:
        return
    first_ms, last_ms = span
    now_ms = case.machine.clock.now_ms()
    if last_ms > now_ms + FUTURE_MS:
        ahead = duration_text((last_ms - now_ms) / 1000)
        text = f"the newest sample is {ahead} ahead of the clock: was that wrong, or is it now?"
        yield warning(text, "timedatectl shows how the clock is")
    if last_ms - first_ms < DAY_MS:
        return
    outlook = _outlook(case, store)
    if outlook.a_day is None:
        return
    text = f"the store grows by {size_text(outlook.a_day)} a day"
    fix = "make room, or let retention_days or max_size_mb in [store] be less"
    if outlook.days_left is None:
        size = "" if outlook.at_retention is None else f", up to {size_text(outlook.at_retention)}"
        yield ok(f"{text}{size}, and there is room for that")
        return
    text = f"{text}: {outlook.limit} in [store] is reached in {outlook.days_left:,.0f} days"
    if outlook.limit == ROOM and outlook.days_left <= SOON_DAYS:
        yield warning(f"{text}, then the oldest samples are deleted", fix)
    else:
        yield ok(text)


def _outlook(case: Case, store: Path) -> Outlook:
    section = StoreSection() if case.config is None else case.config.store
    space = case.machine.space(existing(store.parent))
    room = Room(space.total, space.usable, space.free)
    return outlook_of(usage_of(store, GROWTH_S), room, limits_of(section))


def _other_writers(case: Case, store: Path) -> Iterator[Finding]:
    """SQLite before 3.51.3 can damage a file that two processes write: no other may."""
    if case.running is None and case.is_locked:
        return  # which of them is the agent can't be told
    agent = case.running.get("pid") if case.running is not None else None
    for pid, name in _writers(case, store):
        if pid in (agent, os.getpid()):
            continue
        text = f"{name} (process {pid}) has the store open for writing beside the agent"
        version = tuple(int(part) for part in sqlite_version().split(".")[:3] if part.isdecimal())
        if version < WAL_RESET_FIXED:
            text += f"; with SQLite {sqlite_version()} two writers can damage it"
        yield warning(text, "open it with: sqlite3 -readonly")


def _writers(case: Case, store: Path) -> Iterator[tuple[int, str]]:
    """Processes that have a file open for writing, of those that we may look at."""
    here = os.path.realpath(store)
    proc = case.machine.at("/proc")
    for process in proc.glob("[0-9]*"):
        try:
            for each in (process / "fd").iterdir():
                if str(each.readlink()) == here and _is_written(process, each.name):
                    yield int(process.name), (process / "comm").read_text("utf-8").strip()
                    break
        except (OSError, ValueError):  # it ended, or belongs to another user
            continue


def _is_written(process: Path, descriptor: str) -> bool:
    text = (process / "fdinfo" / descriptor).read_text("ascii")
    flags = [line.split()[1] for line in text.splitlines() if line.startswith("flags:")]
    return any(int(each, 8) & (os.O_WRONLY | os.O_RDWR) for each in flags)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
