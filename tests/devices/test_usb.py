"""Serial ports are told from other files, and by their USB ids, without opening them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.devices.links.usb import is_serial_port, usb_id

USB_DEVICE = "devices/pci0000:00/usb1/1-2"


@pytest.fixture
def sys(tmp_path: Path) -> Path:
    """A /sys with a USB modem, a USB adapter and a port of the mainboard."""
    root = tmp_path / "sys"
    folders = {
        "ttyACM0": f"{USB_DEVICE}/1-2:1.0",
        "ttyUSB0": f"{USB_DEVICE}/1-2:1.1/ttyUSB0",
        "ttyS0": "devices/pnp0/00:05",
    }
    for name, folder in folders.items():
        (root / folder).mkdir(parents=True)
        (root / "class/tty" / name).mkdir(parents=True)
        (root / "class/tty" / name / "device").symlink_to(root / folder)
    (root / "class/tty/tty1").mkdir()
    (root / USB_DEVICE / "idVendor").write_text("0483\n")
    (root / USB_DEVICE / "idProduct").write_text("5740\n")
    return root


@pytest.fixture
def pseudo_terminal() -> Iterator[str]:
    master, slave = os.openpty()
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("ttyACM0", (0x0483, 0x5740)),
        ("ttyUSB0", (0x0483, 0x5740)),
        ("ttyS0", None),
        ("tty1", None),
        ("ttyACM9", None),
    ],
)
def test_usb_ids_are_those_of_the_device_above_the_port(
    sys: Path, name: str, ids: tuple[int, int] | None
) -> None:
    assert usb_id(f"/dev/{name}", sys) == ids


@pytest.mark.parametrize("content", ["", "no number\n", "\xff"])
def test_ids_that_cannot_be_read_are_none(sys: Path, content: str) -> None:
    (sys / USB_DEVICE / "idProduct").write_text(content, "latin-1")

    assert usb_id("/dev/ttyACM0", sys) is None


def test_a_link_by_id_has_the_ids_of_its_port(sys: Path, tmp_path: Path) -> None:
    link = tmp_path / "usb-STMicroelectronics-if00"
    link.symlink_to("/dev/ttyACM0")

    assert usb_id(str(link), sys) == (0x0483, 0x5740)


def test_a_pseudo_terminal_is_a_port_without_ids(pseudo_terminal: str, tmp_path: Path) -> None:
    link = tmp_path / "port"
    link.symlink_to(pseudo_terminal)

    assert is_serial_port(str(link))
    assert usb_id(str(link)) is None


@pytest.mark.parametrize("path", ["/dev/null", "/dev/watchdog", "/dev", "/etc/passwd", "/no", "\0"])
def test_anything_else_is_no_port(path: str) -> None:
    assert not is_serial_port(path)


def test_a_terminal_device_is_a_port_if_there_is_hardware_behind_it(sys: Path) -> None:
    (sys / "class/tty/null").mkdir()
    before = is_serial_port("/dev/null", sys)

    (sys / "class/tty/null/device").mkdir()

    assert not before
    assert is_serial_port("/dev/null", sys)
