"""Addresses and headers of HTTP requests, checked before anything is sent."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Final

import attrs

from agent.config.faults import ReferencedText
from agent.config.options import HostName, Length, OptionFault, Secret

PORTS: Final = {"http": 80, "https": 443}
TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
SAFE: Final = "!#$%&'()*+,/:;=?@[]~"  # what stays as it is written in path and query
OWN: Final = ("connection", "content-length", "transfer-encoding", "accept-encoding", "te")
SECRET: Final = re.compile(r"auth|cookie|pass|token|secret|key|credential", re.IGNORECASE)
URL_FORM: Final = 'an address such as "http://192.168.0.10/status.json"'


class UrlError(ValueError):
    """A text that is no URL we can read from; with what is allowed, and a hint."""

    def __init__(self, allowed: str = URL_FORM, hint: str = "", found: str = "") -> None:
        super().__init__(f"{allowed}{hint}")
        self.found = found  # in place of the text, which has a password in it
        self.allowed = allowed
        self.hint = hint


@attrs.frozen
class Url:
    """An URL in its parts; ``target`` is path and query, quoted as the request says them.

    ``shown`` is for texts: without the query, which may hold a key, and of an URL that came from
    a file or the environment without the path too.
    """

    is_tls: bool
    host: str
    port: int
    netloc: str
    target: str
    shown: str

    @property
    def origin(self) -> tuple[bool, str, int]:
        """What two URLs have in common that lead to the same server."""
        return self.is_tls, self.host.lower(), self.port


@attrs.frozen
class Header:
    """One header of the request, with a value that may be shown or with a secret."""

    name: Annotated[str, Length(1, 100)]
    value: Annotated[str, Length(0, 4000)] = ""
    secret: Secret | None = None

    @property
    def content(self) -> str:
        """The value, whichever it is."""
        return self.value if self.secret is None else self.secret.value


def parse_url(text: str) -> Url:
    """The parts of an URL.

    >>> parse_url("http://10.0.0.7:8080/api/state?key=1").shown
    'http://10.0.0.7:8080/api/state'

    Raises:
        UrlError: It is none, or one that we can't read from.
    """
    from urllib.parse import quote, urlsplit

    if re.search(r"\s", text) or CONTROL.search(text):
        raise UrlError(hint=", without blanks; in a path a blank is %20")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as exc:
        raise UrlError(hint=f", {str(exc)[:1].lower()}{str(exc)[1:]}") from exc
    if parts.scheme not in PORTS or not text.lower().startswith(f"{parts.scheme}://"):
        hint = "" if parts.scheme in PORTS or "://" in text else f", as in {'http://' + text!r}"
        raise UrlError(f"{URL_FORM}, http or https", hint[:80])
    if parts.username is not None or parts.password is not None:
        hint = ": these are options of their own"
        raise UrlError("an address without user and password", hint, "user and password in it")
    if not parts.hostname or not HostName().allows(parts.hostname) or port == 0:
        raise UrlError(hint=", with a host name or an address in it")
    target = quote(parts.path or "/", safe=f"{SAFE}%")
    if parts.query:
        target += f"?{quote(parts.query, safe=f'{SAFE}%')}"
    netloc = parts.netloc
    shown = f"{parts.scheme}://{netloc}"
    if not isinstance(text, ReferencedText):
        shown += quote(parts.path, safe=f"{SAFE}%")
    is_tls = parts.scheme == "https"
    return Url(is_tls, parts.hostname, port or PORTS[parts.scheme], netloc, target, shown)


def text_faults(key: str, text: str, allowed: str) -> Iterator[OptionFault]:
    """A text that has to stand on one line."""
    if CONTROL.search(text.replace("\t", "")):
        yield OptionFault(key, text, allowed)


def header_faults(
    headers: Sequence[Header], user: str, password: Secret | None
) -> Iterator[OptionFault]:
    """Headers that can't be sent, that we send ourselves, or whose secret stands written out."""
    seen: set[str] = set()
    for number, header in enumerate(headers, 1):
        key = f"headers[{number}]"
        yield from _name_faults(f"{key}.name", header)
        yield from _content_faults(key, header)
        if header.name.lower() in seen:
            yield OptionFault(f"{key}.name", header.name, "a name that no other header has")
        seen.add(header.name.lower())
    if user and "authorization" in seen:
        yield OptionFault("user", user, "no user: there is a header Authorization")
    if ":" in user or CONTROL.search(user):
        yield OptionFault("user", user, "a name on one line, without a colon")
    if password is not None and not user:
        yield OptionFault("user", "nothing", "a name, since password is given")
    if password is not None and CONTROL.search(password.value):
        yield OptionFault("password", "line breaks in it", "a text on one line")


def _name_faults(key: str, header: Header) -> Iterator[OptionFault]:
    if not TOKEN.fullmatch(header.name):
        allowed = 'the name of a header such as "X-Api-Key", without blanks and colons'
        yield OptionFault(key, header.name, allowed)
    if header.name.lower() in OWN:
        yield OptionFault(key, header.name, "another, this one is set by itself")
    if header.value and SECRET.search(header.name):
        allowed = 'with this name secret = { env = "NAME" } or { file = "path" } for value'
        yield OptionFault(key, header.name, allowed)


def _content_faults(key: str, header: Header) -> Iterator[OptionFault]:
    if header.value and header.secret is not None:
        yield OptionFault(f"{key}.value", "a value and a secret", "one of the two")
    elif not header.content:
        yield OptionFault(f"{key}.secret", "nothing", "a secret, or a value")
    elif CONTROL.search(header.content):
        word = "value" if header.secret is None else "secret"
        yield OptionFault(f"{key}.{word}", "line breaks in it", "a text on one line")
