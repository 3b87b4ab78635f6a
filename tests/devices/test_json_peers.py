"""The JSON driver and other programs agree: curl as client, Python's server and plain sockets."""

import contextlib
import functools
import http.server
import json
import select
import shutil
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from agent.devices.json import Options, Tag
from agent.devices.json.driver import Json
from agent.devices.json.values import leaves
from agent.model import Value
from hw_sim.json import JsonSimulator

TIMEOUT_S = 5.0


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the files of a folder and logs nothing."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextlib.contextmanager
def file_server(folder: Path, version: str = "HTTP/1.0") -> Iterator[int]:
    """Python's server on a free port; yields that."""
    handler = type("Handler", (Quiet,), {"protocol_version": version})
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(folder))
    )
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


@contextlib.contextmanager
def talker(said: Sequence[bytes]) -> Iterator[int]:
    """A plain socket, as socat and ncat make one: says this to whoever connects, then waits."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                for piece in said:
                    connection.sendall(piece)
                connection.recv(1)

    serving = threading.Thread(target=serve)
    serving.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        serving.join()
        listener.close()


def read_all(options: Options, times: int = 1) -> list[dict[str, Value]]:
    driver = Json(options, TIMEOUT_S)
    try:
        return [dict(driver.read()) for _ in range(times)]
    finally:
        driver.close()


@pytest.mark.parametrize("fault", [None, "chunked", "http-1.0", "no-length", "redirect:2"])
def test_curl_reads_the_same_from_the_simulator_as_the_driver(fault: str | None) -> None:
    curl = shutil.which("curl")
    with JsonSimulator(frozen=True) as station:
        station.set_fault(fault)
        if curl:
            command = [curl, "--silent", "--fail", "--location", "--max-time", "5"]
            done = subprocess.run([*command, station.address], check=True, capture_output=True)
            theirs = json.loads(done.stdout)
        else:
            with urllib.request.urlopen(station.address, timeout=TIMEOUT_S) as answer:
                theirs = json.load(answer)

        (ours,) = read_all(Options(url=station.address))

    assert ours == leaves(theirs).values
    assert station.write_requests == 0


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_the_driver_reads_a_file_from_pythons_server(tmp_path: Path, version: str) -> None:
    document = {"room": {"Küche": 21.5}, "list": [1, None, True, "x"]}
    (tmp_path / "a b.json").write_text(json.dumps(document, indent=2), "utf-8")

    with file_server(tmp_path, version) as port:
        found = read_all(Options(url=f"http://127.0.0.1:{port}/a%20b.json"), times=3)

    values = {"room.Küche": 21.5, "list.0": 1, "list.1": None, "list.2": True, "list.3": "x"}
    assert found == [values] * 3


def test_the_driver_reads_a_plain_socket_that_talks() -> None:
    said = [b'0.5}\r\n{"t": 1}\r\n', b'{"t"', b": 2}\r\n", b'{"t": 3']
    options = {"host": "127.0.0.1", "line_end": "\r\n", "tag": (Tag("t", "t"),)}

    with talker(said) as port:
        (values,) = read_all(Options(port=port, **options))  # type: ignore[arg-type]

    assert values["t"] in (1, 2)


class Hasty:
    """Sends numbered lines as fast as they are taken, to one connection after the other."""

    def __init__(self) -> None:
        self.number = 0
        self.is_stuck = threading.Event()  # as nobody reads, and all that waits grows old
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._serving = threading.Thread(target=self._serve)
        self._serving.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._serving.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.setblocking(False)
                while True:
                    self._send(connection)

    def _send(self, connection: socket.socket) -> None:
        self.number += 1
        line = b'{"n": %d, "pad": "%s"}\n' % (self.number, b"x" * 200)
        while line:
            try:
                line = line[connection.send(line) :]
            except BlockingIOError:
                self.is_stuck.set()
                select.select([], [connection], [])


def test_a_device_that_talks_faster_than_it_is_read_is_never_behind() -> None:
    device = Hasty()
    driver = Json(Options(host="127.0.0.1", port=device.port), TIMEOUT_S)
    late = []
    for _ in range(3):
        driver.read()
        device.is_stuck.clear()
        assert device.is_stuck.wait(TIMEOUT_S)
        before = device.number
        number = driver.read()["n"]
        assert isinstance(number, int)
        late.append(before - number)
    driver.close()
    device.close()

    assert max(late) <= 0
