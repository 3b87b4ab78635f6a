"""Options from the environment: ``AGENT_<SECTION>_<KEY>`` and the heat pump logger's names."""

import tomllib
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Annotated, Any, get_args, get_origin

import attrs

from agent.config.faults import Fault, did_you_mean
from agent.config.schema import AgentSection, DeviceSection, ReportsSection, StoreSection
from agent.config.structure import ReferencedText

PREFIX = "AGENT_"
SECTIONS: Mapping[str, type] = {
    "agent": AgentSection,
    "store": StoreSection,
    "reports": ReportsSection,
}
LOGGER_NAMES = (
    "HOST",
    "PORT",
    "INTERVAL_SEC",
    "CSV_TIME",
    "CACHE_PATH",
    "OUTPUT_DIRS_DAILY",
    "OUTPUT_DIRS_WEEKLY",
    "READABLE_HEADERS",
)


def base_type(hint: Any) -> Any:
    """The plain type of an option: without ``Annotated`` and without ``None``.

    >>> base_type(Annotated[float, "range"] | None)
    <class 'float'>
    """
    if get_origin(hint) is Annotated:
        return base_type(get_args(hint)[0])
    if get_origin(hint) in (typing.Union, types.UnionType):
        return base_type(next(arg for arg in get_args(hint) if arg is not type(None)))
    return hint


def parse(text: str, hint: Any) -> Any:
    """A variable's text as the type its option has; as text where it does not fit."""
    if base_type(hint) in (float, int, bool) or get_origin(base_type(hint)) is tuple:
        try:
            return tomllib.loads(f"value = {text.strip()}")["value"]
        except tomllib.TOMLDecodeError:
            return text
    return ReferencedText(text)


def _set(table: dict[str, Any], key: str, text: str, section: type) -> None:
    hints = typing.get_type_hints(section, include_extras=True)
    value = parse(text, hints[key])
    table[key] = value if base_type(hints[key]) is not str else str(value)


def apply_sections(raw: dict[str, Any], environ: Mapping[str, str]) -> Iterator[Fault]:
    """Write ``AGENT_AGENT_…``, ``AGENT_STORE_…`` and ``AGENT_REPORTS_…`` into ``raw``."""
    for variable in sorted(environ):
        for name, section in SECTIONS.items():
            start = f"{PREFIX}{name.upper()}_"
            if not variable.startswith(start):
                continue
            key = variable.removeprefix(start).lower()
            keys = [field.name for field in attrs.fields(section)]
            table = raw.setdefault(name, {})
            if key not in keys:
                allowed = [f"{start}{each.upper()}" for each in keys]
                hint = did_you_mean(variable, allowed)
                yield Fault("environment", f"unknown variable {variable!r}{hint}")
            elif isinstance(table, dict):
                _set(table, key, environ[variable], section)


def device_variables(name: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables ``AGENT_DEVICE_<NAME>_<KEY>`` of one device: key to variable."""
    start = f"{PREFIX}DEVICE_{name.upper().replace('-', '_')}_"
    return {v.removeprefix(start).lower(): v for v in sorted(environ) if v.startswith(start)}


def apply_device(
    table: dict[str, Any], options: type, environ: Mapping[str, str], others: list[str]
) -> Iterator[Fault]:
    """Write one device's variables into its table; ``others`` are the other devices' names."""
    for key, variable in device_variables(table["name"], environ).items():
        if any(variable in device_variables(other, environ).values() for other in others):
            continue  # "plc" and "plc_2": the longer name has it, or a fault of its own
        for section in (DeviceSection, options):
            if key in [field.name for field in attrs.fields(section)] and key != "name":
                _set(table, key, environ[variable], section)
                break
        else:
            keys = [field.name for field in (*attrs.fields(DeviceSection), *attrs.fields(options))]
            start = variable[: -len(key)]
            hint = did_you_mean(variable, [f"{start}{each.upper()}" for each in keys])
            yield Fault("environment", f"unknown variable {variable!r}{hint}")


def unknown_devices(names: list[str], environ: Mapping[str, str]) -> Iterator[Fault]:
    """A fault for each ``AGENT_DEVICE_…`` variable that belongs to no device."""
    known = {v for name in names for v in device_variables(name, environ).values()}
    for variable in sorted(environ):
        if variable.startswith(f"{PREFIX}DEVICE_") and variable not in known:
            hint = did_you_mean(variable, known) if known else ", there is no device of that name"
            yield Fault("environment", f"unknown variable {variable!r}{hint}")


def from_heat_pump_logger(environ: Mapping[str, str]) -> dict[str, Any] | None:
    """The configuration that the heat pump logger's variables stand for, if ``HOST`` is set."""
    if not environ.get("HOST"):
        return None
    raw: dict[str, Any] = {"agent": {}, "reports": {}}
    device: dict[str, Any] = {"name": "heatpump", "kind": "luxtronik", "host": environ["HOST"]}
    for variable, key, hint in (
        ("PORT", "port", int),
        ("INTERVAL_SEC", "interval_s", float),
        ("READABLE_HEADERS", "readable_headers", bool),
    ):
        if variable in environ:
            text = environ[variable]
            device[key] = parse(text.lower() if hint is bool else text, hint)
    for variable, key in (
        ("CSV_TIME", "time"),
        ("OUTPUT_DIRS_DAILY", "daily_dir"),
        ("OUTPUT_DIRS_WEEKLY", "weekly_dir"),
    ):
        if variable in environ:
            raw["reports"][key] = environ[variable]
    if "CACHE_PATH" in environ:  # theirs names the file, ours the folder it lies in
        raw["agent"]["data_dir"] = str(PurePath(environ["CACHE_PATH"]).parent)
    raw["device"] = [device]
    return raw
