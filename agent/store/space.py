"""The step of upkeep that keeps the store small enough: the oldest samples of all devices go."""

import logging
import sqlite3
from collections.abc import Sequence
from contextlib import closing

import attrs

from agent.clock import Clock
from agent.errors import StoreError
from agent.store.by_age import ByAge
from agent.store.deleted import Deletions
from agent.store.ends import bytes_since, kept_ms, oldest_ms
from agent.store.holes import Holes, NoHolesError
from agent.store.needs import ALL_GONE, Disk, Need, Size, margin
from agent.store.query import open_to_read
from agent.store.replacing import Workplace
from agent.store.reserve import Reserve
from agent.store.room import Held, Room, held_by, room_of
from agent.store.writer import Writer

log = logging.getLogger(__name__)

LOOK_S = 50.0  # between two looks, while nothing is to be done; upkeep comes every minute
SLICE_MS = 3_600_000  # what lies in so long a time goes together, of all devices
SLICES_AT_ONCE = 8
KNOWN_S = 3600.0  # for so long it is taken as known how much the newest day is
SAY_S = 86_400.0  # what did not change is said again after so long
TELL_S = 3600.0  # what was deleted is told at most so often


class KeepSmall:
    """Looks every minute; deletes in small steps, and never from the newest day.

    ``max_size_mb`` is what the store may take up in MiB, its log included.
    """

    def __init__(
        self, workplace: Workplace, clock: Clock, max_size_mb: int | None, max_disk_percent: float
    ) -> None:
        self._workplace = workplace
        self._clock = clock
        self._size = None if max_size_mb is None else Size(max_size_mb)
        self._disk = Disk(max_disk_percent)
        self._next_s = 0.0
        self._told = _Told(clock)
        self._newest_day: tuple[float, int] | None = None
        self._round: _Round | None = None
        self._holes = Holes(workplace.path, workplace.transact)
        self._reserve = Reserve(workplace.path, max_size_mb)
        self._stuck = 0  # free bytes that no hole can be made of

    @property
    def texts(self) -> Sequence[str]:
        """What there is to say to the user now."""
        return [text for text in [*self._told.texts.values()] if text]

    def __call__(self) -> bool:
        """Do a little of what is to be done; whether there may be more.

        Raises:
            StoreError: The file can't be read or written now.
        """
        now_s = self._clock.monotonic()
        if now_s < self._next_s:
            return False
        self._next_s = now_s + LOOK_S
        has_more = self._work()
        if has_more:
            self._next_s = now_s
        return has_more

    def _work(self) -> bool:
        held = self._held()
        if held is None:
            return False
        if self._round is not None and held.reusable < self._round.goal and self._delete():
            return True
        self._end_round()
        needs = self._needs(held)
        if not any(need.give_back for _, need in needs):
            self._holes.forget()
        for name, need in needs:
            if need.spares_log:
                self._holes.write_back()
            if need.delete:
                goal = held.reusable + need.delete
                self._round = _Round(need.why, goal, spares_log=need.spares_log)
                if self._delete():
                    self._told.say(name, need)
                    return True
                self._end_round()
                self._told.say(name, attrs.evolve(need, state=ALL_GONE))
            else:
                self._told.say(name, need)
            if need.give_back and self._disk.takes_back and self._give_back(name, need, held):
                return True
        return False

    def _held(self) -> Held | None:
        try:
            found = self._workplace.transact(self._look)
        except OSError as exc:
            raise StoreError(f"cannot read {self._workplace.path}: {exc.strerror}") from exc
        if found is None:
            return None
        self._stuck = min(self._stuck, found.reusable)
        return attrs.evolve(found, stuck=self._stuck)

    def _look(self, writer: Writer) -> Held:
        self._reserve.keep(writer)
        return held_by(writer.connection, self._workplace.path, self._reserve.ahead)

    def _needs(self, held: Held) -> Sequence[tuple[str, Need]]:
        disk = self._disk.need(self._clock.monotonic(), self._room(), held, self._kept_bytes)
        if self._size is None:
            return [("disk", disk)]
        return [("size", self._size.need(held)), ("disk", disk)]

    def _room(self) -> Room:
        folder = self._workplace.path.parent
        try:
            return room_of(folder)
        except OSError as exc:
            raise StoreError(f"cannot read {folder}: {exc.strerror}") from exc

    def _kept_bytes(self) -> int:
        """How much the newest day is, more or less."""
        now_s = self._clock.monotonic()
        if self._newest_day is None or now_s - self._newest_day[0] > KNOWN_S:
            with closing(open_to_read(self._workplace.path)) as connection:
                since_ms = kept_ms(connection, self._clock.now_ms())
                size = 0 if since_ms is None else bytes_since(connection, since_ms)
            self._newest_day = now_s, size
        return self._newest_day[1]

    def _delete(self) -> bool:
        """Delete a little; whether anything may be left to delete."""
        assert self._round is not None
        now_ms = self._clock.now_ms()
        step = self._round.step
        if self._round.spares_log:  # each step writes some of it
            self._holes.write_back()
        return bool(self._workplace.transact(lambda writer: step(writer, now_ms)))

    def _end_round(self) -> None:
        if self._round is not None:
            self._told.add(self._round.deletions)
            self._round = None
        self._told.tell()

    def _give_back(self, name: str, need: Need, held: Held) -> bool:
        """Have the file take up less; whether that did something."""
        path = self._workplace.path
        try:
            gave = self._holes.give_back(need.give_back, margin(held) // 2)
        except NoHolesError as exc:
            text = "%s: room of what is deleted is used again, but stays with the file: %s"
            log.warning(text, path, exc)
            self._disk.takes_back = False
            return False
        except (OSError, sqlite3.Error) as exc:
            raise StoreError(f"cannot make {path} smaller: {exc}") from exc
        if gave == 0:
            self._stuck = held.reusable + held.stuck
        if name == "disk" and gave:
            self._disk.gave_way(self._clock.monotonic(), held)
        return bool(gave)


class _Round:
    """Deletes slice by slice until so many bytes are free."""

    def __init__(self, why: str, goal: int, *, spares_log: bool) -> None:
        self.goal = goal
        self.spares_log = spares_log
        self.deletions = Deletions(why)
        self._deletion: ByAge | None = None
        self._before_ms: int | None = None

    def step(self, writer: Writer, now_ms: int) -> bool:
        """Delete a little, inside a transaction; whether anything may be left to delete."""
        for _ in range(SLICES_AT_ONCE):
            if not self._slice(writer, now_ms):
                return False
            if self._deletion is not None:
                break
        return True

    def _slice(self, writer: Writer, now_ms: int) -> bool:
        if self._deletion is None:
            end_ms, first_ms = kept_ms(writer.connection, now_ms), oldest_ms(writer.connection)
            if end_ms is None or first_ms is None:
                return False
            begin_ms = first_ms if self._before_ms is None else max(first_ms, self._before_ms)
            if begin_ms >= end_ms:
                return False
            self._before_ms = min(begin_ms + SLICE_MS, end_ms)
            self._deletion = ByAge(self._before_ms, self.deletions)
        if not self._deletion.step(writer.connection, writer.lag_ms):
            self._deletion = None
        return True


class _Told:
    """Says in the log what changed, and what was deleted; not the same every minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._states: dict[str, str] = {}
        self._said: dict[str, float] = {}
        self._deletions: list[Deletions] = []
        self._told_s: float | None = None
        self.texts: dict[str, str] = {}

    def say(self, name: str, need: Need) -> None:
        """What is with one of the limits."""
        self.texts[name] = need.text
        before, self._states[name] = self._states.get(name, ""), need.state
        now_s = self._clock.monotonic()
        said_s = self._said.get(name + need.state)
        if need.state == before or (said_s is not None and now_s - said_s < SAY_S):
            return
        self._said[name + need.state] = now_s
        if need.state:
            log.warning("%s", need.text)
        else:
            log.info("%s", {"size": "the store is below max_size_mb again",
                            "disk": "the disk is below max_disk_percent again"}[name])  # fmt: skip

    def add(self, deletions: Deletions) -> None:
        """These went."""
        if deletions.samples:
            self._deletions.append(deletions)

    def tell(self) -> None:
        """What went since the last time."""
        now_s = self._clock.monotonic()
        if not self._deletions or (self._told_s is not None and now_s - self._told_s < TELL_S):
            return
        self._told_s = now_s
        by_why: dict[str, Deletions] = {}
        for each in self._deletions:
            by_why.setdefault(each.why, Deletions(each.why)).join(each)
        self._deletions.clear()
        for why, all_of_it in by_why.items():
            log.warning("deleted, because %s: %s", why, all_of_it.text())
