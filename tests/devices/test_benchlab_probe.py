"""What discovery learns of a serial port that may have a BENCHLAB board."""

import os
import pty
import tty
from pathlib import Path

import pytest

from agent.config.structure import structure
from agent.devices.benchlab import KIND, Options
from agent.devices.benchlab.probe import probe
from agent.devices.contract import Found, SerialProbe
from agent.errors import DeviceError
from hw_sim.benchlab import BenchlabSimulator

TIMEOUT_S = 3.0


@pytest.mark.parametrize(
    ("product", "firmware", "title"),
    [("original", 2, "BENCHLAB"), ("original", 6, "BENCHLAB"), ("bl2", 7, "BENCHLAB 2")],
)
def test_a_board_tells_its_facts(tmp_path: Path, product: str, firmware: int, title: str) -> None:
    with BenchlabSimulator(tmp_path / "board", product, firmware) as board:
        found = probe(str(board.path), TIMEOUT_S)

    facts = {
        "uid": board.uid,
        "firmware": f"{firmware}",
        "product": title,
        "name": "bench 1",
    }
    path = str(tmp_path / "board")
    assert found == Found(path, {"uid": board.uid, "port": path}, facts)
    assert found is not None
    assert structure(found.options, Options) == (Options(board.uid, path), [])
    assert board.write_requests == 0


@pytest.mark.parametrize(
    ("fault", "missing", "note"),
    [
        ("no-uid", "uid", "the board does not tell its UID"),
        ("no-vendor", "firmware", "the board does not tell its firmware"),
    ],
)
def test_a_board_without_uid_or_firmware_is_found_with_a_note(
    tmp_path: Path, fault: str, missing: str, note: str
) -> None:
    with BenchlabSimulator(tmp_path / "board") as board:
        board.set_fault(fault)
        found = probe(str(board.path), TIMEOUT_S)

    assert found is not None
    assert missing not in found.facts
    assert found.facts["name"] == "bench 1"
    assert found.options["port"] == str(board.path)
    assert ("uid" in found.options) is (missing != "uid")
    assert found.note.startswith(note)


@pytest.mark.parametrize("fault", ["silent", "vendor", "garbage"])
def test_anything_else_is_no_board(tmp_path: Path, fault: str) -> None:
    with BenchlabSimulator(tmp_path / "board") as board:
        board.set_fault(fault)
        found = probe(str(board.path), 0.3)

    assert found is None


def test_a_device_that_echoes_is_no_board(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    tty.setraw(slave)
    try:
        os.write(master, b"$GPRMC,1,2,3\r\n")

        found = probe(os.ttyname(slave), 0.3)
    finally:
        os.close(master)
        os.close(slave)

    assert found is None


def test_an_unknown_product_is_an_error_that_says_so(tmp_path: Path) -> None:
    with BenchlabSimulator(tmp_path / "board") as board:
        board.set_fault("product:19")
        with pytest.raises(DeviceError, match=r"board: wanted product 0x10 .* got 0x13"):
            probe(str(board.path), TIMEOUT_S)


def test_a_port_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=f"^{tmp_path}/none: no such serial port"):
        probe(f"{tmp_path}/none", TIMEOUT_S)


def test_only_ports_with_the_usb_ids_of_a_board_are_probed(tmp_path: Path) -> None:
    (found,) = KIND.probes

    assert isinstance(found, SerialProbe)
    assert found.usb == ((0x0483, 0x5740),)
    with pytest.raises(DeviceError, match="no such serial port"):
        found.probe(f"{tmp_path}/none", TIMEOUT_S)
