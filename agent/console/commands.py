"""What ``check`` and ``read`` print."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from agent.clock import SystemClock
from agent.config import Config, DeviceConfig, FaultyConfigError
from agent.config.faults import ReferencedText, did_you_mean
from agent.config.options import Secret
from agent.console.table import printable, table, terminal_columns, value_text
from agent.devices import KINDS
from agent.errors import AgentError, ConfigError
from agent.model import Metric, MetricType, Value
from agent.poller import checked
from agent.zones import zone_of


def check_report(config: Config, *, as_json: bool) -> str:
    """A line for each device of a sound configuration.

    Raises:
        ConfigError: The machine's own time zone is asked for, and cannot be used.
    """
    zone = zone_of(config.agent.timezone)
    if as_json:
        facts = {"ok": True, "faults": [], "config": _plain(config)}
        return json.dumps(facts, indent=1, ensure_ascii=False)
    rows = [
        [d.name, d.kind, f"{d.interval_s:g} s", f"{d.timeout_s:g} s", _where(d)]
        for d in config.devices
    ]
    lines = [f"{config.source}: ok"]
    if rows:
        lines += ["", table(["device", "kind", "interval", "time-out", ""], rows, right=[2, 3])]
    else:
        lines.append("no [[device]] is configured yet: nothing will be polled")
    lines += ["", f"store    {config.store_path}", f"time     {zone}"]
    lines.append(f"at risk  the last {config.store.flush_interval_s:g} s in a power cut")
    return "\n".join(lines)


def check_faults(error: AgentError) -> str:
    """The faults of a configuration as JSON."""
    if isinstance(error, FaultyConfigError):
        faults = [{"where": fault.where, "text": fault.text} for fault in error.faults]
    else:
        faults = [{"where": "", "text": str(error)}]
    return json.dumps({"ok": False, "faults": faults}, indent=1, ensure_ascii=False)


def read_report(config: Config, name: str, parts: Sequence[str] = (), *, as_json: bool) -> str:
    """One reading of one device, with units; only metrics that have one of the ``parts``.

    Raises:
        ConfigError: There is no such device.
        DeviceError: It can't be read.
    """
    device = config.device(name)
    if device is None:
        hint = did_you_mean(name, [each.name for each in config.devices])
        hint = hint or ", there is no [[device]] in it"
        raise ConfigError(f"{config.source}: no device {name!r}{hint}")
    driver = KINDS[device.kind]().driver(device.options, device.timeout_s)
    clock = SystemClock()
    began_s = clock.monotonic()
    try:
        values = checked(driver.read())
        took_ms = (clock.monotonic() - began_s) * 1000
        metrics = {metric.name: metric for metric in driver.metrics}
        found = list(driver.describe())
        warnings = list(driver.warnings())
    finally:
        driver.close()
    read = len(values)
    values = {each: value for each, value in values.items() if _has(each, metrics, parts)}
    if as_json:
        return _read_json(device, values, metrics, (found, warnings), took_ms)
    rows = []
    for metric, value in values.items():
        about = metrics.get(metric, Metric(metric))
        rows.append([metric, value_text(value), about.unit, about.help])
    header = ["metric", "value", "unit", ""]
    lines = [table(header, rows, right=[1], columns=terminal_columns()), ""]
    lines += [printable(fact) for fact in found]
    lines += [printable(f"warning: {text}") for text in warnings]
    missing = sum(value is None for value in values.values())
    note = f", {missing} of them without a valid value (–)" if missing else ""
    of = f" of {read}" if parts else ""
    lines.append(f"{len(values)}{of} values{note} in {took_ms:.0f} ms, the connection included")
    return "\n".join(lines)


def _has(name: str, metrics: Mapping[str, Metric], parts: Sequence[str]) -> bool:
    about = metrics.get(name)
    text = f"{name} {about.help if about else ''}".lower()
    return not parts or any(part.lower() in text for part in parts)


def _where(device: DeviceConfig) -> str:
    where = getattr(device.options, "where", "")
    return where if device.enabled else f"{where} (not enabled)".strip()


def _plain(value: Any) -> Any:
    """A configuration as JSON can hold it, its secrets left out wherever they stand."""
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, ReferencedText):
        return str(Secret(value))
    if attrs.has(type(value)):
        return {
            field.name: _plain(getattr(value, field.name)) for field in attrs.fields(type(value))
        }
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | int | float | None) else str(value)


def _read_json(
    device: DeviceConfig,
    values: dict[str, Value],
    metrics: dict[str, Metric],
    found: tuple[list[str], list[str]],
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
        "found": found[0],
        "warnings": found[1],
        "values": rows,
    }
    return json.dumps(facts, indent=1, ensure_ascii=False)
