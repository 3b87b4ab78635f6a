"""The faults of the simulated weather station, as raw bytes show them."""

from pathlib import Path

import pytest

from hw_sim.json import BY_MODE, FAULTS, MODES, JsonSimulator
from tests.hw_sim.raw_json import all_of, raw, raw_get

BODY = b'"uptime_s":0,"ok":true'


@pytest.mark.parametrize(
    ("fault", "start", "inside"),
    [
        ("truncated:9", b"HTTP/1.1 200 OK", b'{"station'),
        ("empty", b"HTTP/1.1 200 OK", b"Content-Length: 0\r\n"),
        ("html", b"HTTP/1.1 200 OK", b"<title>Weather station</title>"),
        ("bad-utf8", b"HTTP/1.1 200 OK", b'"K\xfcche"'),
        ("bom", b"HTTP/1.1 200 OK", b"\r\n\r\n\xef\xbb\xbf{"),
        ("nan", b"HTTP/1.1 200 OK", b'"gust":-Infinity'),
        ("deep:9", b"HTTP/1.1 200 OK", b"[[[[[[[[[]]]]]]]]]"),
        ("huge-number:30", b"HTTP/1.1 200 OK", b'"uptime_s":' + b"9" * 30),
        ("twice", b"HTTP/1.1 200 OK", b'{"station":null,"uptime_s":null'),
        ("many:3", b"HTTP/1.1 200 OK", b'"more":[0,1,2]}'),
        ("wrong-type", b"HTTP/1.1 200 OK", b'[{"station"'),
        ("wrong-values", b"HTTP/1.1 200 OK", b'"uptime_s":"0","ok":"perhaps"'),
        ("missing-keys", b"HTTP/1.1 200 OK", BODY + b',"meter"'),
        ("scalar", b"HTTP/1.1 200 OK", b"\r\n\r\n21.5"),
        ("limits", b"HTTP/1.1 200 OK", b'"uptime_s":9223372036854775807'),
        ("status:418", b"HTTP/1.1 418 Strange", b'{"error"'),
        ("unauthorised", b"HTTP/1.1 401 ", b"WWW-Authenticate: Basic"),
        ("digest", b"HTTP/1.1 401 ", b"WWW-Authenticate: Digest"),
        ("redirect", b"HTTP/1.1 302 Found", b"Location: /status.json?again\r\n"),
        ("redirect-away", b"HTTP/1.1 302 Found", b"Location: http://192.0.2.1/"),
        ("http-1.0", b"HTTP/1.0 200 OK", BODY),
        ("no-length", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection", BODY),
        ("chunked:100", b"HTTP/1.1 200 OK", b"chunked\r\nConnection: close\r\n\r\n64\r\n{"),
        ("bad-chunks", b"HTTP/1.1 200 OK", b"\r\n\r\nzz\r\n{"),
        ("chunk-size:-255", b"HTTP/1.1 200 OK", b"\r\n\r\n-ff\r\n{"),
        ("content-length:2147483648", b"HTTP/1.1 200 OK", b"Content-Length: 2147483648\r\n"),
        ("two-lengths", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length",
         b"\r\nContent-Length: "),
        ("gzip", b"HTTP/1.1 200 OK", b"\x1f\x8b"),
        ("huge-headers:99", b"HTTP/1.1 200 OK", b"X-Huge: " + b"x" * 99 + b"\r\n"),
        ("half-close", b"HTTP/1.1 200 OK", b"application/json"),
        ("drop", b"", b""),
        ("too-many", b"", b""),
    ],
)  # fmt: skip
def test_a_fault_shows_in_the_bytes(fault: str, start: bytes, inside: bytes) -> None:
    with JsonSimulator(frozen=True) as station, raw_get(station, fault) as client:
        answer = all_of(client)

    assert answer.startswith(start)
    assert inside in answer
    assert bool(answer) is bool(start)


@pytest.mark.parametrize(
    ("fault", "repeated"),
    [
        ("endless-headers", b"X-More: and more\r\n" * 100),
        ("endless-body", b" " * 10_000),
        ("endless-chunks", b"1;and=more\r\n \r\n" * 100),
    ],
)
def test_what_is_endless_goes_on_until_the_fault_ends(fault: str, repeated: bytes) -> None:
    with JsonSimulator(frozen=True) as station, raw_get(station, fault) as client:
        data = b""
        while len(data) < 100_000:
            data += client.recv(65536)
        station.set_fault(None)
        rest = all_of(client)

    assert repeated in data + rest


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("long-line:50", b"{" + b" " * 50),
        ("no-end", b'{"station"'),
        ("junk-lines", b"I (312) wifi: connected\n{ rebooting\n\xff"),
    ],
)
def test_a_fault_of_lines_shows_in_the_bytes(fault: str, line: bytes) -> None:
    with JsonSimulator("request", frozen=True) as station, raw(station) as client:
        station.set_fault(fault)
        client.sendall(b"report\n")
        data = b""
        while len(data) < len(line):
            data += client.recv(65536)

    assert data.startswith(line)


@pytest.mark.parametrize("mode", MODES)
def test_every_fault_of_a_mode_can_be_set_and_no_other(mode: str, tmp_path: Path) -> None:
    with JsonSimulator(mode, path=tmp_path / "port") as station:
        for fault in BY_MODE[mode]:
            station.set_fault(fault)
        for fault in FAULTS.keys() - BY_MODE[mode].keys():
            with pytest.raises(ValueError, match=f"fault '{fault}' is for --mode"):
                station.set_fault(fault)
        with pytest.raises(ValueError, match="did you mean 'silent'"):
            station.set_fault("silnet")
