"""The step of upkeep that moves what was set aside into the store, one file after the other."""

import logging

from agent.errors import StoreError
from agent.store.moment import time_text
from agent.store.repair.salvage import Salvage
from agent.store.repair.waiting import lacking_bytes, to_save
from agent.store.replacing import StoppedError, Workplace

log = logging.getLogger(__name__)


class SaveSetAside:
    """Does a little with each call; a file that can't be saved now is left to the next start."""

    def __init__(self, workplace: Workplace) -> None:
        self._workplace = workplace
        self._salvage: Salvage | None = None
        self._left: set[str] = set()  # names of files that are not tried again

    def __call__(self) -> bool:
        """Whether there is more to do.

        Raises:
            StoreError: The store can't be read or written now.
        """
        self._salvage = self._salvage or self._next()
        if self._salvage is None:
            return False
        try:
            if self._salvage.step():
                return True
        except OSError as exc:
            name = exc.filename or self._salvage.source  # it may be its log
            self._leave(f"cannot read {name}: {exc.strerror}")
        except (StoreError, StoppedError):
            self._salvage.close()
            self._salvage = None
            raise
        except Exception:
            log.exception("saving what is in %s failed, please report this", self._salvage.source)
            self._leave("")
        else:
            say(self._salvage)
        self._salvage = None
        return True

    def _leave(self, why: str) -> None:
        assert self._salvage is not None
        self._left.add(self._salvage.source.name)
        self._salvage.close()
        if why:
            log.error("%s; stop the agent and try: sudo agent store repair", why)

    def _next(self) -> Salvage | None:
        try:
            found = to_save(self._workplace.path)
        except OSError as exc:
            log.debug("looking for files that were set aside: %s", exc)
            return None
        for source in found:
            if source.name in self._left:
                continue
            lacking = lacking_bytes(self._workplace.path, source)
            if not lacking:
                return Salvage(source, self._workplace)
            self._left.add(source.name)
            log.error(
                "%s is not moved into the store: the disk lacks %.0f MB for it; make room, and "
                "stop the agent and try: agent store repair", source, lacking / 1e6,
            )  # fmt: skip
        return None


def say(salvage: Salvage) -> None:
    """What became of a file."""
    report = salvage.report
    log.info("%d samples of %s are in the store now", report.saved, salvage.source)
    for loss in report.losses:
        log.error(
            "%s: %s from %s to %s are lost with %s",
            loss.device, loss.text, time_text(loss.first_ms), time_text(loss.last_ms),
            salvage.source.name,
        )  # fmt: skip
