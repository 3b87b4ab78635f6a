"""``make bench``: every benchmark, its figures beside their targets and their peers."""

import argparse
import os
import platform

from tests.bench import (
    bench_append,
    bench_binary,
    bench_codec,
    bench_drivers,
    bench_host,
    bench_query,
    bench_reader,
    bench_schedule,
    bench_sealing,
    bench_size,
    bench_wear,
)


def main() -> None:
    """Run all, or those whose names are given."""
    benches = {
        "append": bench_append.run,
        "binary": bench_binary.run,
        "codec": bench_codec.run,
        "drivers": bench_drivers.run,
        "host": bench_host.run,
        "query": bench_query.run,
        "reader": bench_reader.run,
        "schedule": bench_schedule.run,
        "sealing": bench_sealing.run,
        "size": bench_size.run,
        "wear": bench_wear.run,
    }
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(benches)}; all by default")
    parser.add_argument("--short", action="store_true", help="only see that they run")
    chosen = parser.parse_args()
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"load of the machine in the last 1, 5 and 15 minutes: {load}")
    for name in chosen.names or benches:
        group = None
        for result in benches[name](short=chosen.short):
            if result.group != group:
                group = result.group
                print(f"\n{group}")
            print(result, flush=True)


if __name__ == "__main__":
    main()
