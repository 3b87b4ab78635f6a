"""What ``check``, ``read`` and ``version`` print."""

import json
import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from typing import Any

import attrs

from agent import __version__
from agent.clock import SystemClock
from agent.config import Config, DeviceConfig, FaultyConfigError
from agent.config.faults import did_you_mean
from agent.config.options import Secret
from agent.console.table import printable, table, value_text
from agent.devices import KINDS
from agent.errors import AgentError, ConfigError
from agent.model import Metric, MetricType, Value
from agent.poller import checked
from agent.store import sqlite_version

PACKAGES = ("apscheduler", "attrs", "cattrs", "click", "psutil", "tzdata")


def check_report(config: Config, *, as_json: bool) -> str:
    """A line for each device of a sound configuration."""
    if as_json:
        facts = attrs.asdict(config, value_serializer=_plain)
        return json.dumps({"ok": True, "config": facts}, indent=1, ensure_ascii=False)
    rows = [
        [d.name, d.kind, f"{d.interval_s:g} s", f"{d.timeout_s:g} s", _where(d)]
        for d in config.devices
    ]
    lines = [f"{config.source}: ok"]
    if rows:
        lines += ["", table(["device", "kind", "interval", "time-out", ""], rows, right=[2, 3])]
    else:
        lines.append("no [[device]] is configured yet: nothing will be polled")
    lines += ["", f"store    {config.store_path}"]
    lines.append(f"at risk  the last {config.store.flush_interval_s:g} s in a power cut")
    return "\n".join(lines)


def check_faults(error: AgentError) -> str:
    """The faults of a configuration as JSON."""
    if isinstance(error, FaultyConfigError):
        faults = [{"where": fault.where, "text": fault.text} for fault in error.faults]
    else:
        faults = [{"where": "", "text": str(error)}]
    return json.dumps({"ok": False, "faults": faults}, indent=1, ensure_ascii=False)


def read_report(config: Config, name: str, *, as_json: bool) -> str:
    """One reading of one device, with units.

    Raises:
        ConfigError: There is no such device.
        DeviceError: It can't be read.
    """
    device = config.device(name)
    if device is None:
        hint = did_you_mean(name, [each.name for each in config.devices])
        raise ConfigError(f"{config.source}: no device {name!r}{hint}")
    driver = KINDS[device.kind]().driver(device.options, device.timeout_s)
    clock = SystemClock()
    began_s = clock.monotonic()
    try:
        values = checked(driver.read())
        took_ms = (clock.monotonic() - began_s) * 1000
        metrics = {metric.name: metric for metric in driver.metrics}
        found = list(driver.describe())
    finally:
        driver.close()
    if as_json:
        return _read_json(device, values, metrics, found, took_ms)
    rows = []
    for metric, value in values.items():
        about = metrics.get(metric, Metric(metric))
        rows.append([metric, value_text(value), about.unit, about.help])
    lines = [table(["metric", "value", "unit", ""], rows, right=[1]), ""]
    lines += [printable(fact) for fact in found]
    missing = sum(value is None for value in values.values())
    note = f", {missing} of them without a valid value (–)" if missing else ""
    lines.append(f"{len(values)} values{note} in {took_ms:.0f} ms, the connection included")
    return "\n".join(lines)


def version_report(*, as_json: bool) -> str:
    """Versions of the agent and of what it is made of."""
    facts: dict[str, Any] = {
        "agent": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite_version(),
        "machine": platform.machine(),
        "system": platform.platform(),
        "libraries": {},
    }
    for package in PACKAGES:
        try:
            facts["libraries"][package] = package_version(package)
        except PackageNotFoundError:
            facts["libraries"][package] = None
    if as_json:
        return json.dumps(facts, indent=1)
    lines = [f"agent {__version__}"]
    lines += [f"  {key:10} {facts[key]}" for key in ("python", "sqlite", "machine", "system")]
    lines += [f"  {name:10} {number or 'missing'}" for name, number in facts["libraries"].items()]
    return "\n".join(lines)


def _where(device: DeviceConfig) -> str:
    host = getattr(device.options, "host", None)
    port = getattr(device.options, "port", None)
    where = f"{host}:{port}" if host and port else str(host or "")
    return where if device.enabled else f"{where} (not enabled)".strip()


def _plain(_: Any, __: Any, value: Any) -> Any:
    if isinstance(value, Secret):
        return str(value)
    return (
        value if isinstance(value, str | int | float | bool | dict | list | None) else _text(value)
    )


def _text(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else str(value)


def _read_json(
    device: DeviceConfig,
    values: dict[str, Value],
    metrics: dict[str, Metric],
    found: list[str],
    took_ms: float,
) -> str:
    rows = []
    for name, value in values.items():
        about = metrics.get(name, Metric(name))
        kind = str(about.type) if about.type in MetricType else None
        rows.append({"name": name, "value": value, "unit": about.unit, "type": kind})
    facts = {
        "device": device.name,
        "kind": device.kind,
        "took_ms": round(took_ms, 1),
        "found": found,
        "values": rows,
    }
    return json.dumps(facts, indent=1, ensure_ascii=False)
