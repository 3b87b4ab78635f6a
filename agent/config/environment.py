"""Options from the environment: ``AGENT_<SECTION>_<KEY>`` and the heat pump logger's names."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any, get_origin, get_type_hints

import attrs

from agent.config.faults import Fault, ReferencedText, nearest
from agent.config.options import Secret
from agent.config.schema import DEVICE_NAME, SECTIONS
from agent.config.structure import base_type

PREFIX = "AGENT_"
DEVICE_PREFIX = f"{PREFIX}DEVICE_"
WHERE = "environment"
NEAR = 0.8  # how alike a foreign variable is to one of ours when it was meant to be one
HEAT_PUMP_KIND = "luxtronik"
TRUE_WORDS = {"1": True, "yes": True, "on": True, "0": False, "no": False, "off": False}

Variables = Mapping[str, str]  # key of an option to the variable that sets it


def section_variables(section: str, environ: Mapping[str, str]) -> Variables:
    """The variables ``AGENT_<SECTION>_<KEY>`` that are set, by key."""
    return _by_key(f"{PREFIX}{section.upper()}_", environ)


def device_variables(
    names: Iterable[str], environ: Mapping[str, str]
) -> tuple[dict[str, dict[str, str]], list[Fault]]:
    """The variables ``AGENT_DEVICE_<NAME>_<KEY>``, by lower-case device and key, and the faults.

    A ``-`` in a name is ``_`` in a variable. Of "plc" and "plc-2" the longer name has it.
    """
    starts: dict[str, list[str]] = {}
    for name in sorted({name.lower() for name in names if DEVICE_NAME.fullmatch(name)}):
        start = f"{DEVICE_PREFIX}{name.upper().replace('-', '_')}_"
        starts.setdefault(start, []).append(name)
    owned: dict[str, dict[str, str]] = {}
    faults = []
    for variable in sorted(each for each in environ if each.startswith(DEVICE_PREFIX)):
        start = max((each for each in starts if variable.startswith(each)), key=len, default="")
        owners = starts.get(start, [])
        if len(owners) == 1:
            owned.setdefault(owners[0], {})[variable.removeprefix(start).lower()] = variable
            continue
        hint = (
            f"those of devices begin with {', '.join(starts)}" if starts else "there is no device"
        )
        if owners:
            hint = f"it fits the devices {' and '.join(map(repr, owners))}, rename one of them"
        faults.append(Fault(WHERE, f"unknown variable {variable!r}, {hint}"))
    return owned, faults


def apply(
    table: dict[str, Any], classes: Iterable[type], variables: Variables, environ: Mapping[str, str]
) -> Iterator[Fault]:
    """Write variables into the table of options that ``classes`` declare."""
    hints: dict[str, Any] = {}
    for each in classes:
        hints = get_type_hints(each, include_extras=True) | hints
    hints = {key: hint for key, hint in hints.items() if key != "name"}  # it names the variable
    for key, variable in variables.items():
        if key in hints:
            table[key] = parse(environ[variable], hints[key])
        else:
            start = variable[: len(variable) - len(key)]
            near = nearest(key, hints)
            keys = ", ".join(f"{start}{each.upper()}" for each in ([near] if near else hints))
            hint = f"did you mean {keys!r}?" if near else f"allowed: {keys}"
            yield Fault(WHERE, f"unknown variable {variable!r}, {hint}")


def misspelt_sections(environ: Mapping[str, str]) -> Iterator[Fault]:
    """A fault for ``AGENT_DATA_DIR``, ``AGENT_REPORT_TIME`` and the like.

    Others may use names that begin with ``AGENT_`` too: only what is nearly ours is a fault.
    """
    starts = (DEVICE_PREFIX, *(f"{PREFIX}{name.upper()}_" for name in SECTIONS))
    ours = [
        f"{PREFIX}{name.upper()}_{field.name.upper()}"
        for name, section in SECTIONS.items()
        for field in attrs.fields(section)
    ]
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and not variable.startswith(starts):
            near = nearest(variable, ours, NEAR)
            if near is not None:
                yield Fault(WHERE, f"unknown variable {variable!r}, did you mean {near!r}?")


def parse(text: str, hint: Any) -> Any:
    """A variable's text as the type its option has; as text where it does not fit.

    >>> parse("5", int), parse("five", int), parse("5", str)
    (5, 'five', '5')
    """
    base = base_type(hint)
    if base is Secret:
        return ReferencedText(text)
    if base not in (float, int, bool) and get_origin(base) is not tuple:
        return text
    try:
        found = tomllib.loads(f"value = {text.strip()}")
    except (ValueError, RecursionError):
        return text
    return found["value"] if len(found) == 1 else text


def from_heat_pump_logger(environ: Mapping[str, str]) -> dict[str, Any] | None:
    """The configuration that the heat pump logger's variables stand for, if ``HOST`` is set."""
    if not environ.get("HOST"):
        return None
    device = {"name": "heatpump", "kind": HEAT_PUMP_KIND, "host": environ["HOST"]}
    device |= _renamed(environ, {"PORT": ("port", int), "INTERVAL_SEC": ("interval_s", float)})
    device |= _renamed(environ, {"READABLE_HEADERS": ("readable_headers", bool)})
    reports = {
        "CSV_TIME": ("time", str),
        "OUTPUT_DIRS_DAILY": ("daily_dir", str),
        "OUTPUT_DIRS_WEEKLY": ("weekly_dir", str),
    }
    raw = {"agent": {}, "reports": _renamed(environ, reports), "device": [device]}
    if environ.get("CACHE_PATH"):  # theirs names the file, ours the folder it lies in
        raw["agent"] = {"data_dir": str(PurePath(environ["CACHE_PATH"]).parent)}
    return raw


def _renamed(environ: Mapping[str, str], names: Mapping[str, tuple[str, type]]) -> dict[str, Any]:
    renamed = {}
    for variable, (key, hint) in names.items():
        text = environ.get(variable, "")  # a composed container sets what is not given to ""
        if text and hint is bool:
            renamed[key] = TRUE_WORDS.get(text.lower(), parse(text.lower(), hint))
        elif text:
            renamed[key] = parse(text, hint)
    return renamed


def _by_key(start: str, environ: Mapping[str, str]) -> dict[str, str]:
    return {v.removeprefix(start).lower(): v for v in sorted(environ) if v.startswith(start)}
