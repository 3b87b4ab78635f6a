"""TCP links for drivers: the look-up of a name and connecting share one deadline."""

import errno
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from agent.clock import Deadline
from agent.devices.contract import device_errors
from agent.errors import DeviceError
from agent.model import Reason

# What only says that this machine has no way to an address, such as one of IPv6 without IPv6.
NO_WAY: Final = (
    errno.EAFNOSUPPORT,
    errno.EPROTONOSUPPORT,
    errno.EADDRNOTAVAIL,
    errno.ENETUNREACH,
)

Address = tuple[Any, ...]  # as sockets take it, another shape for each family
Found = tuple[socket.AddressFamily, socket.SocketKind, int, str, Address]


class LookUpTimeoutError(TimeoutError):
    """A name could not be looked up in time."""


class LookUp:
    """Where the host of one driver is, in time even where the system's resolver hangs.

    The resolver knows no deadline, so it runs in a thread of its own. At most one is under way:
    a later call waits for the answer that an earlier one did not get. That answer is used once;
    nothing else is kept, so a device that gets a new address is found at the next connecting.

    Args:
        resolve: Called as ``socket.getaddrinfo``.
    """

    def __init__(
        self, host: str, port: int, resolve: Callable[..., Sequence[Found]] = socket.getaddrinfo
    ) -> None:
        self.host = host
        self.port = port
        self._resolve = resolve
        self._pending: _Question | None = None

    def addresses(self, deadline: Deadline) -> Sequence[Found]:
        """One or more; a host that is an address needs no look-up.

        Raises:
            LookUpTimeoutError: No answer in time.
            OSError, ValueError: There is no such name, or it is none.
        """
        try:
            kind, numeric = socket.SOCK_STREAM, socket.AI_NUMERICHOST
            return socket.getaddrinfo(self.host, self.port, type=kind, flags=numeric)
        except socket.gaierror:  # a name
            pass
        question = self._ask()
        question.join(deadline.left_s())
        if question.is_alive():
            raise LookUpTimeoutError(
                f"the name {self.host!r} could not be looked up within {deadline.timeout_s:g} s; "
                "check the name server, or use the address"
            )
        self._pending = None
        if question.error is not None:
            raise question.error
        return question.found

    def _ask(self) -> "_Question":
        pending = self._pending
        if pending is None or pending.has_failed:
            self._pending = pending = _Question(self._resolve, self.host, self.port)
            pending.start()
        return pending


class _Question(threading.Thread):
    """One look-up; nothing can stop it, so nothing waits for its end."""

    def __init__(self, resolve: Callable[..., Sequence[Found]], host: str, port: int) -> None:
        super().__init__(name=f"look-up of {host}", daemon=True)
        self._resolve = resolve
        self._asked = host, port
        self.found: Sequence[Found] = ()
        self.error: OSError | ValueError | None = None

    @property
    def has_failed(self) -> bool:
        """Whether it ended with an error, which may be out of date by now."""
        return not self.is_alive() and self.error is not None

    def run(self) -> None:
        try:
            self.found = self._resolve(*self._asked, type=socket.SOCK_STREAM)
        except (OSError, ValueError) as exc:
            self.error = exc


def open_socket(look_up: LookUp, deadline: Deadline) -> socket.socket:
    """Connected socket; the addresses of a name share what is left of the deadline."""
    found = look_up.addresses(deadline)
    errors: list[OSError] = []
    for left, each in zip(range(len(found), 0, -1), found, strict=True):
        try:
            return _connected(each, deadline.left_s() / left)
        except OSError as exc:
            errors.append(exc)
    if not errors:
        raise OSError(f"no address for {look_up.host!r}")
    try:
        raise min(errors, key=lambda exc: exc.errno in NO_WAY)  # the first that tells of the device
    finally:
        errors.clear()  # they hold this frame, and it them


def _connected(found: Found, timeout_s: float) -> socket.socket:
    family, kind, protocol, _, address = found
    connected = socket.socket(family, kind, protocol)
    try:
        connected.settimeout(timeout_s)
        connected.connect(address)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connected.close()
        raise
    return connected


def numeric(address: Address) -> str:
    """The address without its port; one of an interface alone has that with it, as ``%eth0``."""
    host = str(address[0])
    scope = address[3] if len(address) == 4 else 0
    if not scope or "%" in host:
        return host
    try:
        return f"{host}%{socket.if_indextoname(scope)}"
    except OSError:  # it is gone
        return f"{host}%{scope}"


def is_interface(name: str) -> bool:
    """Whether this machine has a network interface of this name or number."""
    try:
        if name.isdecimal() and name.isascii():
            return bool(socket.if_indextoname(int(name)))
        return bool(socket.if_nametoindex(name))
    except (OSError, ValueError, OverflowError):
        return False


class TcpLink:
    """A link over a connected socket."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def send(self, data: bytes, deadline: Deadline) -> None:
        self._socket.settimeout(deadline.left_s())
        self._socket.sendall(data)

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        self._socket.settimeout(deadline.left_s())
        data = self._socket.recv(limit)
        if not data:
            raise ConnectionAbortedError("the device closed the connection")
        return data

    def receive_now(self, limit: int) -> bytes:
        self._socket.settimeout(0)
        try:
            return self._socket.recv(limit)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        self._socket.close()


def tcp_opener(look_up: LookUp) -> Callable[[Deadline], TcpLink]:
    """Opens links to one host and port."""
    return lambda deadline: TcpLink(open_socket(look_up, deadline))


@contextmanager
def connecting(where: str, timeout_s: float, refused: str, late: str = "") -> Iterator[None]:
    """Turn what fails on the way to a device into errors that say what to check.

    Args:
        where: ``host:port``.
        refused: What it may be when nothing listens there.
        late: What else it may be when nothing answers, beside host, network and firewall.
    """
    doing = f"connecting to {where}"
    with device_errors(doing):
        try:
            yield
        except ConnectionRefusedError as exc:
            text = f"{doing}: connection refused: {refused}"
            raise DeviceError(text, Reason.REFUSED) from exc
        except LookUpTimeoutError:
            raise
        except TimeoutError as exc:
            text = f"no connection within {timeout_s:.3g} s; check host, network and firewall"
            raise TimeoutError(f"{text}; {late}" if late else text) from exc
