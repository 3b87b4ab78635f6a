"""Kills upkeep at each step in which it gives samples their true time; a program of its own.

The first life ends where it is killed, as ``kill_each_step`` does it; the next one goes on with
what it finds, and every second one of these is killed as well.
"""

import json
import os
import random
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from agent.model import Reason
from agent.store.store import Store
from agent.store.true_time import TrueTime
from agent.store.upkeep import Upkeep
from tests.fakes import FakeClock
from tests.store.kill_each_step import INSIDE, killed_at
from tests.store.set_later import START_MS, Board

STEPS = f"{INSIDE}true_time{os.sep}"  # what they call is left out but for what it leaves behind
SAID_MS = {"forward": START_MS + 140_000, "from 1970": 20_000, "back": START_MS + 900_000}


def told(folder: Path, said_ms: int) -> Board:
    """Rows, batches and a block of a boot whose clock was set late."""
    board = Board(folder / "telemetry.db")
    board.run_for(5)
    board.seal()
    board.boot("boot 2", said_ms, off_s=120)
    board.run_for(5)
    board.seal()
    board.store.open_gap("press", board.clock.now_ms(), Reason.TIMEOUT)
    board.run_for(5, 1.0, "host")
    for _ in range(4):
        board.run_for(2)
    board.put("press")
    board.put("host")
    board.wait(1)
    board.learn()
    board.run_for(5)
    return board


def mend(path: Path, now_ms: int) -> None:
    """A run that begins when the clock is right, and does what the one before did not."""
    clock = FakeClock(now_ms)
    clock.reboot("boot 3", now_ms)
    store = Store(path, clock)
    for name, kind in (("host", "host"), ("press", "s7")):
        store.add_device(name, kind, 1.0)
    while not store.flush():
        pass
    step = TrueTime(Upkeep(store, clock, 8, {}).workplace, store.intervals_s)
    while step():
        pass
    store.close()


def faults(board: Board) -> list[str]:
    """What is not as it should be."""
    found = []
    if not board.is_true():
        found.append("samples are lost, doubled, out of order or at wrong times")
    if board.seconds()[:2] != [(4, 125, "agent down"), (130, 135, "timeout")]:
        found.append(f"gaps {board.seconds()}")
    if [each.count for each in board.moved()] != [14]:
        found.append(f"moved {board.moved()}")
    return found


def sweep(folder: Path, stride: int, said_ms: int) -> None:
    """Kill at each ``stride``-th step until a life is long enough to reach its end."""
    board = told(folder, said_ms)
    board.store.close()
    board.close()
    whole = folder / "whole"
    shutil.copytree(folder, whole, ignore=lambda *_: ["whole"])
    chance = random.Random(stride)
    act: Callable[[], None] = partial(mend, board.path, board.true_ms)
    kills, failures, step = 0, [], 1 + chance.randrange(stride)
    while True:
        for each in whole.iterdir():
            shutil.copy(each, folder / each.name)
        if not killed_at(step, act, STEPS):
            break
        kills += 1
        if chance.random() < 0.5:
            kills += killed_at(1 + chance.randrange(2000), act, STEPS)
        killed_at(-1, act, STEPS)
        failures += [f"killed at step {step}: {fault}" for fault in faults(board)]
        step += stride
    print(json.dumps({"kills": kills, "steps": step, "faults": failures}))


if __name__ == "__main__":
    where, number, start = sys.argv[1:]
    sweep(Path(where), int(number), SAID_MS[start])
