"""Fails a store's syncs, some in a row from each on, and looks what is in its file.

A program of its own, as the library that fails them has to be loaded before any other.
"""

import ctypes
import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from agent.store import Store
from tests.store.kill_each_step import Scene

PLENTY = 1_000_000  # bytes that may wait
LITTLE = 60_000
IN_A_ROW = (1, 2, 3, 5, 8)
NEVER = 1_000_000  # refusals: the file is not opened at all
ROUNDS, SAMPLES = 3, 3
MANY_SAMPLES = 20  # more than half of what may wait


class Bare(Scene):
    """Without a journal."""

    def journal_folders(self) -> list[Path] | None:
        return None


def until_stored(store: Store) -> None:
    """As the agent does that goes on for long enough."""
    while not store.flush():
        pass


def go_on(scene: Scene) -> None:
    """Samples, and more tries until all are stored."""
    store = scene.store()
    scene.fill(store, ROUNDS, SAMPLES)
    until_stored(store)
    store.close()


def overflow(scene: Scene) -> None:
    """More comes than may wait, also while it is in doubt what the file has."""
    few = Scene(scene.path.parent, LITTLE, 0)
    store = few.store()
    few.fill(store, ROUNDS, MANY_SAMPLES)
    until_stored(store)
    store.close()


def stop(scene: Scene) -> None:
    """A stop while it may still fail; what then waits is for the heir."""
    scene.live(ROUNDS, SAMPLES)


def inherit(scene: Scene) -> None:
    """What another run left goes into the file, while that fails."""
    Scene(scene.path.parent, PLENTY, NEVER).live(ROUNDS, SAMPLES)
    scene.inherit()


ACTS: dict[str, tuple[type[Scene], Callable[[Scene], None]]] = {
    "go on": (Scene, go_on),
    "go on without a journal": (Bare, go_on),
    "overflow": (Scene, overflow),
    "stop": (Scene, stop),
    "inherit": (Scene, inherit),
}


def faults(scene: Scene) -> Iterator[str]:
    """What is lost or doubled."""
    yield from scene.faults()
    connection = sqlite3.connect(f"file:{scene.path}?mode=ro", uri=True)
    for what, columns in {
        "run": "start_ms",
        "device": "name",
        "metric": "device, name",
        "layout": "device, positions",
        "gap": "device, start_ms, reason, detail",
    }.items():
        sql = f"SELECT {columns} FROM {what} GROUP BY {columns} HAVING count(*) > 1"
        yield from (f"{what} {found} is doubled" for found in connection.execute(sql))
    connection.close()
    if scene.memory.exists() and any(scene.memory.iterdir()):
        yield "something is left in memory"


def main(folder: Path, act: str) -> None:
    """Each sync fails once as the first of a row."""
    library = ctypes.CDLL(None)
    kind, do = ACTS[act]
    failures, found = 0, []
    for count in IN_A_ROW:
        after, failed = 0, True
        while failed:
            place = folder / f"{count}-{after}"
            place.mkdir()
            scene = kind(place, PLENTY, 0)
            library.fail_syncs(after, count)
            do(scene)
            failed = library.failed_syncs() > 0
            library.fail_syncs(0, 0)
            scene.inherit()
            failures += failed
            found += [f"{count} from {after} on fail: {fault}" for fault in faults(scene)]
            after += 1
    print(json.dumps({"failures": failures, "faults": found}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
