"""Steps that change from one version to another, and the way back when the new one is not well."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from agent.clock import Clock
from agent.errors import AgentError, StoreError
from agent.service.steps import Said, Say
from agent.service.systemd import Systemd
from agent.service.versions import room_for
from agent.service.watch import Verdict, Wanted, Watch
from agent.store.copy import copy_store

LOG_LINES = 12  # of the journal, when a version is not healthy
SPARE_BYTES = 16 * 2**20  # free space left beside a copy of the store


class Stop:
    """The service stops; to undo it is to start the version that ``current`` leads to again."""

    def __init__(
        self, systemd: Systemd, watch: Watch, wanted: Wanted, *, is_needed: Callable[[], bool]
    ) -> None:
        self._systemd = systemd
        self._watch = watch
        self._wanted = wanted
        self._is_needed = is_needed
        self.sentence = f"stop agent {wanted.version}"
        self.detail = ""
        self.is_action = True

    def is_done(self) -> bool:
        return not self._is_needed()

    def do(self) -> str:
        self._systemd.stop()
        return ""

    def undo(self) -> str:
        self._systemd.start()
        verdict = self._watch.until_healthy(self._wanted)
        if verdict.fault:
            raise AgentError(f"agent {self._wanted.version} was started again, but {verdict.fault}")
        return f"agent {self._wanted.version} runs again and is healthy"


class KeepStore:
    """A copy of the store for the way back, when the new version changes its form."""

    def __init__(self, store: Path, new: int | None, old: int | None, version: str) -> None:
        self._store = store
        self._is_other_form = new is None or old is None or new > old
        self._copy = store.with_name(f"{store.name}.before-{version}")
        self._newer = store.with_name(f"{store.name}.of-{version}")
        self._has_copied = False
        self.sentence = "copy the store, whose form is about to change"
        self.detail = ""
        self.is_action = True

    def is_done(self) -> bool:
        return not self._is_other_form or not self._store.exists()

    def do(self) -> str:
        room_for(
            self._store.parent, self._store.stat().st_size + SPARE_BYTES, "a copy of the store"
        )
        self._copy.unlink(missing_ok=True)  # of an installation that was cut short
        copy_store(self._store, self._copy)
        self._has_copied = True
        return str(self._copy)

    def undo(self) -> str:
        if not self._has_copied:
            return ""
        newer = _free_name(self._newer)
        for end in ("", "-wal", "-journal"):
            with contextlib.suppress(FileNotFoundError):
                self._store.with_name(f"{self._store.name}{end}").rename(f"{newer}{end}")
        self._store.with_name(f"{self._store.name}-shm").unlink(missing_ok=True)
        self._copy.rename(self._store)
        return f"the store is as it was; what the new version stored is kept in {newer}"

    def forget(self) -> None:
        """The new version is well: the copy is not needed any more."""
        if self._has_copied:
            self._copy.unlink(missing_ok=True)


class Start:
    """The service starts, and has to be healthy; what it says of itself then is in ``state``."""

    def __init__(
        self,
        systemd: Systemd,
        watch: Watch,
        wanted: Wanted,
        say: Say,
        clock: Clock,
        *,
        is_needed: Callable[[], bool],
    ) -> None:
        self._systemd = systemd
        self._watch = watch
        self._wanted = wanted
        self._say = say
        self._clock = clock
        self._is_needed = is_needed
        self.verdict: Verdict | None = None
        self.sentence = f"start agent {wanted.version}, and wait until it is healthy"
        self.detail = ""
        self.is_action = False

    def is_done(self) -> bool:
        return not self._is_needed()

    def do(self) -> str:
        limit = f"{self._watch.budget_s:g} s"
        self._say(
            Said(f"until agent {self._wanted.version} is healthy, at most {limit}", "waiting")
        )
        began_ms = self._clock.now_ms()
        self._systemd.start()
        self.verdict = self._watch.until_healthy(self._wanted)
        if not self.verdict.fault:
            return ""
        for line in self._systemd.journal(LOG_LINES, began_ms):
            self._say(Said(line, "log"))
        raise AgentError(f"agent {self._wanted.version} is not healthy: {self.verdict.fault}")

    def undo(self) -> str:
        self._systemd.stop()
        self._systemd.forget_failures()
        return ""


class Enable:
    """The service starts with the machine, or with its user."""

    def __init__(self, systemd: Systemd, *, is_user: bool) -> None:
        self._systemd = systemd
        self.sentence = f"start it whenever the {'user logs in' if is_user else 'machine starts'}"
        self.detail = ""
        self.is_action = False

    def is_done(self) -> bool:
        return self._systemd.seen().enabled == "enabled"

    def do(self) -> str:
        self._systemd.enable()
        return ""

    def undo(self) -> str:
        self._systemd.disable()
        return ""


class ForgetCopy:
    """The last step: the new version is well, and the copy for the way back is not needed."""

    def __init__(self, keep: KeepStore) -> None:
        self._keep = keep
        self.sentence = "remove the copy of the store"
        self.detail = ""
        self.is_action = True

    def is_done(self) -> bool:
        return self._keep.is_done()

    def do(self) -> str:
        self._keep.forget()
        return ""

    def undo(self) -> str:
        return ""


def check_form(new: int | None, old: int | None, store: Path) -> None:
    """Refuse a version that could not read what the one before it stored.

    Raises:
        StoreError: With what to do.
    """
    if new is not None and old is not None and new < old and store.exists():
        raise StoreError(
            f"{store} was written by a newer agent (format {old}, this one knows {new}): install "
            "that version or a newer one"
        )


def _free_name(path: Path) -> Path:
    number, found = 1, path
    while os.path.lexists(found):
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    return found
