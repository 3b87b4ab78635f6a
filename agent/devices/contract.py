"""What every driver promises, and the tools to keep it."""

import errno
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Network
from typing import Any, Protocol

import attrs

from agent.errors import DeviceError
from agent.model import Metric, Reason, Value

REASONS = dict.fromkeys((errno.EBUSY,), Reason.REFUSED) | dict.fromkeys(
    (
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        errno.EHOSTDOWN,
        errno.ENETDOWN,
        errno.ENODEV,
        errno.ENXIO,
        errno.ENOENT,
        errno.EIO,
    ),
    Reason.UNREACHABLE,
)


class Driver(Protocol):
    """Reads one device. The constructor does no I/O; ``read()`` connects when it has to.

    After any error the poller calls ``close()``, and the next ``read()`` connects again.
    A driver knows neither the time nor its own name, and has no code that writes to a device.
    """

    @property
    def metrics(self) -> Sequence[Metric]:
        """What the device offers, in order, as far as it is known by now.

        The same object until it changes: a new one is what tells that units are to be stored.
        """

    def read(self) -> Mapping[str, Value]:
        """All values now, within the time-out given at construction.

        Raises:
            DeviceError: With where, what was wanted and what came instead.
        """

    def describe(self) -> Sequence[str]:
        """What was found at the device, a sentence each; asked for once after connecting."""

    def warnings(self) -> Sequence[str]:
        """What is wrong though the read succeeded, a sentence each; asked for after every read.

        Such as tags that can't be read, or values that are not of one moment.
        """

    def close(self) -> None:
        """Let go of everything; twice is fine."""


@attrs.frozen
class Found:
    """A device that was found: what ``agent discover`` shows and ``agent init`` writes.

    Args:
        where: ``host:port``, a serial port, or what else leads there.
        options: What the ``[[device]]`` table has to say, name and kind aside; an option whose
            value is a list of mappings becomes tables, as ``tag`` does.
        facts: What the device says of itself, such as ``uid`` and ``firmware``.
        note: What a user should know or do, a sentence; empty when all is well.
    """

    where: str
    options: Mapping[str, Any]
    facts: Mapping[str, str] = attrs.Factory(dict)
    note: str = ""


@attrs.frozen
class TcpProbe:
    """Asks whether a device of the kind is at a host and port, with read requests alone.

    Args:
        ports: Where one may be, the likeliest first; when it is found the others aren't asked.
        probe: Called with (host, port, timeout_s) where the port has just accepted a connection.
        pause_s: What a device needs between two connections.
    """

    ports: tuple[int, ...]
    probe: Callable[[str, int, float], Found | None]
    pause_s: float = 0.1


@attrs.frozen
class SerialProbe:
    """Asks whether a device of the kind is at a serial port; ``usb`` are the ids it may have."""

    probe: Callable[[str, float], Found | None]  # (path, timeout_s)
    usb: tuple[tuple[int, int], ...]  # (vendor, product)


@attrs.frozen
class BroadcastProbe:
    """Calls out on one network and collects who of it answers, without connecting to anybody.

    What it finds may be without facts: the search then asks each ``host`` at its ``port`` by the
    ``TcpProbe`` of the kind that has this port.
    """

    probe: Callable[[IPv4Network, float], Sequence[Found]]  # (network, timeout_s)


@attrs.frozen
class LocalProbe:
    """Looks at this machine itself."""

    probe: Callable[[], Sequence[Found]]


Probe = TcpProbe | SerialProbe | BroadcastProbe | LocalProbe


@attrs.frozen
class Kind:
    """A kind of device: its options, how to make its driver from them, and how to find one.

    A kind is loaded wherever its options are checked. So ``driver`` and the functions of the probes
    import what they need when they are called.

    A probe raises ``DeviceError`` when something is there that can't be read, and gives ``None``
    for anything that is no device of the kind.
    """

    options: type[Any]
    driver: Callable[[Any, float], Driver]  # (options, timeout_s)
    summary: str
    interval_s: float = 1.0
    min_interval_s: float = 0.01
    timeout_s: float = 3.0
    backoff_floor_s: float = 0.0
    is_single: bool = False  # at most one device of it can be polled
    probes: Sequence[Probe] = ()


@contextmanager
def device_errors(doing: str) -> Iterator[None]:
    """Turn what sockets, files and decoders raise into ``DeviceError("{doing}: ...")``."""
    try:
        yield
    except DeviceError:
        raise
    except TimeoutError as exc:
        text = str(exc) if str(exc) and exc.errno is None else "no answer in time"
        raise DeviceError(f"{doing}: {text}", Reason.TIMEOUT) from exc
    except ConnectionRefusedError as exc:
        raise DeviceError(f"{doing}: connection refused", Reason.REFUSED) from exc
    except ConnectionError as exc:
        text = exc.strerror or str(exc) or "connection lost"
        raise DeviceError(f"{doing}: {text}", Reason.UNREACHABLE) from exc
    except PermissionError as exc:
        text = exc.strerror or "permission denied"
        raise DeviceError(f"{doing}: {text[:1].lower()}{text[1:]}", Reason.REFUSED) from exc
    except OSError as exc:
        import socket  # here: whoever needs the options alone does without

        if isinstance(exc, socket.gaierror):
            text = f"{doing}: name not known: {exc.strerror}"
            raise DeviceError(text, Reason.UNREACHABLE) from exc
        reason = REASONS.get(exc.errno or 0, Reason.BAD_DATA)
        raise DeviceError(f"{doing}: {exc.strerror or exc}", reason) from exc
    except (ValueError, IndexError, KeyError, struct.error, OverflowError) as exc:
        raise DeviceError(f"{doing}: {exc}", Reason.BAD_DATA) from exc


def address_of(host: str, port: int) -> str:
    """A host and a port as texts show them.

    >>> address_of("10.0.0.7", 8889), address_of("fd00::7", 8889)
    ('10.0.0.7:8889', '[fd00::7]:8889')
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def hex_bytes(data: bytes, limit: int = 16) -> str:
    """Bytes for an error text, cut.

    >>> hex_bytes(bytes([11, 184, 0]))
    '0b b8 00'
    """
    text = data[:limit].hex(" ")
    return f"{text} ... ({len(data)} bytes)" if len(data) > limit else text
