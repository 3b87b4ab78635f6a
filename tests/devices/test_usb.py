"""Serial ports are told from other files, and by their USB ids, without opening them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.devices.links.usb import PSEUDO_MAJORS, is_serial_port, usb_id

USB_DEVICE = "devices/pci0000:00/usb1/1-2"
PORTS = {  # devices that every machine has stand for them
    "/dev/null": f"{USB_DEVICE}/1-2:1.0/tty/ttyACM0",
    "/dev/zero": f"{USB_DEVICE}/1-2:1.1/ttyUSB0/tty/ttyUSB0",
    "/dev/full": "devices/pnp0/00:05/tty/ttyS0",
}
CONSOLE = "/dev/random"
HARDWARE = "/dev/urandom"  # but no terminal, such as a watchdog


@pytest.fixture
def sys(tmp_path: Path) -> Path:
    """A /sys with a USB modem, a USB adapter, a port of the mainboard, and what is no port."""
    root = tmp_path / "sys"
    for path, folder in PORTS.items():
        add(root, path, folder, "tty")
        (root / folder / "device").symlink_to(root / Path(folder).parents[1])
    add(root, CONSOLE, "devices/virtual/tty/tty1", "tty")
    add(root, HARDWARE, "devices/watchdog/watchdog0", "watchdog")
    (root / "devices/watchdog/watchdog0/device").symlink_to(root / "devices/watchdog")
    (root / USB_DEVICE / "idVendor").write_text("0483\n")
    (root / USB_DEVICE / "idProduct").write_text("5740\n")
    return root


def add(root: Path, path: str, folder: str, subsystem: str) -> None:
    """What /sys tells of a device: its folder by number, and of which sort it is."""
    number = Path(path).stat().st_rdev
    (root / folder).mkdir(parents=True)
    (root / "class" / subsystem).mkdir(parents=True, exist_ok=True)
    (root / folder / "subsystem").symlink_to(root / "class" / subsystem)
    (root / "dev/char").mkdir(parents=True, exist_ok=True)
    (root / f"dev/char/{os.major(number)}:{os.minor(number)}").symlink_to(root / folder)


@pytest.fixture
def pseudo_terminal() -> Iterator[str]:
    master, slave = os.openpty()
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        ("/dev/null", (0x0483, 0x5740)),
        ("/dev/zero", (0x0483, 0x5740)),
        ("/dev/full", None),
        (CONSOLE, None),
        ("/dev/tty", None),
        ("/dev/none", None),
    ],
)
def test_usb_ids_are_those_of_the_device_above_the_port(
    sys: Path, path: str, ids: tuple[int, int] | None
) -> None:
    assert usb_id(path, sys) == ids


@pytest.mark.parametrize("content", ["", "no number\n", "\xff"])
def test_ids_that_cannot_be_read_are_none(sys: Path, content: str) -> None:
    (sys / USB_DEVICE / "idProduct").write_text(content, "latin-1")

    assert usb_id("/dev/null", sys) is None


def test_a_link_by_id_has_the_ids_of_its_port(sys: Path, tmp_path: Path) -> None:
    link = tmp_path / "usb-STMicroelectronics-if00"
    link.symlink_to("/dev/null")

    assert usb_id(str(link), sys) == (0x0483, 0x5740)


def test_a_pseudo_terminal_is_a_port_without_ids(pseudo_terminal: str, tmp_path: Path) -> None:
    link = tmp_path / "port"
    link.symlink_to(pseudo_terminal)

    assert is_serial_port(str(link))
    assert usb_id(str(link)) is None


@pytest.mark.parametrize("path", ["/dev/null", "/dev/watchdog", "/dev", "/etc/passwd", "/no", "\0"])
def test_anything_else_is_no_port(path: str) -> None:
    assert not is_serial_port(path)


@pytest.mark.parametrize("path", PORTS)
def test_a_terminal_device_with_hardware_behind_it_is_a_port_whatever_its_name(
    sys: Path, path: str
) -> None:
    assert is_serial_port(path, sys)


@pytest.mark.parametrize("path", [CONSOLE, HARDWARE, "/dev/tty"])
def test_a_terminal_without_hardware_and_hardware_without_a_terminal_are_none(
    sys: Path, path: str
) -> None:
    assert not is_serial_port(path, sys)


def test_a_pseudo_terminal_is_a_port_whatever_its_name(pseudo_terminal: str) -> None:
    number = Path(pseudo_terminal).stat().st_rdev

    assert os.major(number) in PSEUDO_MAJORS
    assert not is_serial_port("/dev/pts/ptmx")
