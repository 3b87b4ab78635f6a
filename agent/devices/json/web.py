"""HTTP GET over a link of ours: one deadline for all of it, and nothing without a bound."""

import base64
import http.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from agent import __version__
from agent.clock import Deadline
from agent.config.faults import ReferencedText
from agent.devices.json.address import Url, parse_url
from agent.devices.json.connection import Connection
from agent.devices.json.options import Options
from agent.devices.json.path import cleaned
from agent.devices.json.values import SHOWN, Answer, RefusedError, parse
from agent.devices.links.link import Link, OpenLink
from agent.model import Reason

if TYPE_CHECKING:
    import ssl

CHUNK_OVERHEAD: Final = 8  # times the size of an answer that comes in chunks of one byte
PART: Final = 4096  # bytes; http.client keeps each chunk of a part as an object of its own
REDIRECTS: Final = (301, 302, 303, 307, 308)
REDIRECTS_LIMIT: Final = 3
TLS_ALERT: Final = "\x15\x03"


class HttpTransport:
    """GETs one URL, over one connection as long as the server keeps it."""

    def __init__(self, options: Options, open_link: OpenLink) -> None:
        self._url = parse_url(options.url)
        self._is_hidden = isinstance(options.url, ReferencedText)
        self._open_link = open_link
        self._verify = options.verify_tls
        self._limit = options.max_bytes
        self._headers = request_headers(options, self._url)
        self._context: ssl.SSLContext | None = None
        self._connection: Connection | None = None

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    def open(self, deadline: Deadline) -> Connection:
        self.close()
        link = self._open_link(deadline)
        try:
            if self._url.is_tls:
                link = self._with_tls(link, deadline)
        except BaseException:
            link.close()
            raise
        self._connection = Connection(link)
        return self._connection

    def answer(self, deadline: Deadline) -> Answer:
        if self._connection is not None and self._connection.is_stale:
            raise ConnectionAbortedError("the device said something that it was not asked for")
        url = self._url
        for _ in range(1 + REDIRECTS_LIMIT):
            try:
                response, body = self._get(url, deadline)
            except ConnectionError:
                if url is self._url:
                    raise
                self.close()  # as a server does that closes after its redirect
                response, body = self._get(url, deadline)
            if response.status not in REDIRECTS:
                return decode(response, body)
            url = self._redirected(url, response)
        raise ValueError(f"more than {REDIRECTS_LIMIT} redirects, the last one to {url.shown}")

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.end()

    def _get(self, url: Url, deadline: Deadline) -> tuple[http.client.HTTPResponse, bytes]:
        with _http_errors():
            connection = self._connection or self.open(deadline)
            response = connection.get(url.target, self._headers, deadline)
            connection.received.left += CHUNK_OVERHEAD * self._limit
            body = read_body(response, self._limit)
        if response.will_close or connection.is_stale:
            self.close()
        return response, body

    def _with_tls(self, link: Link, deadline: Deadline) -> Link:
        from agent.devices.json.tls import TlsLink, make_context

        if self._context is None:
            self._context = make_context(verify=self._verify)
        return TlsLink(link, self._context, self._url.host, deadline)

    def _redirected(self, url: Url, response: http.client.HTTPResponse) -> Url:
        location = response.getheader("Location") or ""
        base = f"{'https' if url.is_tls else 'http'}://{url.netloc}{url.target}"
        what = f"the answer is a redirect ({response.status})"
        if not location:
            raise ValueError(f"{what}, and does not say where to")
        try:
            joined = urljoin(base, location)
            new = parse_url(ReferencedText(joined) if self._is_hidden else joined)
        except ValueError as exc:
            shown = _host_of(base, location)
            raise ValueError(f"{what} to {shown}, which is no URL we can read") from exc
        if new.origin != url.origin:
            raise ValueError(
                f"{what} to another place, which is not followed; if that is yours, "
                f"write it as url: {new.shown[:200]}"
            )
        return new


def request_headers(options: Options, url: Url) -> Mapping[str, str]:
    """What is sent with each request; the configured headers are the last word."""
    headers = {
        "Host": url.netloc,
        "User-Agent": f"agent/{__version__}",
        "Accept": "application/json, */*;q=0.5",
        "Accept-Encoding": "identity",
        "Connection": "keep-alive" if options.keep_open else "close",
    }
    if options.user:
        password = options.password.value if options.password else ""
        token = base64.b64encode(f"{options.user}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {token}"
    for header in options.headers:
        same = [name for name in headers if name.lower() == header.name.lower()]
        for name in same:
            del headers[name]
        headers[header.name] = header.content
    return headers


def read_body(response: http.client.HTTPResponse, limit: int) -> bytes:
    """All of the answer.

    Raises:
        ValueError: It is longer than the limit, or its length makes no sense.
        ConnectionAbortedError: It ended too early.
    """
    stated = {text.strip() for text in response.headers.get_all("Content-Length", [])}
    if not response.chunked and (len(stated) > 1 or not all(_is_length(text) for text in stated)):
        shown = ", ".join(sorted(stated))[:SHOWN]
        raise ValueError(f"wanted a length of the answer, got Content-Length {cleaned(shown)!r}")
    length = response.length
    if length is not None and length > limit:
        raise ValueError(_too_long(f"{length} bytes", limit))
    parts, got = [], 0
    while piece := response.read(min(PART, limit + 1 - got)):
        parts.append(piece)
        got += len(piece)
        if got > limit:
            raise ValueError(_too_long("more", limit))
    if length is not None and got < length:
        raise ValueError(f"wanted {length} bytes, got {got} before the connection was closed")
    return b"".join(parts)


def decode(response: http.client.HTTPResponse, body: bytes) -> Answer:
    """The JSON of an answer.

    Raises:
        RefusedError: The status says that there is none.
        ValueError: The body is none.
    """
    if response.status != http.client.OK:
        raise RefusedError(*_status_error(response))
    encoding = (response.getheader("Content-Encoding") or "identity").strip().lower()
    if encoding not in ("identity", ""):
        raise ValueError(f"wanted plain bytes, got them compressed ({cleaned(encoding)[:SHOWN]})")
    return parse(body)


def _host_of(base: str, location: str) -> str:
    """The host of an address that we can't read; what else is in it may be a secret."""
    try:
        parts = urlsplit(urljoin(base, location))
    except ValueError:
        return "another place"
    if not parts.hostname:
        return "another place"
    return repr(cleaned(f"{parts.scheme}://{parts.hostname}")[:SHOWN])


def _is_length(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _too_long(got: str, limit: int) -> str:
    return f"wanted at most {limit} bytes (max_bytes), got {got}; allow more or ask for less"


def _status_error(response: http.client.HTTPResponse) -> tuple[str, Reason]:
    status = response.status
    reason = cleaned(response.reason)[:SHOWN]
    text = f"HTTP status {status} {reason}".rstrip()
    match status:
        case 401 | 403:
            scheme = (response.getheader("WWW-Authenticate") or "").split(" ")[0].lower()
            if scheme in ("digest", "negotiate", "ntlm"):
                text += f": the device wants {scheme} authentication, only basic is there"
            return f"{text}; check user, password and headers", Reason.REFUSED
        case 404 | 410:
            return f"{text}; check the path in url", Reason.BAD_DATA
        case 429 | 503:
            return f"{text}; the device is busy, a longer interval_s may help", Reason.REFUSED
        case 204:
            return f"{text}; the device has nothing to say at this path", Reason.BAD_DATA
    return text, Reason.BAD_DATA


@contextmanager
def _http_errors() -> Iterator[None]:
    """Turn what ``http.client`` raises into what links and decoders raise."""
    try:
        yield
    except http.client.RemoteDisconnected as exc:
        raise ConnectionAbortedError("the device closed the connection, no answer came") from exc
    except http.client.BadStatusLine as exc:
        line = str(exc.args[0])
        if line.startswith(TLS_ALERT):
            raise ValueError("wanted HTTP, got TLS; is it https:// in place of http://?") from exc
        shown = cleaned(line)[:SHOWN]
        raise ValueError(f"wanted an answer in HTTP, got {shown!r}; is it the right port?") from exc
    except http.client.IncompleteRead as exc:
        raise ValueError("wanted a whole answer, got broken or missing chunks") from exc
    except http.client.HTTPException as exc:
        text = cleaned(str(exc))[:SHOWN]
        raise ValueError(f"wanted an answer in HTTP, got what is none: {text}") from exc
