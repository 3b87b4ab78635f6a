"""``python -m tests.matrix``: what the agent does about every fault of every kind of device."""

import argparse
import logging
import sys
import time
from pathlib import Path

from agent.devices import KINDS
from hw_sim.registry import SIMULATED
from tests.devices.kinds import CASES
from tests.matrix.choice import every_pair, telling_pairs
from tests.matrix.run import AT_ONCE, run
from tests.matrix.table import as_markdown, as_text
from tests.matrix.trial import FAULT_S, INTERVAL_S, TIMEOUT_S


def main() -> int:
    """Try what is asked for; the exit code is 1 when something is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument("kinds", nargs="*", help=f"of {', '.join(SIMULATED)}; all by default")
    parser.add_argument("--short", action="store_true", help="the most telling faults only")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the page there")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, metavar="N", help="devices at once")
    wishes = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)  # warnings are what the table is made of
    cases = [case for case in CASES if not wishes.kinds or case.kind in wishes.kinds]
    pairs = telling_pairs(cases) if wishes.short else every_pair(cases)
    began_s = time.monotonic()
    rows = run(pairs, KINDS, wishes.at_once)
    print(as_text(rows))
    print(f"took {time.monotonic() - began_s:.0f} s", file=sys.stderr)
    if wishes.markdown:
        summaries = {kind: entry.summary for kind, entry in SIMULATED.items()}
        words = {
            "command": " ".join(["python -m tests.matrix", *sys.argv[1:]]),
            "interval": INTERVAL_S,
            "timeout": TIMEOUT_S,
            "fault": FAULT_S,
        }
        wishes.markdown.write_text(as_markdown(rows, summaries, words), "utf-8")
    return 0 if all(row.is_ok for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
