"""The controllers that can be simulated: how long their tables are, and what never moves."""

import random
from collections.abc import Mapping

import attrs

from hw_sim.luxtronik.wire import CALCULATIONS, PARAMETERS, VISIBILITIES, address


@attrs.frozen
class Profile:
    """One controller.

    Args:
        counts: Values of each table.
        firmware: At most ten letters.
        pump: Code of its type.
        fixed: Calculations that replace all others; they don't move.
    """

    counts: Mapping[int, int]
    firmware: str
    pump: int
    fixed: Mapping[int, int] | None = None


def _counts(calculations: int, parameters: int, visibilities: int) -> Mapping[int, int]:
    return {CALCULATIONS: calculations, PARAMETERS: parameters, VISIBILITIES: visibilities}


def letters(firmware: str) -> Mapping[int, int]:
    """The calculations that hold the name of the firmware."""
    return {81 + at: ord(letter) for at, letter in enumerate(firmware[:10])}


CAPTURED: Mapping[int, int] = {
    10: 342, 11: 326, 12: 150, 14: 210, 15: 139, 16: 126, 17: 642, 18: 500, 19: -500, 20: -500,
    23: 0, 56: 15707970, 57: 9869, 63: 15707970, 64: 12315581, 65: 3373389, 78: 7, 79: 1, 80: 5,
    **letters("V1.80"),
    91: address("192.168.42.4"), 92: address("255.255.255.0"), 93: address("192.168.42.255"),
    100: 716, 105: 5, 117: 1, 118: 0, 119: 1, 120: 23370, 134: 1501069233,
}  # fmt: skip
"""Calculations of a real unit with firmware V1.80, from a capture that a client's author shared."""

PROFILES: Mapping[str, Profile] = {
    "new": Profile(_counts(275, 1187, 398), "V3.90.1", 75),
    "old": Profile(_counts(200, 1086, 336), "V1.80", 7),
    "v1.80": Profile(_counts(200, 1086, 336), "V1.80", 7, CAPTURED),
    "bench": Profile(_counts(268, 1126, 355), "V2.88.1", 41),  # 1,749 values
}

SETTINGS: Mapping[int, int] = {
    1: 0, 2: 500, 3: 0, 4: 0, 11: 320, 12: 220, 13: -20, 74: 20, 87: 500, 88: 20, 89: 70,
    98: 50, 105: 500, 108: 0, 110: 210, 111: -200, 119: 4, 122: 40, 123: 20, 124: 700,
    132: 200, 133: 200, 134: 50, 135: 50, 700: 160, 779: 4, 850: 20, 851: 10, 881: 4, 883: 1100,
    894: 3, 966: 200, 967: 50, 979: 150,
}  # fmt: skip
"""Parameters that have a meaning; the others are any numbers."""
SHOWN = (1, 2, 3, 9, *range(15, 31), 31, *range(41, 47), *range(49, 58), 69, 73, 75, 80, 81, 89)
SHOWN_FROM = 86  # about half of the visibilities behind these are set


def parameters(count: int, seed: int) -> list[int]:
    """What an installer may have set."""
    chance = random.Random(f"parameters {seed}")
    values = [chance.choice((0, 0, 0, 0, 1, 1, 2, 20, 50, 200, 450, -20)) for _ in range(count)]
    for index, value in SETTINGS.items():
        if index < count:
            values[index] = value
    return values


def visibilities(count: int, seed: int) -> list[int]:
    """What the menu of this controller shows."""
    chance = random.Random(f"visibilities {seed}")
    values = [chance.choice((0, 1)) if at > SHOWN_FROM else 0 for at in range(count)]
    for index in SHOWN:
        values[index] = 1
    return values
