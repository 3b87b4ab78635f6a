"""Kills upkeep before and after each call of SQLite, and looks what is in the file then.

A program of its own: it forks, which the process of the tests with its threads should not.
"""

import json
import os
import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from types import FrameType

from agent.store.aggregates import DAY_MS, MINUTE_MS, QUARTER_MS
from agent.store.hours import hours_in, hours_of
from agent.store.sealing import SealBatches
from tests.fakes import FakeClock
from tests.store.upkept import Sealed

OF_SQLITE = (sqlite3.Connection, sqlite3.Cursor)
NAME = "telemetry.db"


class Scene:
    """A store in which there is much to do: batches, old rows and small blocks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._clock = clock = FakeClock()
        self._made = made = Sealed(folder / NAME, clock, plain_days=1)
        [seal] = [step for step in made.upkeep.steps if isinstance(step, SealBatches)]
        for _ in range(3):
            made.poll(2400, every_s=10)
            for number in range(20):
                made.put("host", cpu_total=number / 10, core0_usage=1.5)
                clock.advance(120)
            made.poll(2400, every_s=60)
            seal()  # but rows are not sealed yet, and no blocks merged
        clock.advance(2 * 86_400)
        made.put("host", cpu_total=1.0)
        made.poll(6000, every_s=60)
        seal()
        made.poll(6000, every_s=60)
        made.close()

    def copy(self, number: int) -> Path:
        """Its file and the log of that, for one death."""
        folder = self._folder / str(number)
        folder.mkdir()
        for name in (NAME, f"{NAME}-wal"):
            shutil.copy(self._folder / name, folder / name)
        return folder / NAME

    def keep_up(self, path: Path) -> None:
        """All the upkeep that is due, after a start."""
        heir = Sealed(path, self._clock, plain_days=1)
        heir.store.flush()
        heir.run_upkeep()
        heir.close()

    def faults(self, path: Path) -> list[str]:
        """What is wrong with a file."""
        found = []
        seen = Sealed(path, self._clock)
        seen.sent = self._made.sent
        if not seen.has_all():
            found.append("samples are lost or doubled")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            for (fault,) in connection.execute("PRAGMA integrity_check").fetchall():
                found += [fault] if fault != "ok" else []
            days = connection.execute(
                "SELECT DISTINCT device, first_ms / ?1 * ?1 FROM block "
                "UNION SELECT device, last_ms / ?1 * ?1 FROM block "
                "UNION SELECT device, start_ms FROM aggregate WHERE span_ms = ?2",
                (DAY_MS, QUARTER_MS),
            ).fetchall()
            for device, day_ms in days:
                if hours_in(connection, device, day_ms) != hours_of(connection, device, day_ms):
                    found.append(f"the hours of {day_ms} are wrong")
            (strays,) = connection.execute(
                "SELECT count(*) FROM aggregate WHERE span_ms = ? "
                "AND block NOT IN (SELECT id FROM block)",
                (MINUTE_MS,),
            ).fetchone()
            if strays:
                found.append(f"{strays} blocks are gone whose minutes are there")
        return found

    def forms(self, path: Path) -> list[int]:
        """How many rows, batches and blocks there are."""
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            tables = ("host_row", "batch", "block")
            sql = "SELECT count(*) FROM "
            return [connection.execute(sql + table).fetchone()[0] for table in tables]


def killed_at(step: int, scene: Scene, path: Path) -> bool:
    """Have upkeep done in a process that is killed at a call of SQLite; whether it was."""
    pid = os.fork()
    if pid == 0:
        steps = 0

        def count(_frame: FrameType, event: str, argument: object) -> None:
            nonlocal steps
            if event.startswith("c_") and isinstance(
                getattr(argument, "__self__", None), OF_SQLITE
            ):
                steps += 1
                if steps == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.setprofile(count)
        scene.keep_up(path)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if status not in (0, signal.SIGKILL):
        raise RuntimeError(f"a child ended with {status}")
    return status == signal.SIGKILL


def main() -> None:
    """Kill at each so manieth call until there is none left; each heir goes on to the end."""
    folder, stride = Path(sys.argv[1]), int(sys.argv[2])
    scene = Scene(folder)
    faults: list[str] = []
    forms: list[list[int]] = []  # after each death
    ends: list[list[int]] = []  # and when its heir was through
    kills, step, was_killed = 0, 1, True
    while was_killed:
        path = scene.copy(step)
        was_killed = killed_at(step, scene, path)
        kills += was_killed
        faults += [f"killed at {step}: {fault}" for fault in scene.faults(path)]
        forms.append(scene.forms(path))
        scene.keep_up(path)
        faults += [f"after {step}: {fault}" for fault in scene.faults(path)]
        ends.append(scene.forms(path))
        shutil.rmtree(path.parent)
        step += stride
    if any(end != ends[0] for end in ends):
        faults.append(f"heirs come to different ends: {ends}")
    seen = sorted({tuple(each) for each in forms})
    print(json.dumps({"kills": kills, "faults": faults, "forms": seen, "end": ends[0]}))


if __name__ == "__main__":
    main()
