"""What the simulated weather station with an energy meter measures."""

import copy
import math
import random
import threading
from collections.abc import Callable, Sequence
from typing import Any

DAY_S = 86400.0
GUST_EVERY_S = 7.0  # between gusts there is none, and the station says null
START_KWH = 1234.5
LIMITS: dict[str, Any] = {
    "station": {"name": "", "model": "\u20ac\U0001f600 \u0000\u0007", "firmware": "x" * 5000},
    "uptime_s": 2**63 - 1,
    "ok": False,
    "outdoor": {
        "temperature": -1.7976931348623157e308,
        "humidity": 5e-324,
        "pressure": -(2**63),
        "rain": True,
        "wind": {"speed": -0.0, "direction": 2**53 + 1, "gust": 1.7976931348623157e308},
    },
    "meter": {"power_w": 0, "energy_kwh": 1e-7, "phases": [{"voltage": 2**63, "current": 0.0}]},
    "channels": [],
}


class Station:
    """Values that move with time and repeat with the seed.

    Args:
        clock: Seconds that only rise.
    """

    def __init__(self, seed: int, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._random = random.Random(seed)
        self._phase = self._random.random()
        self._began_s = clock()
        self._stopped_s: float | None = None
        self._set: dict[tuple[str | int, ...], Any] = {}
        self._lock = threading.Lock()

    def freeze(self) -> None:
        """Values stay as they are."""
        with self._lock:
            if self._stopped_s is None:
                self._stopped_s = self._clock() - self._began_s

    def thaw(self) -> None:
        """Values move on from where they stopped."""
        with self._lock:
            if self._stopped_s is not None:
                self._began_s = self._clock() - self._stopped_s
                self._stopped_s = None

    def set_value(self, path: Sequence[str | int], value: Any) -> None:
        """Put a value in the place of the measured one, for good."""
        with self._lock:
            self._set[tuple(path)] = value

    def document(self) -> dict[str, Any]:
        """All values now."""
        with self._lock:
            now_s = self._clock() - self._began_s if self._stopped_s is None else self._stopped_s
            document = self._measured(now_s)
            for path, value in self._set.items():
                here: Any = document
                for step in path[:-1]:
                    here = here[step]
                here[path[-1]] = copy.deepcopy(value)
        return document

    def _measured(self, now_s: float) -> dict[str, Any]:
        wave = math.sin(2 * math.pi * (now_s / DAY_S + self._phase))
        ripple = math.sin(now_s / 3 + 10 * self._phase)
        noise = random.Random(f"{self._phase} {int(now_s * 10)}").gauss(0, 1)
        power_w = 400 + 150 * ripple + 5 * noise
        has_gust = int(now_s / GUST_EVERY_S) % 2 == 1
        return {
            "station": {"name": "Roof", "model": "WS-2", "firmware": "2.4.1", "serial": 4711},
            "uptime_s": int(now_s),
            "ok": True,
            "outdoor": {
                "temperature": round(12 + 8 * wave + 0.1 * noise, 1),
                "humidity": round(60 - 20 * wave),
                "pressure": round(1013 + 3 * ripple, 1),
                "rain": ripple > 0.9,
                "wind": {
                    "speed": round(abs(3 + 2 * ripple), 1),
                    "direction": int(180 + 90 * ripple),
                    "gust": round(9 + noise, 1) if has_gust else None,
                },
            },
            "meter": {
                "power_w": round(power_w, 1),
                "energy_kwh": round(START_KWH + now_s * 0.4 / 3600, 3),
                "phases": [
                    {
                        "voltage": round(230 + number + noise, 1),
                        "current": round(power_w / 3 / 230, 3),
                    }
                    for number in range(3)
                ],
            },
            "channels": [
                {"name": name, "temperature": round(21 + number + 0.2 * ripple, 2), "on": wave > 0}
                for number, name in enumerate(("Bath", "Küche"))
            ],
            "message": "storm" if ripple > 0.95 else "fair",
        }
