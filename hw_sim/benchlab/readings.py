"""A PC under test as a board measures it: power that rises and falls, heat and fans that follow."""

import math
import random

import attrs

ABSENT = 0x7FFF
REFRESH_S = 0.2  # a board measures so often; polled faster it repeats itself
CYCLE_S = 60.0  # the PC is idle, busy and idle again
VINS = 13
FANS = 9
CPU_1, CPU_2, ATX_3V, ATX_5V, ATX_5VSB, ATX_12V, PCIE_1, PCIE_2, PCIE_3, HPWR_1, HPWR_2 = range(11)
RAILS = 23  # 11 connectors, then six wires of either high-power connector
WIRE_SHARES = (17, 16, 17, 17, 16, 17)  # % of the connector's current

# Millivolts without load, milliamperes idle and busy; rails that are not listed are not connected.
SUPPLIED = {
    CPU_1: (12110, 1800, 11500),
    CPU_2: (12100, 900, 5200),
    ATX_3V: (3330, 700, 900),
    ATX_5V: (5035, 2100, 2900),
    ATX_5VSB: (5045, 140, 160),
    ATX_12V: (12120, 1000, 1700),
    PCIE_1: (12090, 1500, 4200),
    HPWR_1: (12080, 2500, 34000),
}


@attrs.frozen
class Readings:
    """Everything a board measures, in counts as they are on the wire.

    Args:
        chip: Tenths of a degree, whatever the firmware makes of it.
        rails: Millivolts, milliamperes and milliwatts of each.
        fans: Whether each is on, its duty in % and its turns per minute.
    """

    vins: tuple[int, ...]
    vdd: int
    vref: int
    chip: int
    probes: tuple[int, ...]
    ambient: int
    humidity: int
    switches: tuple[int, int, int]
    external_duty: int
    rails: tuple[tuple[int, int, int], ...]
    fans: tuple[tuple[int, int, int], ...]
    faults: int = 0
    past_faults: int = 0


def readings_at(seconds: float, seed: int) -> Readings:
    """What is measured so long after the start; the same seed measures the same."""
    tick = math.floor(seconds / REFRESH_S)
    noise = random.Random(f"{seed} {tick}")
    moment = tick * REFRESH_S + seed % 17
    load = 0.5 - 0.5 * math.cos(2 * math.pi * moment / CYCLE_S)
    heat = 0.5 - 0.5 * math.cos(2 * math.pi * (moment - CYCLE_S / 8) / CYCLE_S)  # comes later
    rails = _rails(load, noise)
    return Readings(
        vins=(
            *(12030 + noise.randint(-8, 8), 5020 + noise.randint(-4, 4)),
            *(3310 + noise.randint(-3, 3), 1803 + noise.randint(-2, 2), 1102),
            *[ABSENT] * (VINS - 5),
        ),
        vdd=3300 + noise.randint(-2, 2),
        vref=1212,
        chip=round(380 + 60 * heat) + noise.randint(-1, 1),
        probes=(
            *(round(240 + 90 * heat) + noise.randint(-1, 1), round(225 + 20 * heat)),
            *(ABSENT, ABSENT),
            *(round(300 + 260 * heat), round(310 + 290 * heat), ABSENT, ABSENT),
        ),
        ambient=235 + round(8 * heat),
        humidity=432 - round(12 * heat),
        switches=(0, 1, 1),
        external_duty=255,
        rails=rails,
        fans=tuple(_fan(number, heat, noise) for number in range(FANS)),
    )


def _rails(load: float, noise: random.Random) -> tuple[tuple[int, int, int], ...]:
    currents = [0] * RAILS
    voltages = [0] * RAILS
    for rail, (volts, idle, busy) in SUPPLIED.items():
        current = round(idle + (busy - idle) * load * noise.uniform(0.96, 1.04))
        currents[rail] = current
        voltages[rail] = volts - round(current * 0.004) + noise.randint(-3, 3)
    for connector, first in ((HPWR_1, 11), (HPWR_2, 17)):
        wires = [currents[connector] * share // 100 for share in WIRE_SHARES]
        wires[0] += currents[connector] - sum(wires)
        currents[first : first + 6] = wires
        voltages[first : first + 6] = [voltages[connector]] * 6
    return tuple(
        (volts, current, round(volts * current / 1000))
        for volts, current in zip(voltages, currents, strict=True)
    )


def _fan(number: int, heat: float, noise: random.Random) -> tuple[int, int, int]:
    if number not in (0, 1, 8):
        return 0, 0, 0  # nothing is plugged in
    duty = round(35 + 50 * heat)
    return 1, duty, duty * (30 if number < 8 else 24) + noise.randint(-6, 6)
