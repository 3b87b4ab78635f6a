"""A weather station that isn't there, and speaks JSON in four ways, with faults on demand."""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from hw_sim.json.command import command
from hw_sim.json.faults import BY_MODE, FAULTS
from hw_sim.json.simulator import MODES, JsonSimulator
from hw_sim.json.station import Station
from hw_sim.registry import Simulated

__all__ = [
    "BY_MODE",
    "FAULTS",
    "MODES",
    "SIMULATED",
    "VARIANTS",
    "JsonSimulator",
    "Station",
    "table",
]

REQUEST = "report"
TALK_S = 0.05  # in tests nobody waits a second for the next line
TAGS = (
    ("temperature", "outdoor.temperature", "FLOAT", "°C"),
    ("humidity", "outdoor.humidity", "INT", "%"),
    ("wind", "outdoor.wind.speed", "", "m/s"),
    ("gust", "outdoor.wind.gust", "FLOAT", "m/s"),
    ("rain", "outdoor.rain", "BOOL", ""),
    ("power", "meter.power_w", "FLOAT", "W"),
    ("energy", "meter.energy_kwh", "FLOAT", "kWh"),
    ("voltage_l3", "meter.phases[2].voltage", "FLOAT", "V"),
    ("kitchen", "channels[1].temperature", "", "°C"),
    ("ok", "ok", "BOOL", ""),
    ("firmware", "station.firmware", "TEXT", ""),
)


def table(name: str, address: str, mode: str = "http", request: str = REQUEST) -> str:
    """What ``agent.toml`` says of a station that speaks in this way."""
    tags = "\n".join(
        f'\n  [[device.tag]]\n  name = "{tag}"\n  path = "{path}"'
        + (f'\n  type = "{kind}"' if kind else "")
        + (f'\n  unit = "{unit}"' if unit else "")
        for tag, path, kind, unit in TAGS
    )
    asked = f"\nrequest = {json.dumps(request)}" if mode in ("request", "serial") else ""
    return f"""[[device]]
name = "{name}"
kind = "json"
{_where(address, mode)}{asked}
interval_s = 2.0
{tags}
"""


def _where(address: str, mode: str) -> str:
    if mode == "serial":
        return f'serial = "{address}"'
    if mode == "http":
        url = address if address.startswith("http") else f"http://{address}/"
        return f'url = "{url}"'
    host, _, port = address.rpartition(":")
    return f'host = "{host.strip("[]")}"\nport = {port}'


def _request(_: Path, seed: int) -> JsonSimulator:
    return JsonSimulator("request", seed=seed)


def _lines(_: Path, seed: int) -> JsonSimulator:
    return JsonSimulator("lines", seed=seed, period_s=TALK_S)


def _serial(folder: Path, seed: int) -> JsonSimulator:
    return JsonSimulator("serial", path=folder / "json", seed=seed)


SIMULATED = Simulated(lambda _, seed: JsonSimulator(seed=seed), table, command, name="station")
VARIANTS: Mapping[str, Simulated] = {
    "": SIMULATED,
    "request": Simulated(_request, partial(table, mode="request"), command),
    "lines": Simulated(_lines, partial(table, mode="lines"), command),
    "serial": Simulated(_serial, partial(table, mode="serial"), command),
}
