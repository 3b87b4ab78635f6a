"""Which kinds and faults are tried together."""

from collections.abc import Sequence

from hw_sim.faults import TCP_FAULTS
from tests.devices.case import Case

TELLING = ("refuse", "unplug", "silent", "garbage")  # a device that is gone, hangs, or babbles
TELLING_COUNT = 4  # of a kind; the others are its own

Pair = tuple[Case, str]


def every_pair(cases: Sequence[Case]) -> list[Pair]:
    """Every fault of every kind."""
    return [(case, fault) for case in cases for fault in case.faults]


def telling_pairs(cases: Sequence[Case]) -> list[Pair]:
    """For each kind those that all have, and then some that only it has."""
    found = []
    for case in cases:
        common = [fault for fault in TELLING if fault in case.faults]
        own = [fault for fault in case.faults if fault.partition(":")[0] not in TCP_FAULTS]
        chosen = dict.fromkeys([*common, *own])
        found += [(case, fault) for fault in list(chosen)[:TELLING_COUNT]]
    return found
