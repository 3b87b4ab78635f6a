"""A house with a heat pump: every measurement is a function of time.

So it repeats with its seed, however often somebody looks. A cycle takes 45 minutes: the pumps
begin, the compressor runs 25 minutes, the rest is silence. Each sixth cycle heats the hot water,
and the third of six has a defrost in its middle.
"""

import math
import random
from collections.abc import Mapping

import attrs

from hw_sim.luxtronik.profiles import Profile, letters
from hw_sim.luxtronik.wire import address

CYCLE_S = 2700
FORERUN_S = 60
RUN_S = 1500
DEFROST = range(760, 1000)  # s after the cycle's start
HOT_WATER_CYCLE, DEFROST_CYCLE, CYCLES = 5, 2, 6
START_S = 600  # where in the first cycle a simulator begins
DAY_S = 86400
NOISE_STEP_S = 5

HEATING, HOT_WATER, DEFROSTING, NO_REQUEST = 0, 1, 4, 5  # operation modes
STARTS, RUN_BEFORE_S, HOT_WATER_BEFORE_S = 9_800, 21_600_000, 4_300_000  # before the simulation
ERRORS = (716, 715, 709, 715, 704)
REASONS = (9, 9, 1, 5, 9)


@attrs.frozen
class Moment:
    """Where in its cycles the heat pump is."""

    cycle: int
    second: int  # of the cycle
    exact_s: float  # since the first cycle began

    @property
    def is_hot_water(self) -> bool:
        return self.cycle % CYCLES == HOT_WATER_CYCLE

    @property
    def is_forerun(self) -> bool:
        return self.second < FORERUN_S

    @property
    def is_running(self) -> bool:
        return FORERUN_S <= self.second < FORERUN_S + RUN_S

    @property
    def is_defrosting(self) -> bool:
        return self.cycle % CYCLES == DEFROST_CYCLE and self.second in DEFROST

    @property
    def run_s(self) -> int:
        """How long the compressor has run in this cycle."""
        return min(max(self.second - FORERUN_S, 0), RUN_S)

    @property
    def total_run_s(self) -> int:
        """The same of all cycles."""
        return self.cycle * RUN_S + self.run_s

    @property
    def hot_water_s(self) -> int:
        """Of that, for hot water."""
        return self.cycle // CYCLES * RUN_S + (self.run_s if self.is_hot_water else 0)

    @property
    def mode(self) -> int:
        """As calculation 80 has it."""
        if self.is_defrosting:
            return DEFROSTING
        if self.is_running or self.is_forerun:
            return HOT_WATER if self.is_hot_water else HEATING
        return NO_REQUEST


def moment(seconds: float) -> Moment:
    """Where it is, so long after the simulation began."""
    since = START_S + seconds
    return Moment(int(since // CYCLE_S), int(since % CYCLE_S), since)


class Plant:
    """The measurements of one controller, by index of the calculation."""

    def __init__(self, profile: Profile, seed: int, epoch: float) -> None:
        self._profile = profile
        self._seed = seed
        self._epoch = int(epoch)

    def calculations(self, seconds: float) -> Mapping[int, int]:
        """All that has a meaning, ``seconds`` after the simulation began."""
        now = moment(seconds)
        noise = random.Random(f"{self._seed} {int(seconds // NOISE_STEP_S)}")
        return {
            **self._identity(int(seconds)),
            **_counters(now),
            **_outputs(now),
            **_display(now),
            **_temperatures(now, noise),
            **_refrigerant(now, noise),
        }

    def parameters(self, seconds: float) -> Mapping[int, int]:
        """Those that the controller itself changes."""
        now = moment(seconds)
        energy = _energies(now)
        last = (now.cycle - DEFROST_CYCLE) // CYCLES * CYCLES + DEFROST_CYCLE
        if now.cycle == last and now.second < DEFROST.stop:
            last -= CYCLES
        defrosted_s = last * CYCLE_S + DEFROST.stop - START_S
        heating_s = now.total_run_s - now.hot_water_s
        return {
            852: energy[154],
            854: energy[151],
            878: energy[152],
            879: 0,
            1119: self._epoch + defrosted_s,
            1136: 310_000 + heating_s // 150,  # 2.4 kW
            1137: 82_000 + now.hot_water_s * 3 // 400,  # 2.7 kW
            1139: 0,
        }

    def _identity(self, seconds: int) -> Mapping[int, int]:
        day = self._epoch - 3 * DAY_S
        return {
            78: self._profile.pump,
            79: 1,
            **letters(self._profile.firmware),
            91: address("192.168.1.50"),
            92: address("255.255.255.0"),
            93: address("192.168.1.255"),
            94: address("192.168.1.1"),
            **{95 + at: day - at * 40 * DAY_S for at in range(5)},
            **{100 + at: number for at, number in enumerate(ERRORS)},
            105: 5,
            **{106 + at: reason for at, reason in enumerate(REASONS)},
            **{111 + at: self._epoch - (at + 1) * CYCLE_S for at in range(5)},
            134: self._epoch + seconds,
            174: 1,
            258: 214,
        }


def _energies(now: Moment) -> Mapping[int, int]:
    """Tenths of a kWh: 9 kW for heating, 8.1 kW for hot water."""
    heating = 1_250_000 + (now.total_run_s - now.hot_water_s) // 40
    hot_water = 260_000 + now.hot_water_s * 9 // 400
    return {151: heating, 152: hot_water, 153: 0, 154: heating + hot_water}


def _counters(now: Moment) -> Mapping[int, int]:
    run_s = RUN_BEFORE_S + now.total_run_s
    hot_water_s = HOT_WATER_BEFORE_S + now.hot_water_s
    idle_s = max(now.second - FORERUN_S - RUN_S, 0)
    return {
        56: run_s,
        57: STARTS + now.cycle + (not now.is_forerun),
        60: 871_463,
        63: run_s,
        64: run_s - hot_water_s,
        65: hot_water_s,
        67: now.run_s if now.is_running else 0,
        72: max(1200 - idle_s, 0) if idle_s else 0,
        73: idle_s,
        **_energies(now),
        161: 0,
    }


def _outputs(now: Moment) -> Mapping[int, int]:
    runs = int(now.is_running)
    pumps = int(now.is_running or now.is_forerun)
    heats = int(pumps and not now.is_hot_water)
    return {
        31: 1,
        32: 0,
        33: 1,
        34: 1,
        36: 1,
        37: int(now.is_defrosting),
        38: int(pumps and now.is_hot_water),
        39: heats,
        42: int(runs and not now.is_defrosting),
        43: int(runs and not now.is_defrosting),
        44: runs,
        47: pumps,
        124: 1,
        125: 1,
        155: 1320 * pumps,
        173: 0,
        182: 1 - runs,
        183: 65 * pumps,
        184: 640 * runs,
        191: 5 if now.is_defrosting else 2 * runs,
        193: 3600 * runs,
        231: 60 * runs,
        236: 60 * runs,
        237: 20,
        238: 120,
        241: 65 * pumps,
        254: 1320 * pumps,
        257: (8100 if now.is_hot_water else 9000) * runs * (not now.is_defrosting),
        268: (2700 if now.is_hot_water else 2400) * runs + 18,
    }


def _display(now: Moment) -> Mapping[int, int]:
    """The three lines of the display, which say the same as the operation mode."""
    if now.is_forerun:
        lines, shown_s = (2, 1, 8), FORERUN_S - now.second
    elif now.is_defrosting:
        lines, shown_s = (4, 0, 7), now.second - DEFROST.start
    elif now.is_running:
        lines, shown_s = (0, 0, 5 if now.is_hot_water else 0), now.run_s
    else:
        lines, shown_s = (1, 0, 1), now.second - FORERUN_S - RUN_S
    return {80: now.mode, 117: lines[0], 118: lines[1], 119: lines[2], 120: shown_s}


def _temperatures(now: Moment, noise: random.Random) -> Mapping[int, int]:
    """Tenths of a degree."""
    day = 2 * math.pi * now.exact_s / DAY_S
    outdoor = 55 + 45 * math.sin(day) + noise.choice((-1, 0, 0, 0, 1))
    end_s = (HOT_WATER_CYCLE * CYCLE_S + FORERUN_S + RUN_S) % (CYCLES * CYCLE_S)
    since_hot_water_s = (now.exact_s - end_s) % (CYCLES * CYCLE_S)
    tank = 520 - 0.003 * since_hot_water_s
    if now.is_hot_water and now.is_running:
        tank = 476 + 44 * now.run_s / RUN_S
    warm, top = (400, 540) if now.is_hot_water else (290, 350)
    reached = top - (top - warm) * math.exp(-now.run_s / 500)
    if not now.is_running and not now.is_forerun:
        idle_s = now.second - FORERUN_S - RUN_S
        reached = 285 + (reached - 285) * math.exp(-idle_s / 700)
    spread = 60 * (1 - math.exp(-now.run_s / 120)) if now.is_running else 2
    flow = reached + noise.choice((-1, 0, 0, 1))
    source_out = outdoor - (38 if now.is_running else 0)
    rounded = {
        10: flow,
        11: flow - spread,
        12: 305,
        13: flow - spread - 5,
        14: 680 + now.run_s / 20 if now.is_running else 310,
        15: outdoor,
        16: 55 + 45 * math.sin(day - 0.6) * 0.7,
        17: tank,
        18: 500,
        19: outdoor + 2,
        20: source_out,
        26: 50,
        27: 50,
        28: -500,
        227: 213 + 2 * math.sin(day),
        228: 215,
        229: tank + 18,
        239: 40,
        240: outdoor + 2 - source_out,
        242: 60,
        243: spread,
        267: 215,
    }
    return {index: round(value) for index, value in rounded.items()}


def _refrigerant(now: Moment, noise: random.Random) -> Mapping[int, int]:
    """Tenths of a degree or kelvin, hundredths of a bar."""
    runs = now.is_running and not now.is_defrosting
    high, low = (2310, 640) if runs else (1080, 1040)
    return {
        175: 15 if runs else 60,
        176: 42 if runs else 90,
        177: 320,
        178: 58 + noise.randint(-3, 3) if runs else 0,
        179: 60,
        180: high + noise.randint(-8, 8),
        181: low + noise.randint(-4, 4),
        189: 350,
        198: 368 if runs else 210,
        199: 330 if runs else 205,
        200: 38 if runs else 0,
        202: 3800,
        232: -32 if runs else 60,
        233: 372 if runs else 205,
    }
