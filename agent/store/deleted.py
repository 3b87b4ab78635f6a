"""What was deleted on purpose: added up by device, and kept as one gap of each that grows."""

import sqlite3

import attrs

from agent.model import Reason
from agent.store.moment import time_text

SAID = "{samples} samples deleted, the last of them because {why}"


@attrs.define
class Deleted:
    """What went of one device."""

    first_ms: int
    last_ms: int
    samples: int


class Deletions:
    """By the numbers of devices; ``why`` is what the gaps say."""

    def __init__(self, why: str) -> None:
        self.why = why
        self.by_device: dict[int, Deleted] = {}
        self._names: dict[int, str] = {}
        self._unwritten: dict[int, Deleted] = {}

    @property
    def samples(self) -> int:
        """How many went of all devices."""
        return sum(each.samples for each in self.by_device.values())

    def add(self, device: int, first_ms: int, last_ms: int, samples: int) -> None:
        """Some went, in the open transaction."""
        for found in (self.by_device, self._unwritten):
            known = found.setdefault(device, Deleted(first_ms, last_ms, 0))
            known.first_ms = min(known.first_ms, first_ms)
            known.last_ms = max(known.last_ms, last_ms)
            known.samples += samples

    def write(self, connection: sqlite3.Connection) -> None:
        """Make the gaps longer, in the open transaction.

        The gaps that lie in them go: of that time there is nothing to tell any more.
        """
        for device, deleted in self._unwritten.items():
            _note(connection, device, deleted, self.why)
        if not self._unwritten.keys() <= self._names.keys():
            self._names = dict(connection.execute("SELECT id, name FROM device"))
        self._unwritten.clear()

    def join(self, other: "Deletions") -> None:
        """Count in what others were told."""
        for device, each in other.by_device.items():
            self.add(device, each.first_ms, each.last_ms, each.samples)
        self._names |= other._names
        self._unwritten.clear()

    def text(self) -> str:
        """What went, for the log."""
        return ", ".join(
            f"{each.samples} of {self._names.get(device, f'device {device}')} from "
            f"{time_text(each.first_ms)} to {time_text(each.last_ms)}"
            for device, each in sorted(self.by_device.items())
        )


def _note(connection: sqlite3.Connection, device: int, deleted: Deleted, why: str) -> None:
    sql = (
        "SELECT id, start_ms, coalesce(end_ms, start_ms), CAST(detail AS INTEGER) FROM gap "
        "WHERE device = ? AND reason = ? LIMIT 1"
    )
    row = connection.execute(sql, (device, Reason.RETENTION)).fetchone()
    id_, start_ms, end_ms, samples = row or (None, deleted.first_ms, deleted.last_ms, 0)
    start_ms, end_ms = min(start_ms, deleted.first_ms), max(end_ms, deleted.last_ms)
    samples += deleted.samples
    connection.execute(
        "INSERT OR REPLACE INTO gap(id, device, start_ms, end_ms, reason, detail) "
        "VALUES(?, ?, ?, ?, ?, ?)",
        (id_, device, start_ms, end_ms, Reason.RETENTION, SAID.format(samples=samples, why=why)),
    )
    connection.execute(
        "DELETE FROM gap WHERE device = ? AND start_ms >= ? AND end_ms <= ? AND reason != ?",
        (device, start_ms, end_ms, Reason.RETENTION),
    )
