"""A Unix socket that takes the lines that could be typed, and answers each with one line."""

import os
import socket
import socketserver
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

LINE_LIMIT = 1024  # bytes
ANSWER_LIMIT = 1 << 20
TIMEOUT_S = 10.0  # all takes milliseconds; only a fault that ends threads takes longer
PATH_LIMIT = 107  # bytes, what the kernel has room for


class Control:
    """Answers lines at a path; each connection has a thread of its own.

    Args:
        answer: What to say to a line; called from threads of its own.
    """

    def __init__(self, path: Path, answer: Callable[[str], str]) -> None:
        self.path = path
        self._answer = answer
        self._server: _Server | None = None
        self._serving: threading.Thread | None = None

    def start(self) -> None:
        """Listen; twice is fine.

        Raises:
            OSError: Something else is at the path, or it can't be made.
        """
        if self._server is not None:
            return
        if len(os.fsencode(self.path)) > PATH_LIMIT:
            raise OSError(f"{self.path}: longer than {PATH_LIMIT} bytes, name a shorter path")
        _remove_dead(self.path)
        self._server = _Server(str(self.path), _Connection)
        self._server.answer = self.answer
        self._serving = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="control"
        )
        self._serving.start()

    def stop(self) -> None:
        """Free the path; twice is fine."""
        if self._server is None or self._serving is None:
            return
        self._server.shutdown()
        self._serving.join()
        self._server.server_close()
        self.path.unlink(missing_ok=True)
        self._server = None

    def answer(self, line: str) -> str:
        """What is said to a line, on one line."""
        return " | ".join(self._answer(line).splitlines())


def ask(path: Path, line: str) -> str:
    """The answer to one line of whoever listens at the path.

    Raises:
        OSError: Nobody does, or no answer came in time.
    """
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(TIMEOUT_S)
        client.connect(str(path))
        client.sendall(line.encode() + b"\n")
        with client.makefile("rb") as stream:
            answer = stream.readline(ANSWER_LIMIT)
    if not answer:
        raise ConnectionResetError(f"{path}: closed without an answer")
    return answer.decode("utf-8", "replace").rstrip("\n")


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False  # whoever stays connected must not hold up the end
    answer: Callable[[str], str]


class _Connection(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server = cast("_Server", self.server)
        try:
            while line := self.rfile.readline(LINE_LIMIT):
                answer = server.answer(line.decode("utf-8", "replace").strip())
                self.wfile.write(answer.encode() + b"\n")
        except OSError:  # the client has gone
            pass


def _remove_dead(path: Path) -> None:
    """Take away a socket that nobody listens at any more."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return  # binding says that something is there
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
    except FileNotFoundError:
        pass
    except ConnectionRefusedError:
        path.unlink(missing_ok=True)
