"""A device that counts its answers: whatever is missing among the samples was lost, and is named.

Run as a program it answers over HTTP on the port that its first argument names, and writes each
number to the file that its second one names, before it sends it.
"""

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import attrs

from tests.agent_process import wait_for
from tests.systemd.machine import Machine

PORT = 8099  # in a network where nobody else is


@attrs.frozen
class CountingDevice:
    """What it has answered so far."""

    path: Path

    @property
    def answered(self) -> int:
        """The newest number."""
        lines = self.path.read_text().splitlines()
        return int(lines[-1]) if lines else 0

    def wait_for(self, count: int) -> None:
        """Until so many more answers were given."""
        wanted = self.answered + count
        wait_for(lambda: self.answered >= wanted, what=f"{count} polls")


@contextmanager
def counting_device(machine: Machine, folder: Path) -> Iterator[CountingDevice]:
    """A device in the network of a machine; it outlives that machine's programs."""
    path = folder / "answered"
    path.touch()
    enter = ["nsenter", "--target", str(machine.leader), "--net", "--"]
    program = [sys.executable, "-m", "tests.systemd.counting", str(PORT), str(path)]
    process = subprocess.Popen([*enter, *program], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield CountingDevice(path)
    finally:
        process.kill()
        process.communicate()


def table(name: str = "counting", interval_s: float = 0.2) -> str:
    """The part of ``agent.toml`` that reads it; its samples are there for the ``sqlite3`` shell."""
    return (
        f'[[device]]\nname = "{name}"\nkind = "json"\nurl = "http://127.0.0.1:{PORT}/"\n'
        f"interval_s = {interval_s}\ntimeout_s = 2.0\nplain = true\n"
        '[[device.tag]]\nname = "number"\npath = "number"\n'
    )


def serve(port: int, path: Path) -> None:
    """Answer for ever."""
    numbers = itertools.count(CountingDevice(path).answered + 1)  # it may have run before
    with path.open("a", buffering=1) as log:

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                number = next(numbers)
                log.write(f"{number}\n")
                body = json.dumps({"number": number}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
            server.daemon_threads = True
            print("ready", flush=True)
            server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
