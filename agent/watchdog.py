"""Feeds systemd's watchdog while all goes on, and says what hangs when it does not."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.clock import Clock
from agent.console.table import duration_text
from agent.progress import Hang, Progress, Sort, parts_of
from agent.schedule import Schedule
from agent.service.notify import Notify
from agent.service.restarts import Restarts

log = logging.getLogger(__name__)

DEFAULT_S = 60.0  # what the bounds are taken from where there is no watchdog
LOOK_S = 0.5  # how often the parts are looked at
LOOKS = 6  # at least so many within the watchdog's time
FEEDS = 3  # in the watchdog's time
STATUS_S = 2.0  # at most this often the line for "systemctl status" is sent
FEW_S = 10.0  # and this often when only its numbers have changed


class Watchdog:
    """Asked by the main thread, often; that thread depends on no other part.

    A hung scheduler or store costs every sample: systemd is to restart the agent. A hung device
    costs only its own, and a restart would cost those of all others: one is tried, and the next
    only when ``Restarts`` allows it.
    """

    def __init__(
        self,
        progress: Progress,
        notify: Notify,
        restarts: Restarts,
        clock: Clock,
        summary: Callable[[Sequence[str]], str],
    ) -> None:
        self._progress = progress
        self._notify = notify
        self._restarts = restarts
        self._clock = clock
        self._summary = summary
        self.hangs: list[Hang] = []
        self._fatal: set[tuple[Sort, str]] = set()  # what systemd is to restart the agent for
        self._is_ready = False
        self._fed_s: float | None = None
        self._status = ""
        self._status_s: float | None = None

    @property
    def look_s(self) -> float:
        """How often ``look()`` is to be called."""
        return min(LOOK_S, (self._notify.watchdog_s or DEFAULT_S) / LOOKS)

    @property
    def hanging_devices(self) -> list[str]:
        """The devices among what hangs."""
        return [hang.part.name for hang in self.hangs if hang.part.sort is Sort.DEVICE]

    def look(self) -> None:
        """Look at every part, and tell systemd."""
        hangs = self._progress.hangs()
        before = {hang.part.key: hang for hang in self.hangs}
        now = {hang.part.key: hang for hang in hangs}
        self.hangs = hangs
        for key, hang in before.items():
            if key not in now:
                self._go_on(key)
                text = "%s goes on again, it hung for more than %s"
                log.warning(text, hang.part.name, duration_text(hang.for_s), extra=_about(hang))
        self._judge(hangs, [hang for key, hang in now.items() if key not in before])
        self._feed()
        self._tell()

    def ready(self) -> None:
        """The agent has started: systemd may go on; to be called until it was heard."""
        if not self._is_ready:
            self._is_ready = self._notify.ready()

    def stopping(self, within_s: float) -> None:
        """The agent ends, and needs so long for that."""
        self._notify.stopping("stopping: storing what waits", within_s)

    def state(self) -> list[dict[str, Any]]:
        """What hangs, for ``agent status``."""
        return [
            {
                "part": hang.part.sort.value,
                "device": hang.part.name if hang.part.sort is Sort.DEVICE else None,
                "for_s": round(hang.for_s, 1),
                "text": hang.text,
                "restart": hang.part.key in self._fatal,
            }
            for hang in self.hangs
        ]

    def _judge(self, hangs: Sequence[Hang], new: Sequence[Hang]) -> None:
        """Decide what is worth a restart, and log each hang once, and that it is, once."""
        worth = [hang for hang in hangs if self._is_worth_it(hang)]
        others = [hang for hang in worth if hang.part.sort is not Sort.DEVICE]
        if worth != others and not self._restarts.note(self.hanging_devices):
            worth = others
        self._fatal.update(hang.part.key for hang in worth)
        for hang in hangs:
            if hang in new:
                about = self._consequence(hang)
                text = "%s; %s\n%s"
                log.error(text, hang.text, about, hang.stacks(), extra=_about(hang))
            elif hang in worth:
                log.error("%s; %s", hang.text, self._consequence(hang), extra=_about(hang))

    def _go_on(self, key: tuple[Sort, str]) -> None:
        if key in self._fatal:
            self._fatal.remove(key)
            if not self._fatal:  # the watchdog is fed again, before systemd acted
                self._restarts.take_back()

    def _is_worth_it(self, hang: Hang) -> bool:
        if self._notify.watchdog_s is None or hang.part.key in self._fatal:
            return False
        return hang.part.sort is not Sort.DEVICE or self._restarts.wait_s(hang.part.name) == 0

    def _consequence(self, hang: Hang) -> str:
        if hang.part.key in self._fatal:
            return "the watchdog is not fed, so that systemd restarts the agent"
        if self._notify.watchdog_s is None:
            return "restart the agent if it does not go on"
        wait_s = self._restarts.wait_s(hang.part.name)
        if wait_s is None:
            return "the other devices go on; restart the agent if it does not"
        return (
            "a restart did not help or would cost the other devices too much, they go on; "
            f"the next may come in {duration_text(wait_s)}"
        )

    def _feed(self) -> None:
        watchdog_s, now_s = self._notify.watchdog_s, self._clock.monotonic()
        if watchdog_s is None or self._fatal or not self._is_ready:
            return
        # A look early: the next is late when the machine is busy.
        if self._fed_s is None or now_s - self._fed_s >= watchdog_s / FEEDS - self.look_s:
            self._fed_s = now_s if self._notify.alive() else None

    def _tell(self) -> None:
        now_s = self._clock.monotonic()
        passed_s = FEW_S if self._status_s is None else now_s - self._status_s
        if not self._notify.is_heard or passed_s < STATUS_S:
            return
        text = self._summary([f"{hang.part.name} HANGS" for hang in self.hangs])
        if text == self._status or (passed_s < FEW_S and _words(text) == _words(self._status)):
            return
        if self._notify.status(text):
            self._status, self._status_s = text, now_s


def watchdog_of(
    schedule: Schedule,
    timeouts_s: Mapping[str, float],
    clock: Clock,
    notify: Notify,
    restarts: Restarts,
    summary: Callable[[Sequence[str]], str],
) -> Watchdog:
    """The watchdog of a whole agent, once all its jobs are known; with each device's time-out."""
    parts = parts_of(schedule, timeouts_s, notify.watchdog_s or DEFAULT_S)
    return Watchdog(Progress(clock, parts), notify, restarts, clock, summary)


def _words(text: str) -> str:
    return text.rpartition("; ")[0]  # without the numbers of rows


def _about(hang: Hang) -> dict[str, str]:
    return {"device": hang.part.name} if hang.part.sort is Sort.DEVICE else {}
