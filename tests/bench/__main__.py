"""``make bench``: every benchmark, its figures beside their targets and their peers."""

import argparse
import os
import platform

from tests.bench import bench_binary, bench_drivers, bench_host, bench_schedule


def main() -> None:
    """Run all, or those whose names are given."""
    benches = {
        "binary": bench_binary.run,
        "drivers": bench_drivers.run,
        "host": bench_host.run,
        "schedule": bench_schedule.run,
    }
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(benches)}; all by default")
    parser.add_argument("--short", action="store_true", help="only see that they run")
    chosen = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for name in chosen.names or benches:
        group = None
        for result in benches[name](short=chosen.short):
            if result.group != group:
                group = result.group
                print(f"\n{group}")
            print(result, flush=True)


if __name__ == "__main__":
    main()
