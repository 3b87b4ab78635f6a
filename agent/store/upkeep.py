"""What is done to the store beside polling: little at a time, by one thread, delaying nobody."""

import gc
import logging
import sqlite3
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from agent.clock import Clock
from agent.errors import StoreError
from agent.store.merging import MergeBlocks
from agent.store.repair.checking import CheckStore
from agent.store.repair.look import is_damage
from agent.store.repair.saving import SaveSetAside
from agent.store.replacing import StoppedError, Workplace
from agent.store.rows import HOST_KIND
from agent.store.schema import SAMPLE_TABLES
from agent.store.sealing import SealBatches
from agent.store.sealing_rows import Age, SealRows
from agent.store.store import Store
from agent.store.true_time import TrueTime
from agent.worker import Guarded

log = logging.getLogger(__name__)

HOUR_S, DAY_S = 3600, 86_400
ROUND_S = 1.0  # after so long a call begins no further step
REST = 3  # times as long as a call took is the rest until the next, while there is more to do
SWITCH_S = 0.0002  # how long upkeep may keep the interpreter while another thread is due
# Rows of devices that are not kept as rows: an older agent made them, or another setting.
LEFT_OVER = Age(oldest_s=4200, youngest_s=600)

Step = Callable[[], bool]  # bounded work; whether there may be more of it


@contextmanager
def _behind_others() -> Iterator[None]:
    """Lets other threads have the interpreter at once while this one computes.

    A poll asks for it again after each call that waits for the device, and gets it after a
    ``SWITCH_S`` each time. And Python's search for circles of garbage holds up all threads: for 50
    to 100 ms with what a block of many columns is made of, in which there are no circles.
    """
    switch_s, was_collecting = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(SWITCH_S)
    gc.disable()
    try:
        yield
    finally:
        sys.setswitchinterval(switch_s)
        if was_collecting:
            gc.enable()


class Upkeep:
    """Calls ``steps``, each until it has no more to do; others may add theirs to the list.

    A step that fails is told in the log once, and keeps none of the others from its work.
    ``plain`` says by name which devices are kept as rows; of others, hosts are.
    """

    def __init__(
        self, store: Store, clock: Clock, plain_days: float, plain: Mapping[str, bool]
    ) -> None:
        self._store = store
        self._clock = clock
        self._plain = {name.lower(): is_plain for name, is_plain in plain.items()}
        self._stopping = threading.Event()
        self._guarded = Guarded()
        self._errors: dict[Step, str] = {}
        self._unfinished: list[Step] = []
        self.workplace = Workplace(store.path, store.transact, self._pause)
        self.steps: list[Step] = [TrueTime(self.workplace, store.intervals_s)]
        self.steps.append(SealBatches(self.workplace, clock))
        kept = Age(plain_days * DAY_S + HOUR_S, plain_days * DAY_S)
        for table in SAMPLE_TABLES:
            self.steps += [
                SealRows(self.workplace, table, LEFT_OVER, lambda *of: not self._is_plain(*of)),
                SealRows(self.workplace, table, kept, self._is_plain),
            ]
        self.steps.append(MergeBlocks(self.workplace, clock))
        self.steps.append(SaveSetAside(self.workplace))
        self.steps.append(CheckStore(self.workplace, clock, self._give_up))

    def run(self) -> float | None:
        """Do some of what is to be done; in how many seconds to go on, where there is more.

        Does nothing while the store is in trouble.
        """
        began_s = self._clock.monotonic()
        others = [step for step in self.steps if step not in self._unfinished]
        waiting = deque([*self._unfinished, *others])
        self._unfinished = []
        while waiting and self._can_work():
            if self._clock.monotonic() - began_s >= ROUND_S:
                # What had its turn comes last, so that a long backlog holds up no other step.
                self._unfinished = [*waiting]
                return REST * (self._clock.monotonic() - began_s)
            step = waiting.popleft()
            if self._call(step):
                waiting.append(step)
        return None

    def stop(self) -> None:
        """Have ``run`` return soon; what is in hand is left as it was. Twice is fine."""
        self._stopping.set()

    def _can_work(self) -> bool:
        if self._stopping.is_set() or not self._store.is_open:
            return False
        return self._store.state().error is None

    def _call(self, step: Step) -> bool:
        name = getattr(step, "__name__", type(step).__name__)
        with _behind_others():
            return bool(self._guarded(f"store: {name}", lambda: self._try(step)))

    def _try(self, step: Step) -> bool:
        try:
            has_more = step()
        except StoppedError:
            return False
        except (StoreError, sqlite3.Error) as exc:
            if is_damage(exc) or is_damage(exc.__cause__):
                self._give_up(str(exc.__cause__ or exc))
            text = str(exc)
            if self._errors.get(step) != text:
                log.error("upkeep of %s: %s", self._store.path, text)
            self._errors[step] = text
            return False
        self._errors.pop(step, None)
        return has_more

    def _give_up(self, fault: str) -> None:
        try:
            self._store.give_up(fault)
        except StoreError as exc:
            log.error("%s", exc)

    def _pause(self) -> None:
        if self._stopping.is_set():
            raise StoppedError

    def _is_plain(self, name: str, kind: str) -> bool:
        return self._plain.get(name.lower(), kind == HOST_KIND)
