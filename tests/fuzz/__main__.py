"""``python -m tests.fuzz``: mutated answers into every driver, and what came of them."""

import argparse
import os
import sys

from tests.fuzz.campaign import problems, report, run, targets


def main() -> None:
    """Run, print, and fail when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("targets", nargs="*", help="all by default")
    chosen = parser.parse_args()
    found = [each for each in targets() if not chosen.targets or each.name in chosen.targets]
    outcomes = run(found, chosen.answers, chosen.seed, chosen.processes)
    print(report(outcomes))
    sys.exit(1 if problems(outcomes) else 0)


if __name__ == "__main__":
    main()
