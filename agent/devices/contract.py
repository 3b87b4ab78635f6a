"""What every driver promises, and the tools to keep it."""

import errno
import socket
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import attrs

from agent.errors import DeviceError
from agent.model import Metric, Reason, Value

UNREACHABLE = {
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.EHOSTDOWN,
    errno.ENETDOWN,
    errno.ENODEV,
    errno.ENXIO,
    errno.ENOENT,
    errno.EIO,
}


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
class Kind:
    """A kind of device: its options and how to make its driver from them."""

    options: type[Any]
    driver: Callable[[Any, float], Driver]  # (options, timeout_s)
    summary: str
    interval_s: float = 1.0
    min_interval_s: float = 0.01
    timeout_s: float = 3.0
    backoff_floor_s: float = 0.0
    is_single: bool = False  # at most one device of it can be polled


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
    except socket.gaierror as exc:
        raise DeviceError(f"{doing}: name not known: {exc.strerror}", Reason.UNREACHABLE) from exc
    except PermissionError as exc:
        raise DeviceError(f"{doing}: permission denied", Reason.REFUSED) from exc
    except OSError as exc:
        reason = Reason.UNREACHABLE if exc.errno in UNREACHABLE else Reason.BAD_DATA
        raise DeviceError(f"{doing}: {exc.strerror or exc}", reason) from exc
    except (ValueError, IndexError, KeyError, struct.error, OverflowError) as exc:
        raise DeviceError(f"{doing}: {exc}", Reason.BAD_DATA) from exc


def hex_bytes(data: bytes, limit: int = 16) -> str:
    """Bytes for an error text, cut.

    >>> hex_bytes(bytes([11, 184, 0]))
    '0b b8 00'
    """
    text = data[:limit].hex(" ")
    return f"{text} ... ({len(data)} bytes)" if len(data) > limit else text
