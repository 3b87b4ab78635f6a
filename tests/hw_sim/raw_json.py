"""Clients of the simulated weather station, without a line of the driver."""

import contextlib
import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from hw_sim.json import JsonSimulator

TIMEOUT_S = 5.0


@contextmanager
def raw(station: JsonSimulator) -> Iterator[socket.socket]:
    """A connection to a station."""
    with socket.create_connection((station.host, station.port), TIMEOUT_S) as client:
        yield client


def all_of(client: socket.socket) -> bytes:
    """What comes until the far end closes."""
    data = b""
    with contextlib.suppress(ConnectionResetError):  # closed before it had read what we sent
        while part := client.recv(65536):
            data += part
    return data


def get(
    station: JsonSimulator, path: str = "/status.json", method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body by Python's own client."""
    client = http.client.HTTPConnection(station.host, station.port, timeout=TIMEOUT_S)
    try:
        client.request(method, path, headers=headers)
        answer = client.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        client.close()


@contextmanager
def raw_get(station: JsonSimulator, fault: str) -> Iterator[socket.socket]:
    """A connection on which a misbehaving station was asked."""
    station.set_fault(fault)
    with raw(station) as client:
        try:
            client.sendall(b"GET /status.json HTTP/1.1\r\nConnection: close\r\n\r\n")
        except ConnectionError:  # closed at once
            pass
        yield client
