"""HTTPS: a certificate that nobody vouches for is refused, unless that is wished."""

import functools
import http.server
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import Deadline
from agent.devices.json import Options
from agent.devices.json.driver import Json
from agent.devices.json.tls import TlsLink, make_context
from agent.devices.json.values import RefusedError
from agent.errors import DeviceError
from agent.model import Reason
from tests.devices.json_script import Links, ScriptedLink, answer, scripted, web

TIMEOUT_S = 5.0
BODY = b'{"temperature": 21.5}' + b" " * 40_000  # more than two records of TLS

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl is not installed, it makes the certificate"
)


class Station(http.server.BaseHTTPRequestHandler):
    """Python's own server, with one answer."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of a device called localhost, in one file."""
    file = tmp_path_factory.mktemp("tls") / "device.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost"]
    where = ["-keyout", str(file), "-out", str(file) + ".crt"]
    subprocess.run([*command.split(), *names, *where], check=True, capture_output=True)
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


@contextmanager
def https(certificate: Path) -> Iterator[int]:
    """A server on a free port; yields that."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Station)
    server.daemon_threads = False
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def error_of(port: int, host: str = "127.0.0.1", timeout_s: float = TIMEOUT_S) -> DeviceError:
    with pytest.raises(DeviceError) as caught:
        Json(Options(url=f"https://{host}:{port}/x"), timeout_s).read()
    assert f"https://{host}:{port}/x" in str(caught.value)
    assert str(caught.value).isprintable()
    return caught.value


class SecretLink(ScriptedLink):
    """A scripted link with TLS in between; ``say`` is what the far end says unasked."""

    def __init__(self, certificate: Path, answers: Sequence[bytes]) -> None:
        super().__init__()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._is_shaken = False
        self._plain = list(answers)
        self.requests: list[bytes] = []

    def say(self, data: bytes) -> None:
        self._tls.write(data)
        self.waiting += self._out.read()

    def send(self, data: bytes, deadline: Deadline) -> None:
        self._in.write(data)
        with suppress(ssl.SSLWantReadError):
            if not self._is_shaken:
                self._tls.do_handshake()
                self._is_shaken = True
            self.requests.append(self._tls.read(65536))
            self._tls.write(self._plain.pop(0))
        self.waiting += self._out.read()


@needs_openssl
def test_tickets_for_later_sessions_are_no_answer_that_nobody_asked_for(certificate: Path) -> None:
    far = SecretLink(certificate, [])
    link = TlsLink(far, trusting(), "device", Deadline(TIMEOUT_S))
    tickets = far.waiting

    nothing = link.receive_now(1)
    far.say(b"x")

    assert tickets
    assert (nothing, link.receive_now(1)) == (b"", b"x")


@needs_openssl
def test_what_came_unasked_in_tls_is_not_taken_for_the_next_answer(certificate: Path) -> None:
    said = [answer(b'{"a": %d}' % number) for number in (1, 2, 3)]
    far = [SecretLink(certificate, said[:2]), SecretLink(certificate, said[2:])]
    options = web(url="https://192.0.2.1/x", verify_tls=False)
    driver = Json(options, TIMEOUT_S, Links(*far))
    before = [driver.read(), driver.read()]
    far[0].say(said[1])

    after = driver.read()

    assert (before, after) == ([{"a": 1}, {"a": 2}], {"a": 3})
    assert [len(link.requests) for link in far] == [2, 1]


@needs_openssl
def test_an_alert_while_idle_is_the_end_of_the_connection(certificate: Path) -> None:
    said = answer(b'{"a": 1}')
    far = [SecretLink(certificate, [said]), SecretLink(certificate, [said])]
    options = web(url="https://192.0.2.1/x", verify_tls=False)
    driver = Json(options, TIMEOUT_S, Links(*far))
    driver.read()
    far[0].waiting = b"\x17\x03\x03\x00\x13" + bytes(19)  # a record that can't be decrypted

    assert driver.read() == {"a": 1}
    assert [len(link.requests) for link in far] == [1, 1]


@needs_openssl
def test_a_certificate_that_a_device_made_itself_is_refused(certificate: Path) -> None:
    with https(certificate) as port:
        error = error_of(port)

    assert error.reason is Reason.REFUSED
    assert "its certificate is not trusted: self-signed certificate; " in str(error)
    assert str(error).endswith("is read with verify_tls = false")


@needs_openssl
def test_any_certificate_will_do_where_that_is_wished(certificate: Path) -> None:
    with https(certificate) as port:
        driver = Json(Options(url=f"https://127.0.0.1:{port}/", verify_tls=False), TIMEOUT_S)
        values = [driver.read(), driver.read()]
        driver.close()

    assert values == [{"temperature": 21.5}] * 2


@needs_openssl
def test_a_certificate_of_a_trusted_authority_is_taken_for_its_own_name_only(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    with https(certificate) as port:
        driver = Json(Options(url=f"https://localhost:{port}/"), TIMEOUT_S)
        values = driver.read()
        driver.close()
        error = error_of(port)

    assert values == {"temperature": 21.5}
    assert "is not valid for '127.0.0.1'" in str(error)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "wanted TLS, got something else; is it http://"),
        (b"", "no handshake of TLS within 2 s; is it http:// in place of https://?"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "TLS failed: "),
    ],
)
def test_a_server_without_tls_is_told_so(said: bytes, text: str) -> None:
    link = ScriptedLink([said])

    with pytest.raises(DeviceError) as caught:
        scripted(web(url="https://192.0.2.1/x"), link).read()

    assert f"connecting to https://192.0.2.1/x: {text}" in str(caught.value)
    assert link.is_closed


def test_a_server_that_never_shakes_hands_costs_only_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        error = error_of(listener.getsockname()[1], timeout_s=0.2)

    assert error.reason is Reason.TIMEOUT


@functools.cache
def trusting() -> ssl.SSLContext:
    return make_context(verify=False)


@given(st.binary(max_size=200), st.sampled_from([1, 1000]))
def test_any_bytes_end_in_an_error(data: bytes, piece: int) -> None:
    link = ScriptedLink([data], piece=piece, closes=True)

    with pytest.raises((RefusedError, OSError)):
        TlsLink(link, trusting(), "device", Deadline(TIMEOUT_S))
