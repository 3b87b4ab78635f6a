"""A BENCHLAB board as the tests of the contract meet it."""

from hw_sim.benchlab import BenchlabSimulator
from tests.devices.case import Case

# Which board is at the port is learnt at the first connection, so another one that was there at
# first is the right one: test_benchlab_search.py has that.
FAULTS = tuple(fault for fault in BenchlabSimulator.FAULTS if fault != "other-board")

CASE = Case(
    "benchlab",
    (
        *FAULTS,
        "drop:2",
        "short:216",
        "extra:32",
        "limits:0",
        "product:17",
    ),
    silences=frozenset({"silent", "delay", "trickle", "short", "short:216"}),
    changes={
        "limits": "the largest and the smallest numbers are valid ones",
        "no-ambient": "the firmware sends 0 for both values; the driver warns of that",
    },
)
