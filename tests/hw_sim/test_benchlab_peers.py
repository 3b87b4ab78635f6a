"""The maker's own library reads the simulated boards, and gets what our driver gets."""

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.devices.benchlab import Options
from agent.devices.benchlab.driver import Benchlab
from agent.devices.benchlab.layout import PRODUCTS, layout_for
from hw_sim.benchlab import BenchlabSimulator
from hw_sim.benchlab.wire import PRODUCTS as SIMULATED_PRODUCTS
from hw_sim.benchlab.wire import welcome

pytestmark = pytest.mark.peer

PAIRS = [*(("original", firmware) for firmware in range(2, 7)), *(("bl2", f) for f in range(3, 8))]
TIMEOUT_S = 30.0  # a second for each old firmware: the library waits for the longer greeting
READER = """
import json, sys
import serial
from benchlab_pycore import core
from benchlab_pycore.core import serial_io

read = []
for path in sys.argv[1:]:
    with serial.Serial(path, 115200, timeout=1, rtscts=False, dsrdtr=False) as port:
        serial_io._drain_unsolicited_welcome(port)
        read.append({
            "is_there": core.ping(port),
            "device": core.read_device(port),
            "uid": core.read_uid(port),
            "name": core.read_name(port),
            "values": core.translate_sensor_struct(core.read_sensors(port)),
        })
print(json.dumps(read))
"""
CONTRACTS = """
import json
from benchlab_pycore.core.contract import available, contract_for

print(json.dumps([
    [*pair, *(contract_for(*pair).response_size(name) for name in ("WELCOME", "READ_SENSORS"))]
    for pair in available()
]))
"""


def run(script: str, *words: str) -> Any:
    """What a script with the library prints at last; by itself, as it logs to standard output."""
    done = subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, timeout=TIMEOUT_S
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def read_by_driver(board: BenchlabSimulator) -> Mapping[str, Any]:
    with closing(Benchlab(Options(port=str(board.path)), 2.0)) as driver:
        return driver.read()


@pytest.mark.parametrize(("product", "firmware"), PAIRS)
def test_the_library_gets_the_same_values_under_the_same_keys(
    tmp_path: Path, product: str, firmware: int
) -> None:
    with BenchlabSimulator(tmp_path / "board", product, firmware, name="Prüfstand") as board:
        board.freeze()
        ours = dict(read_by_driver(board))

        (theirs,) = run(READER, str(board.path))

    ours.pop("FaultStatus", None)  # the library has no keys for them
    ours.pop("FaultLog", None)
    values = theirs["values"]
    assert theirs["is_there"]
    assert theirs["device"] == {
        "VendorId": 0xEE,
        "ProductId": board.product.code,
        "FwVersion": firmware,
    }
    assert (theirs["uid"], theirs["name"]) == (board.uid, "Prüfstand")
    assert list(values) == list(ours)
    # It adds up three sums after dividing each, so its last digit is dust.
    assert round(values.pop("SYS_Power"), 9) == ours.pop("SYS_Power")
    assert values == ours
    assert board.write_requests == 0


@pytest.mark.parametrize("fault", ["no-temperatures", "no-ambient", "limits:0", "limits:1"])
def test_the_library_leaves_out_the_same_values(tmp_path: Path, fault: str) -> None:
    with BenchlabSimulator(tmp_path / "board", "bl2") as board:
        board.freeze()
        board.set_fault(fault)
        ours = dict(read_by_driver(board))

        (theirs,) = run(READER, str(board.path))

    values = theirs["values"]
    assert round(values.pop("SYS_Power"), 6) == ours["SYS_Power"]
    assert values == {name: ours[name] for name in values}


def test_the_library_reads_boards_one_after_the_other(tmp_path: Path) -> None:
    with (
        BenchlabSimulator(tmp_path / "board0", seed=1) as first,
        BenchlabSimulator(tmp_path / "board1", "bl2", seed=2) as second,
    ):
        read = run(READER, str(first.path), str(second.path), str(first.path))

    assert [each["uid"] for each in read] == [first.uid, second.uid, first.uid]


def test_sizes_of_all_published_firmwares_are_those_of_driver_and_simulator() -> None:
    simulated = {product.code: product for product in SIMULATED_PRODUCTS.values()}

    contracts = run(CONTRACTS)

    assert len(contracts) == 10
    for code, firmware, welcome_size, sensors_size in contracts:
        assert firmware in PRODUCTS[code].firmwares
        assert firmware in simulated[code].firmwares
        assert layout_for(PRODUCTS[code], firmware).size == sensors_size
        assert len(welcome(simulated[code], firmware)) == welcome_size
