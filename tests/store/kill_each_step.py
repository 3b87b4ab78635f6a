"""Kills a store at each call that it makes, and looks what its heirs find; a program of its own.

It forks, which the process of the tests with its threads should not. ``SIGKILL`` comes from a
profiler, before and after each call of a function and of the system within ``agent/store``, so
that every place between two effects is met: in the commit, in the cut of the journal, in the
replay. Each second heir is killed as well.
"""

import json
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType

from agent.clock import SystemClock
from agent.errors import StoreError
from agent.model import Metric, Reason, Sample
from agent.store import Store
from tests.proofs.stored import reading, rows_after

INSIDE = f"{os.sep}agent{os.sep}store{os.sep}"
DEVICES = {"press": "s7", "pump": "s7", "host": "host"}  # in rows, batches, and a host's rows
PLAIN = ("press", "host")
TEXT = "x" * 2000


class Scene:
    """A store's file, its journal, and a list of what it was given; new for each death."""

    def __init__(self, folder: Path, waiting_bytes: int, refusals: int) -> None:
        self.path = folder / "telemetry.db"
        self.said = folder / "said"
        self.memory = folder / "memory"
        self._waiting_bytes = waiting_bytes
        self._refusals = refusals

    def store(self) -> Store:
        """As the agent makes it; the file can't be written at first, where that is wanted."""
        refusals = iter(range(self._refusals))

        def guard() -> None:
            if next(refusals, None) is not None:
                raise StoreError("not now")

        store = Store(
            self.path,
            SystemClock(),
            waiting_bytes=self._waiting_bytes,
            guard=guard,
            journal_folders=self.journal_folders(),
        )
        store.open_journal()
        for name, kind in DEVICES.items():
            store.add_device(name, kind, 1.0, plain=name in PLAIN)
        return store

    def journal_folders(self) -> list[Path] | None:
        return [self.memory]

    def live(self, rounds: int, samples: int) -> None:
        """A life with a stop in order."""
        store = self.store()
        self.fill(store, rounds, samples)
        store.close()

    def fill(self, store: Store, rounds: int, samples: int) -> None:
        """Samples and gaps, a flush, and again; each is said before it goes in and after."""
        clock = SystemClock()
        number = 0
        with self.said.open("ab", buffering=0) as said:
            for _ in range(rounds):
                for _ in range(samples):
                    number += 1
                    said.write(b"wants %d\n" % number)
                    device = [*DEVICES][number % len(DEVICES)]
                    store.describe(device, [Metric("n", "bar")])
                    store.append(Sample(device, clock.stamp(), {"n": number, "text": TEXT}))
                    said.write(b"sample %d\n" % number)
                store.open_gap("press", clock.now_ms() - 1000, Reason.TIMEOUT, str(number))
                said.write(b"gap %d\n" % number)
                store.flush()
                store.close_gap("press", clock.now_ms())

    def inherit(self) -> None:
        """The next start, with nothing to poll."""
        store = self.store()
        while not store.flush():
            pass
        store.close()

    def faults(self) -> list[str]:
        """What is lost or doubled."""
        said: dict[str, list[int]] = {"wants": [], "sample": [], "gap": []}
        for line in self.said.read_text("ascii").splitlines() if self.said.exists() else []:
            word, number = line.split()
            said[word].append(int(number))
        with reading(self.path) as connection:
            rows = rows_after(connection, -(2**62)) + rows_after(connection, -(2**62), "host_row")
            stored = Counter(_first_number(row.text) for row in rows)
            in_batches = {device for (device,) in connection.execute("SELECT device FROM batch")}
            gaps = Counter(d for (d,) in connection.execute("SELECT detail FROM gap"))
            dropped = sum(int(d.split()[0]) for d in gaps.elements() if "dropped" in d)
            (units,) = connection.execute(
                "SELECT count(*) FROM metric WHERE name = 'n' AND unit != 'bar'"
            ).fetchone()
        lost = set(said["sample"]) - set(stored)
        faults = [f"sample {n} is there {count} times" for n, count in stored.items() if count > 1]
        if len(in_batches) > 1:
            faults.append("a plain device has a batch")
        faults += [f"sample {n} was never made" for n in set(stored) - set(said["wants"])]
        if not len(lost) <= dropped <= len(lost) + 1:  # the one in hand may have pushed one out
            faults.append(f"{len(lost)} samples are lost, {dropped} said to be: {sorted(lost)[:5]}")
        if not dropped:
            faults += [f"gap {n}: {gaps[str(n)]} times" for n in said["gap"] if gaps[str(n)] != 1]
        if units:
            faults.append("a unit is lost")
        return faults


def _first_number(text: str) -> int:
    """The number of a sample; in a host's row it stands behind two lists."""
    return next(int(value) for value in json.loads(text) if isinstance(value, int))


def killed_at(step: int, act: Callable[[], None], inside: str = INSIDE) -> bool:
    """Do something in a process that is killed at a step; whether it was."""
    pid = os.fork()
    if pid == 0:
        steps = 0

        def count(frame: FrameType, _event: str, _argument: object) -> None:
            nonlocal steps
            if inside in frame.f_code.co_filename:
                steps += 1
                if steps == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.setprofile(count)
        act()
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if status not in (0, signal.SIGKILL):
        raise RuntimeError(f"a child ended with {status}")
    return status == signal.SIGKILL


def sweep(
    folder: Path, stride: int, waiting_bytes: int, refusals: int, shape: tuple[int, int]
) -> None:
    """Kill at each ``stride``-th step until a life is long enough to reach its end."""
    chance = random.Random(stride)
    kills, faults, step = 0, [], 1 + chance.randrange(stride)
    while True:
        place = folder / str(step)
        place.mkdir()
        scene = Scene(place, waiting_bytes, refusals)
        if not killed_at(step, partial(scene.live, *shape)):
            break
        kills += 1
        if chance.random() < 0.5:
            kills += killed_at(1 + chance.randrange(1500), scene.inherit)
        killed_at(-1, scene.inherit)
        faults += [f"killed at step {step}: {fault}" for fault in scene.faults()]
        if any(scene.memory.iterdir()):
            faults.append(f"killed at step {step}: something is left in memory")
        step += stride
    print(json.dumps({"kills": kills, "steps": step, "faults": faults}))


if __name__ == "__main__":
    where, *numbers = sys.argv[1:]
    stride, limit, refusals, rounds, samples = map(int, numbers)
    sweep(Path(where), stride, limit, refusals, (rounds, samples))
