"""What Linux tells of a serial port without opening it: whether it is one, and its USB ids."""

import os
import stat
from pathlib import Path
from typing import Final

SYS: Final = Path("/sys")
PSEUDO_MAJORS: Final = range(136, 144)  # device numbers of pseudo-terminals
LEVELS: Final = 4  # from a port up to its USB device there are 1 or 2


def is_serial_port(path: str, sys: Path = SYS) -> bool:
    """Whether a path leads to a serial port or a pseudo-terminal; nothing is opened.

    Opening is not harmless for all devices: a watchdog restarts the machine.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - of what the path leads to
    except (OSError, ValueError):
        return False
    if not stat.S_ISCHR(status.st_mode):
        return False
    if os.major(status.st_rdev) in PSEUDO_MAJORS:
        return True
    folder = _folder(status.st_rdev, sys)
    is_terminal = (folder / "subsystem").resolve().name == "tty"
    return is_terminal and (folder / "device").exists()


def usb_id(path: str, sys: Path = SYS) -> tuple[int, int] | None:
    """Vendor and product id of the USB device behind a serial port; ``None`` where none is seen."""
    try:
        number = os.stat(path).st_rdev  # noqa: PTH116 - of what the path leads to
        device = (_folder(number, sys) / "device").resolve(strict=True)
        for folder in (device, *device.parents)[:LEVELS]:
            if (folder / "idVendor").exists():
                vendor = (folder / "idVendor").read_text("ascii")
                product = (folder / "idProduct").read_text("ascii")
                return int(vendor, 16), int(product, 16)
    except (OSError, ValueError):
        pass
    return None


def _folder(number: int, sys: Path) -> Path:
    """What the kernel tells of a device, by its number: containers may call it anything."""
    return sys / "dev/char" / f"{os.major(number)}:{os.minor(number)}"


def usb_text(usb: tuple[int, int]) -> str:
    """The ids as ``lsusb`` shows them.

    >>> usb_text((0x0483, 0x5740))
    '0483:5740'
    """
    return f"{usb[0]:04x}:{usb[1]:04x}"
