"""The serial ports of this machine, and which of them may be asked."""

import glob
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs

from agent.devices.links.usb import is_serial_port


@attrs.frozen
class SerialPort:
    """One port; ``usb`` is (vendor, product) where it is one of USB."""

    path: str
    usb: tuple[int, int] | None = None


def attached_ports() -> Sequence[SerialPort]:
    """Every port that the kernel has, in the order of their names; none is opened."""
    from serial.tools.list_ports import comports

    found = [
        SerialPort(port.device, (port.vid, port.pid) if port.vid and port.pid else None)
        for port in comports()
    ]
    return sorted(found, key=lambda port: (len(port.path), port.path))


def named_ports(patterns: Iterable[str]) -> tuple[Sequence[str], Sequence[str]]:
    """The ports that a user means, each once whatever leads there; and what is wrong with names."""
    paths: dict[str, str] = {}
    warnings = []
    for pattern in patterns:
        whole = str(Path(pattern).expanduser()) if pattern.startswith("~/") else pattern
        is_glob = glob.has_magic(whole)
        found = sorted(glob.glob(whole)) if is_glob else [whole]  # noqa: PTH207 - takes any path
        if not found or not os.path.lexists(found[0]):
            warnings.append(f"{pattern}: there is no such serial port; is the device plugged in?")
            continue
        for path in found:
            if not is_serial_port(path):
                warnings.append(f"{path}: it is no serial port")
                continue
            paths.setdefault(os.path.realpath(path), path)
    return list(paths.values()), warnings
