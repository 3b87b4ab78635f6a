"""The comparison of bench_schedule: APScheduler's defaults and python-snap7's client.

Reads {name: port} from standard input, polls for the seconds given, and prints {name: [ms]} with
the times at which polls that succeeded began.
"""

import json
import sys
import time
from collections import defaultdict

import snap7
from apscheduler.schedulers.background import BackgroundScheduler


class Device:
    """One PLC, polled as the library's examples do."""

    def __init__(self, port: int, stamps: list[int]) -> None:
        self._port = port
        self._stamps = stamps
        self._client = snap7.Client()

    def poll(self) -> None:
        """Read twelve bytes of DB1; connect when that is needed."""
        began_ms = time.time_ns() // 1_000_000
        if not self._client.get_connected():
            self._client.connect("127.0.0.1", 0, 1, self._port)
        self._client.db_read(1, 0, 12)
        self._stamps.append(began_ms)


def main() -> None:
    """Poll all devices for a while."""
    ports: dict[str, int] = json.load(sys.stdin)
    stamps: defaultdict[str, list[int]] = defaultdict(list)
    scheduler = BackgroundScheduler()
    for name, port in ports.items():
        scheduler.add_job(Device(port, stamps[name]).poll, "interval", seconds=1)
    scheduler.start()
    time.sleep(float(sys.argv[1]))
    print(json.dumps(stamps), flush=True)


if __name__ == "__main__":
    main()
