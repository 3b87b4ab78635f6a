"""An S7 as the tests of the contract meet it."""

from hw_sim.s7 import S7Simulator
from tests.devices.case import Case

READY = (
    bytes.fromhex("03000016 11D00001000100 C0010A C1020100 C2020101"),
    bytes.fromhex("0300001B 02F080 320300000001000800000000 F000000100 0101E0"),
)

CASE = Case(
    "s7",
    (
        *S7Simulator.FAULTS,
        "wrong-length:-4",
        "wrong-pdu:9000",
        "trickle:0.01",
        "trickle:0.1",
        "drop:2",
    ),
    silences=frozenset({"blackhole", "silent", "delay", "trickle", "trickle:0.1"}),
    floods=(
        ((), bytes(1000)),
        ((), bytes.fromhex("0300FFFF") + bytes(65531)),
        (READY, bytes.fromhex("03000007 02F000")),
        (READY, bytes.fromhex("03000100 02F000") + bytes(249)),
    ),
)
