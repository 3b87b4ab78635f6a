"""Which device's hang cost a restart, and when: kept in memory over restarts of the service."""

import json
import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import attrs

from agent.clock import Clock

log = logging.getLogger(__name__)

FILE_NAME = "restarts.json"
SIZE_LIMIT = 1024 * 1024
FIRST_WAIT_S = 3600.0  # after a restart that did not cure a device; doubled after each more
LONGEST_WAIT_S = 86_400.0
APART_S = 900.0  # between restarts for different devices: each costs all others some samples


@attrs.frozen
class Restart:
    """The newest restart that a device caused, and how many there were in a row."""

    at_s: float
    count: int

    @property
    def wait_s(self) -> float:
        """How long after it the device may cause the next."""
        return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(self.count - 1, 10))


class Restarts:
    """Decides whether a hung device is worth a restart of the agent.

    Times are monotonic and count within one boot of the machine. Without a folder that outlives
    the process, or where it can't be written, no device is worth one: it could be endless.
    """

    def __init__(self, folder: Path | None, clock: Clock) -> None:
        self._path = folder / FILE_NAME if folder else None
        self._clock = clock
        self._known: dict[str, Restart] | None = None
        self._before: dict[str, Restart] | None = None  # what was known before it was noted
        self._has_failed = False

    def wait_s(self, device: str) -> float | None:
        """Seconds until a device may cause a restart; 0: now; ``None``: never."""
        if self._path is None or self._has_failed:
            return None
        now_s = self._clock.monotonic()
        known = self._read()
        ends_s = [restart.at_s + APART_S for restart in known.values()]
        if device in known:
            ends_s.append(known[device].at_s + known[device].wait_s)
        return max(0.0, max(ends_s, default=now_s) - now_s)

    def note(self, devices: Collection[str]) -> bool:
        """Remember that these devices hang and cause a restart; whether that worked."""
        now_s = self._clock.monotonic()
        known = self._read()
        if self._before is None:
            self._before = dict(known)
        for device in devices:
            before = known.get(device)
            # Well for as long again as it had to wait: a new story.
            is_old = before is None or now_s - before.at_s > 2 * before.wait_s
            known[device] = Restart(now_s, 1 if is_old or before is None else before.count + 1)
        return self._write(known)

    def take_back(self) -> None:
        """The restart that was noted did not come: no device is charged with it."""
        if self._before is not None:
            self._known, self._before = self._before, None
            self._write(self._known)

    def _read(self) -> dict[str, Restart]:
        if self._known is None:
            self._known = self._read_file()
        return self._known

    def _read_file(self) -> dict[str, Restart]:
        assert self._path is not None
        try:
            with self._path.open("rb") as stream:
                found = json.loads(stream.read(SIZE_LIMIT))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as exc:
            log.warning("%s is not used: %s", self._path, exc)
            return {}
        if not isinstance(found, dict) or found.get("boot_id") != self._clock.boot_id:
            return {}
        devices = found.get("devices")
        entries = devices.items() if isinstance(devices, dict) else ()
        now_s = self._clock.monotonic()
        return {name: entry for name, raw in entries if (entry := _restart(raw, now_s))}

    def _write(self, known: Mapping[str, Restart]) -> bool:
        assert self._path is not None
        devices = {name: attrs.asdict(restart) for name, restart in known.items()}
        text = json.dumps({"boot_id": self._clock.boot_id, "devices": devices})
        # In memory nothing needs to be synced; the rename keeps readers from half a file.
        beside = self._path.with_suffix(".new")
        try:
            beside.write_text(text, "utf-8")
            beside.replace(self._path)
        except OSError as exc:
            log.warning(
                "cannot write %s, so no hung device makes systemd restart the agent: %s",
                self._path, exc.strerror,
            )  # fmt: skip
            self._has_failed = True
            return False
        return True


def _restart(raw: Any, now_s: float) -> Restart | None:
    """An entry of the file, if it makes sense."""
    if not isinstance(raw, dict):
        return None
    at_s, count = raw.get("at_s"), raw.get("count")
    if isinstance(at_s, bool) or not isinstance(at_s, int | float) or not 0 <= at_s <= now_s:
        return None
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        return None
    return Restart(float(at_s), count)


def folder_of(environ: Mapping[str, str]) -> Path | None:
    """The folder that systemd made for the service and keeps over its restarts."""
    name = environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    return Path(name) if name else None
