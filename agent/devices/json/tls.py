"""TLS over any link, in time: the bytes go through memory, so that each step obeys the deadline."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, TypeVar

from agent.clock import Deadline
from agent.devices.json.values import RefusedError
from agent.devices.links.link import Link
from agent.model import Reason

T = TypeVar("T")
PIECE: Final = 16384  # bytes; the longest record of TLS
NOT_HTTPS: Final = "is it http:// in place of https://?"
OF_TIME: Final = ("expired", "not yet valid")
NO_TLS: Final = (
    "WRONG_VERSION_NUMBER",
    "RECORD_LAYER_FAILURE",
    "HTTP_REQUEST",
    "HTTPS_PROXY_REQUEST",
)


def make_context(*, verify: bool) -> ssl.SSLContext:
    """The system's certificates, or none: then any device is taken for the one that is meant."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class TlsLink:
    """A link inside another one."""

    def __init__(self, link: Link, context: ssl.SSLContext, host: str, deadline: Deadline) -> None:
        """Shake hands.

        Raises:
            RefusedError: The certificate is not trusted, or the far end speaks no TLS.
            OSError: As the link.
        """
        self._link = link
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=host)
        try:
            self._run(self._tls.do_handshake, deadline)
        except TimeoutError as exc:
            text = f"no handshake of TLS within {deadline.timeout_s:g} s; {NOT_HTTPS}"
            raise RefusedError(text, Reason.TIMEOUT) from exc

    def send(self, data: bytes, deadline: Deadline) -> None:
        self._run(lambda: self._tls.write(data), deadline)

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        data = self._run(lambda: self._tls.read(limit), deadline)
        if not data:
            raise ConnectionAbortedError("the device closed the connection")
        return data

    def receive_now(self, limit: int) -> bytes:
        self._in.write(self._link.receive_now(PIECE))
        with _errors():
            try:
                return self._tls.read(limit)
            except ssl.SSLWantReadError:
                return b""

    def close(self) -> None:
        self._link.close()

    def _run(self, step: Callable[[], T], deadline: Deadline) -> T:
        """Do a step of TLS, with as many bytes from the far end as it takes."""
        while True:
            try:
                with _errors():
                    done = step()
            except ssl.SSLWantReadError:
                self._flush(deadline)
            except RefusedError:
                with suppress(OSError):  # the far end is told why, if it still listens
                    self._flush(deadline)
                raise
            else:
                self._flush(deadline)
                return done
            self._in.write(self._link.receive(PIECE, deadline))

    def _flush(self, deadline: Deadline) -> None:
        if data := self._out.read():
            self._link.send(data, deadline)


@contextmanager
def _errors() -> Iterator[None]:
    """Turn the errors of TLS into texts that say what to do."""
    try:
        yield
    except ssl.SSLWantReadError:
        raise
    except (ssl.SSLZeroReturnError, ssl.SSLEOFError) as exc:
        raise ConnectionAbortedError("the device closed the connection") from exc
    except ssl.SSLCertVerificationError as exc:
        raise RefusedError(_not_trusted(exc.verify_message), Reason.REFUSED) from exc
    except ssl.SSLError as exc:
        raise RefusedError(_no_tls(exc.reason or str(exc)), Reason.BAD_DATA) from exc


def _not_trusted(why: str) -> str:
    hint = "a device that made its own certificate is read with verify_tls = false"
    if any(word in why for word in OF_TIME):
        hint = "check the date of this computer; verify_tls = false takes it all the same"
    return f"its certificate is not trusted: {why.rstrip('.')}; {hint}"


def _no_tls(reason: str) -> str:
    if reason in NO_TLS:
        return f"wanted TLS, got something else; {NOT_HTTPS}"
    return f"TLS failed: {reason.lower().replace('_', ' ')}"
