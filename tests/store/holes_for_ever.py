"""Stores, deletes and makes holes until it is killed; tells after each round how far it is.

Run with a folder and a seed: ``python -m tests.store.holes_for_ever FOLDER SEED``.
"""

import random
import sys
from pathlib import Path

from agent.store.deleted import Deletions
from agent.store.holes import Holes
from tests.fakes import FakeClock
from tests.store.filled import DEVICES, HOUR_MS, Filled

ROUND_S = 3600


def main(folder: Path, seed: int) -> None:
    """Print the number of the newest sample, and how many bytes were given back."""
    chance = random.Random(seed)
    filled = Filled(folder / "telemetry.db", FakeClock())
    holes = Holes(filled.path, filled.store.transact)
    number = given = 0
    while True:
        number += 1
        for device in DEVICES:
            filled.put_block(device, filled.clock.now_ms(), chance.choice([1, 30, 200]))
        filled.put("press", noise=f"{number}")
        filled.store.flush()
        filled.clock.advance(ROUND_S)
        if number % 3 == 0:
            hours = chance.randrange(3, 20)
            filled.store.delete_before(filled.clock.now_ms() - hours * HOUR_MS, Deletions("a test"))
            holes.forget()
            given += holes.give_back(chance.randrange(1 << 21), chance.randrange(1 << 18)) or 0
        sys.stdout.write(f"{number} {given}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
