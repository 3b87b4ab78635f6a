"""A device that speaks JSON over TLS, with a certificate that nobody but the test vouches for."""

import http.server
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Any, Self

TEMPERATURE = 21.5


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"temperature": %.1f}' % TEMPERATURE)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


class TlsStation:
    """Has a port at once; connections are refused until ``listen``."""

    def __init__(self, folder: Path) -> None:
        key, self.certificate = folder / "key.pem", folder / "certificate.pem"
        command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
        where = ["-keyout", str(key), "-out", str(self.certificate)]
        names = ["-addext", "subjectAltName=DNS:localhost"]
        subprocess.run([*command.split(), *names, *where], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answer, False)
        self._server.server_bind()
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._serving = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def table(self) -> str:
        """What agent.toml says of it."""
        port = self._server.server_address[1]
        return (
            f'[[device]]\nname = "station"\nkind = "json"\nurl = "https://localhost:{port}/"\n'
            'tag = [{ name = "temperature", path = "temperature" }]\n'
        )

    def listen(self) -> None:
        """Answer from now on."""
        self._server.server_activate()
        self._serving.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._serving.is_alive():
            self._server.shutdown()
            self._serving.join()
        self._server.server_close()
