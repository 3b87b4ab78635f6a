"""The simulated weather station as raw bytes and other programs see it."""

import http.client
import json
import os
import re
import select
import signal
import subprocess
import sys
import threading
import tty
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from hw_sim.cli import main
from hw_sim.json import MODES, JsonSimulator
from hw_sim.json.station import Station
from tests.hw_sim.raw_json import TIMEOUT_S, all_of, get, raw


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_values_move_with_time_and_repeat_with_the_seed() -> None:
    clocks = Clock(), Clock(), Clock()
    stations = [Station(seed, clock) for seed, clock in zip((1, 1, 2), clocks, strict=True)]
    before = [station.document() for station in stations]
    for clock in clocks:
        clock.now_s += 100

    after = [station.document() for station in stations]

    assert before[0] == before[1] != before[2]
    assert after[0] == after[1] != before[0]
    assert after[0]["uptime_s"] == 100
    assert 100 < after[0]["meter"]["power_w"] < 700


def test_there_is_a_gust_only_now_and_then() -> None:
    clock = Clock()
    station = Station(1, clock)
    gusts = set()
    for _ in range(20):
        clock.now_s += 1
        gusts.add(station.document()["outdoor"]["wind"]["gust"] is None)

    assert gusts == {True, False}


def test_frozen_values_stay_and_move_on_from_there() -> None:
    clock = Clock()
    station = Station(1, clock)
    clock.now_s += 10
    station.freeze()
    station.freeze()
    clock.now_s += 10
    frozen = station.document()["uptime_s"]
    station.thaw()
    clock.now_s += 1

    assert (frozen, station.document()["uptime_s"]) == (10, 11)


def test_a_value_that_was_set_stays() -> None:
    station = Station(1, Clock())
    station.set_value(("channels", 0, "temperature"), None)

    assert station.document()["channels"][0]["temperature"] is None


def test_it_answers_in_http_byte_for_byte() -> None:
    with JsonSimulator(frozen=True) as station, raw(station) as client:
        body = json.dumps(station.document(), ensure_ascii=False, separators=(",", ":")).encode()
        client.sendall(b"GET /status.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

        answer = all_of(client)

    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    assert (
        answer == f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
    )


def test_one_connection_serves_many_requests() -> None:
    with JsonSimulator(frozen=True) as station:
        client = http.client.HTTPConnection(station.host, station.port, timeout=TIMEOUT_S)
        bodies = []
        for _ in range(3):
            client.request("GET", "/status.json")
            bodies.append(json.load(client.getresponse()))
        client.close()

        assert bodies == [station.document()] * 3
        assert (station.sessions, station.requests, station.write_requests) == (1, 3, 0)


@pytest.mark.parametrize(
    ("path", "method", "status", "writes"),
    [
        ("/", "GET", 200, 0),
        ("/other", "GET", 404, 0),
        ("/status.json", "HEAD", 200, 0),
        ("/status.json", "POST", 405, 1),
        ("/status.json", "DELETE", 405, 1),
    ],
)
def test_only_reading_is_allowed(path: str, method: str, status: int, writes: int) -> None:
    with JsonSimulator() as station:
        found, _, _ = get(station, path, method)

        assert found == status
        assert station.write_requests == writes


def test_a_password_is_asked_for() -> None:
    with JsonSimulator(user="me", password="word") as station:
        status, headers, _ = get(station)
        allowed, _, _ = get(station, Authorization="Basic bWU6d29yZA==")

    assert (status, headers["WWW-Authenticate"]) == (401, 'Basic realm="station"')
    assert allowed == 200


def test_it_answers_a_line_with_a_line_and_counts_all_others() -> None:
    with JsonSimulator("request", frozen=True) as station, raw(station) as client:
        stream = client.makefile("rwb")
        stream.write(b"report\r\nset x 1\nreport\n")
        stream.flush()
        lines = [json.loads(stream.readline()) for _ in range(3)]
        stream.close()

        assert lines == [station.document(), {"error": "unknown command"}, station.document()]
        assert (station.requests, station.write_requests) == (3, 1)


def test_it_talks_by_itself_and_counts_what_it_is_told() -> None:
    with JsonSimulator("lines", frozen=True, period_s=0.01) as station, raw(station) as client:
        stream = client.makefile("rwb")
        lines = [json.loads(stream.readline()) for _ in range(3)]
        before = station.write_requests
        client.sendall(b"x")
        while not station.write_requests:
            stream.readline()
        stream.close()

        assert lines == [station.document()] * 3
        assert (before, station.write_requests) == (0, 1)


def serial_ask(path: Path, request: bytes) -> bytes:
    """One line over the port, by the system's own means."""
    port = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(port)
        os.write(port, request)
        data = b""
        while not data.endswith(b"\n"):
            ready, _, _ = select.select([port], [], [], TIMEOUT_S)
            assert ready
            data += os.read(port, 4096)
        return data
    finally:
        os.close(port)


def test_it_answers_over_a_serial_port(tmp_path: Path) -> None:
    with JsonSimulator("serial", path=tmp_path / "port", frozen=True) as station:
        line = serial_ask(Path(station.address), b"report\n")

        assert json.loads(line) == station.document()
    assert not (tmp_path / "port").exists()


def test_an_unplugged_port_comes_back(tmp_path: Path) -> None:
    with JsonSimulator("serial", path=tmp_path / "port", frozen=True) as station:
        station.set_fault("unplug")
        is_gone = not Path(station.address).exists()
        station.set_fault("replug")

        assert is_gone
        assert serial_ask(Path(station.address), b"report\n")


@pytest.mark.parametrize("mode", MODES)
def test_it_starts_and_stops_twice_and_leaves_nothing(mode: str, tmp_path: Path) -> None:
    threads = set(threading.enumerate())
    station = JsonSimulator(mode, path=tmp_path / "port")
    for _ in range(2):
        station.start()
        station.start()
        station.set_fault("silent")
        station.stop()
        station.stop()

    assert set(threading.enumerate()) == threads


@contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The simulator as a program, and where it says that it is."""
    command = [sys.executable, "-m", "hw_sim", "json", *options]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        ready = re.search(r"ready on (\S+) \(", process.stdout.readline())
        assert ready
        try:
            yield process, ready[1]
        finally:
            process.kill()


def test_the_command_serves_http_until_it_is_stopped() -> None:
    with running("--port", "0", "--frozen") as (process, address):
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:
            found = json.load(answer)
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=TIMEOUT_S)

    assert found["station"]["name"] == "Roof"
    assert rest == "stopped after 1 requests, 0 to write\n"
    assert process.returncode == 0


def test_the_command_makes_a_serial_port_and_prints_what_is_no_request(tmp_path: Path) -> None:
    with running("--mode", "serial", "--path", str(tmp_path / "port")) as (process, address):
        line = serial_ask(Path(address), b"set x 1\n")
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=TIMEOUT_S)

    assert json.loads(line) == {"error": "unknown command"}
    assert rest.startswith("got what is no request to read: 'set x 1'\n")
    assert not (tmp_path / "port").exists()


def test_the_command_says_what_it_can_do() -> None:
    result = CliRunner().invoke(main, ["json", "--help"])

    assert result.exit_code == 0
    assert "python -m hw_sim json --mode http --port 8080" in result.output
