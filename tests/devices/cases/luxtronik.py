"""A heat pump controller as the tests of the contract meet it."""

import struct

from hw_sim.luxtronik import FAULTS
from tests.devices.case import Case

CALCULATIONS = struct.pack(">iii200i", 3004, 0, 200, *range(200))
SILENCES = {"silent", "delay", "trickle", "trickle:0.1", "trickle:0.01", "pieces", "stall"}

CASE = Case(
    "luxtronik",
    (
        *FAULTS,
        "wrong-count:-1",
        "wrong-count:12",
        "wrong-count:10000",
        "wrong-count:2147483647",
        "few:200",
        "few:100",
        "status:-7",
        "drop:2",
        "pieces:0",
        "trickle:0.1",
        "trickle:0.01",
    ),
    silences=frozenset({*SILENCES, "wrong-count:10000"}),
    changes={"limits": "the largest and the smallest numbers are valid ones"},
    floods=(
        ((), bytes(1000)),
        ((), CALCULATIONS),
        ((CALCULATIONS,), CALCULATIONS),
        ((CALCULATIONS,), struct.pack(">ii", 3003, 10000) + bytes(8000)),
        ((), b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    ),
)
