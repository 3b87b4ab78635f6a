"""Modbus meters as the tests of the contract meet them: on TCP, and on a serial line."""

from hw_sim.modbus import SIMULATED_RTU, ModbusRtuSimulator, ModbusTcpSimulator
from tests.devices.case import Case

ARGUMENTS = ("wrong-count:-2", "wrong-count:255", "exception:11", "absent:1", "trickle:0.1")
TCP_ARGUMENTS = (
    "exception:1",
    "exception:255",
    "mute:1",
    "mbap-length:1",
    "mbap-length:65535",
    "trickle:0.01",
    "drop:2",
    "drop:13",
)
CHANGES = {"limits": "the ends of the types are valid values"}

CASE = Case(
    "modbus",
    (*ModbusTcpSimulator.FAULTS, *ARGUMENTS, *TCP_ARGUMENTS),
    silences=frozenset({"silent", "delay", "trickle", "trickle:0.1", "late"}),
    changes=CHANGES,
    floods=(
        ((), bytes(1000)),
        ((), bytes.fromhex("0001 0000 FFFF 01 03") + bytes(1000)),
        ((), bytes.fromhex("0001 0000 00FD 01 01 FA") + bytes(250)),
        ((), bytes.fromhex("0001 0000 0003 01 81 02")),
        ((), bytes.fromhex("0009 0000 0003 01 81 02")),
    ),
)
RTU = Case(
    "modbus",
    (*ModbusRtuSimulator.FAULTS, *ARGUMENTS, "noise:256"),
    silences=frozenset({"silent", "delay", "drop", "trickle", "trickle:0.1"}),
    changes=CHANGES,
    variant="rtu",
    simulated=SIMULATED_RTU,
)
