"""HTTP/1.1 as a small device speaks it: one page, one JSON, and faults between them."""

import base64
import contextlib
import gzip
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from hw_sim.faults import ENDLESS_BLOCK
from hw_sim.json.faults import PAGE, Fault
from hw_sim.tcp import Session

HEAD_LIMIT = 65536  # bytes of a request
REASONS = {
    200: "OK", 204: "No Content", 302: "Found", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 500: "Internal Server Error",
    503: "Service Unavailable",
}  # fmt: skip
READS = ("GET", "HEAD")
AWAY = {"redirect": "", "redirect-away": "http://192.0.2.1/login?token=abc"}


@attrs.define
class Server:
    """What all connections share."""

    document: Callable[[], dict[str, Any]]
    fault: Callable[[], Fault]
    count: Callable[[bool, str], None]  # told of each request: is it one to change something?
    path: str = "/status.json"
    user: str = ""
    password: str = ""
    seen: list[Mapping[str, str]] = attrs.Factory(list)  # headers of each request


@attrs.define
class Reply:
    """An answer before it is sent; ``length`` is what is told of the body, None for nothing."""

    status: int
    body: bytes
    length: int | None = None
    headers: list[tuple[str, str]] = attrs.Factory(list)
    closes: bool = False

    def __attrs_post_init__(self) -> None:
        self.length = len(self.body)

    def head(self, version: str = "1.1") -> bytes:
        """Status line and headers."""
        lines = [f"HTTP/{version} {self.status} {REASONS.get(self.status, 'Strange')}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.length is not None:
            lines.append(f"Content-Length: {self.length}")
        if self.closes:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


class Conversation:
    """One connection and its requests, one after the other."""

    def __init__(self, server: Server, session: Session) -> None:
        self._server = server
        self._session = session
        self._number = 0

    def run(self) -> None:
        """Until either side has had enough."""
        while self._request():
            pass

    def _request(self) -> bool:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._session.receive(1)
            if len(head) > HEAD_LIMIT:
                return False
        first, *rest = head.decode("latin-1").split("\r\n")
        method, _, target = first.partition(" ")
        target = target.partition(" ")[0]
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in rest if line)
        }
        self._server.count(method not in READS, first)
        self._server.seen.append(headers)
        self._number += 1
        fault = self._server.fault()
        reply = self._reply(method, target, headers, fault)
        reply.closes = reply.closes or headers.get("connection", "").lower() == "close"
        return self._send(reply, fault, is_head=method == "HEAD")

    def _reply(self, method: str, target: str, headers: Mapping[str, str], fault: Fault) -> Reply:
        server = self._server
        path, _, query = target.partition("?")
        if method not in READS:
            return Reply(405, b"read only\n")
        if not self._is_known(headers) or fault.name in ("unauthorised", "digest"):
            asked = f'{"Digest" if fault.name == "digest" else "Basic"} realm="station"'
            return Reply(401, b"who are you?\n", headers=[("WWW-Authenticate", asked)])
        if path == "/":
            return Reply(200, PAGE, headers=[("Content-Type", "text/html")])
        if path != server.path:
            return Reply(404, b"not found\n")
        if fault.name == "status":
            return Reply(int(fault.argument), b'{"error":"out of order"}')
        if fault.name in AWAY and query.count("again") < fault.argument:
            again = f"{target}{'&' if query else '?'}again"
            return Reply(302, b"", headers=[("Location", AWAY[fault.name] or again)])
        body = fault.body(server.document())
        return Reply(200, body, headers=[("Content-Type", "application/json")])

    def _is_known(self, headers: Mapping[str, str]) -> bool:
        if not self._server.user:
            return True
        token = base64.b64encode(f"{self._server.user}:{self._server.password}".encode()).decode()
        return headers.get("authorization") == f"Basic {token}"

    def _send(self, reply: Reply, fault: Fault, *, is_head: bool) -> bool:
        _distort(reply, fault)
        version = "1.0" if fault.name == "http-1.0" else "1.1"
        if fault.name.startswith("endless-"):
            self._never_stop(reply, fault)
            return False
        data = reply.head(version) + (b"" if is_head else reply.body)
        goes_on = fault.answer(self._session.send, data, self._number)
        return goes_on and not reply.closes and fault.name != "close-idle"

    def _never_stop(self, reply: Reply, fault: Fault) -> None:
        first, block = reply.head(), b" " * len(ENDLESS_BLOCK)
        match fault.name:
            case "endless-headers":
                first, block = reply.head()[:-2], b"X-More: and more\r\n" * 50
            case "endless-chunks":
                block = b"1;and=more\r\n \r\n" * 50
        with contextlib.suppress(OSError):  # whoever has had enough closes
            self._session.send(first)
            while not fault.is_over:
                self._session.send(block)


def _distort(reply: Reply, fault: Fault) -> None:
    """Lie about the body, or send it in another way."""
    argument = int(fault.argument)
    match fault.name:
        case "close":
            reply.closes = True
        case "http-1.0" | "no-length" | "endless-body":
            reply.length, reply.closes = None, True
        case "content-length":
            reply.length = argument
        case "length-off":
            reply.length = len(reply.body) + argument
        case "two-lengths":
            reply.headers.append(("Content-Length", str(len(reply.body) + 1)))
        case "huge-headers":
            reply.headers.append(("X-Huge", "x" * argument))
        case "gzip":
            reply.body = gzip.compress(reply.body)
            reply.length = len(reply.body)
            reply.headers.append(("Content-Encoding", "gzip"))
    if "chunk" in fault.name:
        reply.body = _chunks(reply.body, fault.name, argument)
        reply.length = None
        reply.headers.append(("Transfer-Encoding", "chunked"))


def _chunks(body: bytes, fault: str, argument: int) -> bytes:
    match fault:
        case "chunked":
            pieces = [body[at : at + argument] for at in range(0, len(body), argument)]
            chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]
            return b"".join(chunks) + b"0\r\n\r\n"
        case "bad-chunks":
            return b"zz\r\n" + body + b"\r\n0\r\n\r\n"
    size = f"{'-' if argument < 0 else ''}{abs(argument):x}"
    return f"{size}\r\n".encode() + body + b"\r\n0\r\n\r\n"
