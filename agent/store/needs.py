"""What is to be done so that the store and its file system stay within their limits."""

from collections.abc import Callable
from datetime import timedelta

import attrs

from agent.store.log_file import LOG_BYTES
from agent.store.room import Held, Room

LEAST_MARGIN, MOST_MARGIN = 512 << 10, 64 << 20  # bytes that are freed beyond what is needed
# A file system that is full for a moment costs no samples. There is a look each minute, but one may
# come some ms early: with 60 s here, every other time nothing would go before a third one.
PATIENCE_S = 50.0
CALM_PERCENT = 2.0  # so far below the limit it is no longer full
SPARE_BYTES, SPARE_PERCENT = 64 << 20, 2.0  # with less of both it is as good as full
MIB = 1 << 20
DELETED = "the oldest samples are deleted"
ALL_GONE = "only the newest day is left, which is kept"
# For so long after it gave way to others the store gives no more than it has grown since.
FORBEARANCE_S = timedelta(days=7).total_seconds()


@attrs.frozen
class Need:
    """A limit is met when there are ``facts``; ``state`` is what the log says once."""

    delete: int = 0  # bytes of the file that are to become free
    give_back: int = 0  # bytes that the file system is to have back
    spares_log: bool = False  # the log is not to grow, as there is no room for that
    why: str = ""  # samples go, as their gaps tell it
    facts: str = ""  # with the numbers of now
    state: str = ""

    @property
    def text(self) -> str:
        """For the user; empty while all is well."""
        return f"{self.facts}: {self.state}" if self.facts else ""


def margin(held: Held) -> int:
    """How much more is freed than is needed, so that not every minute has something to do."""
    return min(max(held.in_use // 32, LEAST_MARGIN), MOST_MARGIN)


class Size:
    """The limit of the store's own size."""

    def __init__(self, max_mib: int) -> None:
        self._max_mib = max_mib
        self._max_bytes = max_mib << 20
        self._is_reached = False

    def need(self, held: Held) -> Need:
        """What is to be done."""
        few = margin(held)
        # What a reader makes the log longer is not made up for: deleting does not shorten it.
        too_long = max(0, held.log - 2 * LOG_BYTES)
        over = held.in_use - too_long + few - self._max_bytes
        back = held.taken - too_long - self._max_bytes
        need = Need(give_back=back + few // 2 if back > 0 else 0)
        self._is_reached = over > 0 or (self._is_reached and over + 4 * few > 0)
        if not self._is_reached:
            return need
        return attrs.evolve(
            need,
            delete=over + few if over > 0 else 0,
            why=f"the store had reached max_size_mb = {self._max_mib}",
            facts=f"the store takes {held.taken / MIB:,.1f} MiB, max_size_mb is {self._max_mib}",
            state=DELETED,
        )


class Disk:
    """The limit of its file system: for how long that is full, and what the store gave already."""

    def __init__(self, max_percent: float) -> None:
        self._max_percent = max_percent
        self._since_s: float | None = None
        self._state = ""
        self._gave: tuple[float, int] | None = None  # when it gave way, and what it held then
        self.takes_back = True  # whether the file system takes room back

    def gave_way(self, now_s: float, held: Held) -> None:
        """The store has become smaller for the sake of others."""
        self._gave = now_s, held.in_use

    def need(self, now_s: float, room: Room, held: Held, newest_day: Callable[[], int]) -> Need:
        """What is to be done; ``newest_day`` tells how many bytes must stay."""
        over = room.over(self._max_percent)
        if room.used_percent < self._max_percent - CALM_PERCENT:
            self._since_s = None
        elif self._since_s is None and over > 0:
            self._since_s = now_s
            self._state = "if it stays so for a minute, the oldest samples are deleted"
        need = Need()
        if self._since_s is None:
            return need
        if over > 0 and now_s - self._since_s >= PATIENCE_S:
            need = self._full(now_s, over, room, held, newest_day)
        facts = (
            f"the disk is {room.used_percent:.1f} % full, max_disk_percent is {self._max_percent:g}"
        )
        return attrs.evolve(need, facts=facts, state=self._state)

    def _full(
        self, now_s: float, over: int, room: Room, held: Held, newest_day: Callable[[], int]
    ) -> Need:
        few = margin(held)
        may = self._may_give(now_s, held, newest_day)
        is_as_good_as_full = room.free < min(SPARE_BYTES, room.usable * SPARE_PERCENT / 100)
        why = f"the disk was more than {self._max_percent:g} % full"
        if over <= may:
            self._state = DELETED
            delete = max(0, min(over + few, may) - held.reusable)
            return Need(delete, over + few // 2, spares_log=is_as_good_as_full, why=why)
        whose = "not the store, but something else fills it"
        if not self.takes_back:
            whose = "this kind of file system takes no room back from inside of a file"
        if not is_as_good_as_full:
            self._state = f"{whose}; nothing is deleted until it is as good as full"
            return Need()
        self._state = f"{whose}; the oldest samples make room for the newest"
        return Need(delete=max(0, few - held.reusable), spares_log=True, why=why)

    def _may_give(self, now_s: float, held: Held, newest_day: Callable[[], int]) -> int:
        """How many bytes the store can spare without its history going for somebody's log."""
        if not self.takes_back:
            return 0
        kept = newest_day()
        if self._gave is not None and now_s - self._gave[0] < FORBEARANCE_S:
            kept = max(kept, self._gave[1])
        return held.reusable + max(0, held.in_use - kept)
