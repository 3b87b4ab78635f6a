"""A weather station that isn't there, and speaks JSON in four ways, with faults on demand."""

from collections.abc import Mapping
from pathlib import Path

from hw_sim.json.command import command
from hw_sim.json.faults import BY_MODE, FAULTS
from hw_sim.json.simulator import MODES, JsonSimulator
from hw_sim.json.station import Station
from hw_sim.registry import Simulated

__all__ = ["BY_MODE", "FAULTS", "MODES", "SIMULATED", "VARIANTS", "JsonSimulator", "Station"]

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


def _table(name: str, where: str, interval_s: float) -> str:
    tags = "\n".join(
        f'\n  [[device.tag]]\n  name = "{tag}"\n  path = "{path}"'
        + (f'\n  type = "{kind}"' if kind else "")
        + (f'\n  unit = "{unit}"' if unit else "")
        for tag, path, kind, unit in TAGS
    )
    return f"""[[device]]
name = "{name}"
kind = "json"
{where}
interval_s = {interval_s}
{tags}
"""


def _tcp(address: str, extra: str = "") -> str:
    host, _, port = address.rpartition(":")
    return f'host = "{host.strip("[]")}"\nport = {port}{extra}'


def _http_table(name: str, address: str) -> str:
    url = address if address.startswith("http") else f"http://{address}/"
    return _table(name, f'url = "{url}"', 2.0)


def _request_table(name: str, address: str) -> str:
    return _table(name, _tcp(address, '\nrequest = "report"'), 2.0)


def _lines_table(name: str, address: str) -> str:
    return _table(name, _tcp(address), 2.0)


def _serial_table(name: str, address: str) -> str:
    return _table(name, f'serial = "{address}"\nrequest = "report"', 2.0)


def _request(_: Path, seed: int) -> JsonSimulator:
    return JsonSimulator("request", seed=seed)


def _lines(_: Path, seed: int) -> JsonSimulator:
    return JsonSimulator("lines", seed=seed, period_s=TALK_S)


def _serial(folder: Path, seed: int) -> JsonSimulator:
    return JsonSimulator("serial", path=folder / "json", seed=seed)


SIMULATED = Simulated(
    lambda _, seed: JsonSimulator(seed=seed), _http_table, command, name="station"
)
VARIANTS: Mapping[str, Simulated] = {
    "": SIMULATED,
    "request": Simulated(_request, _request_table, command),
    "lines": Simulated(_lines, _lines_table, command),
    "serial": Simulated(_serial, _serial_table, command),
}
