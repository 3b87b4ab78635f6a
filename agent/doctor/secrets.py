"""Which texts of a configuration are secret, and its tables without them.

Only what is known to be harmless is shown: a key that no section and no kind has may be a password
with a slip in its name.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

import attrs

from agent.config.environment import device_variables, parse, section_variables
from agent.config.faults import ReferencedText
from agent.config.options import Secret
from agent.config.schema import SECTIONS, DeviceSection
from agent.config.source import REFERENCES, SECRET, resolve
from agent.config.structure import base_type, is_tuple
from agent.discovery.search import Kinds
from agent.doctor.case import Case
from agent.doctor.masking import HIDDEN

DEPTH: Final = 16
CONTENT: Final = {"value", "secret"}  # a class that has both holds a secret in either

REFERENCE: Final = re.compile(r"""\b(env|file)\s*=\s*["']([^"'\n]+)["']""")

Hints = Mapping[str, Any]


class Tables:
    """Tables of a configuration with their secrets left out; ``found`` are those.

    Args:
        kinds: The kinds of devices, whose options say what is secret.
    """

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds
        self.found: list[str] = []

    def configuration(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """All of ``agent.toml``, as it stands there."""
        shown: dict[str, Any] = {}
        for key, value in raw.items():
            if key == "device":
                tables = value if isinstance(value, list) else [value]
                shown[key] = [self._table(each, self.hints_of(each)) for each in tables]
            elif key in SECTIONS:
                shown[key] = self._table(value, hints_of_class(SECTIONS[key]))
            else:
                shown[key] = self._hide(value)
        return shown

    def hints_of(self, table: Any) -> Hints:
        """The options that a device's table may have, with their types."""
        kind = table.get("kind") if isinstance(table, dict) else None
        if isinstance(kind, str) and kind in self._kinds:
            return {**hints_of_class(self._kinds[kind]().options), **hints_of_class(DeviceSection)}
        return hints_of_class(DeviceSection)

    def value(self, key: str, value: Any, hint: Any) -> Any:
        """One value as far as it may be shown."""
        if _is_reference(value):
            return value
        if hint is None or base_type(hint) is Secret or SECRET.search(key):
            return self._hide(value, is_secret=hint is not None or bool(SECRET.search(key)))
        base = base_type(hint)
        inner = get_args(base)[0] if is_tuple(base) and get_args(base) else base
        if isinstance(value, list):
            return [self.value(key, each, inner) for each in value]
        if isinstance(value, dict):
            return self._table(value, hints_of_class(inner) if attrs.has(inner) else {})
        return value

    def _table(self, table: Any, hints: Hints) -> Any:
        if not isinstance(table, dict):
            return self._hide(table)
        hints = (
            {k: v for k, v in hints.items() if k != "value"} if hints.keys() >= CONTENT else hints
        )
        return {key: self.value(key, each, hints.get(key)) for key, each in table.items()}

    def _hide(self, value: Any, depth: int = 0, *, is_secret: bool = False) -> Any:
        """Keys stay, all texts and numbers go."""
        if isinstance(value, dict) and depth < DEPTH:
            return {
                key: self._hide(
                    each, depth + 1, is_secret=is_secret or bool(SECRET.search(str(key)))
                )
                for key, each in value.items()
            }
        if isinstance(value, list) and depth < DEPTH:
            return [self._hide(each, depth + 1, is_secret=is_secret) for each in value]
        if isinstance(value, bool):
            return value
        if is_secret or isinstance(value, str):  # a number may be anything, such as 5
            self.found.append(str(value))
        return HIDDEN


def secrets_in(value: Any, depth: int = 0) -> Iterator[str]:
    """The secrets of a checked configuration, and all that may be one as its place is secret."""
    if isinstance(value, Secret):
        yield value.value
    elif isinstance(value, ReferencedText):
        yield str(value)
    elif depth >= DEPTH:
        return
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from secrets_in(getattr(value, field.name), depth + 1)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from secrets_in(each, depth + 1)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from secrets_in(each, depth + 1)


def referenced(case: Case) -> Iterator[str]:
    """What a configuration refers to, be the rest of it right or not."""
    folder = Path(os.path.realpath(case.file)).parent if case.file else Path.cwd()
    yield from secrets_in(resolve(dict(case.raw), folder, case.machine.environ))


def referenced_in(text: str, case: Case) -> Iterator[str]:
    """What the text of a configuration refers to that is no TOML."""
    folder = Path(os.path.realpath(case.file)).parent if case.file else Path.cwd()
    names = [{word: name} for word, name in REFERENCE.findall(text)]
    yield from secrets_in(resolve(names, folder, case.machine.environ, 1))


def every_text(value: Any, depth: int = 0) -> Iterator[str]:
    """All texts of tables: what is hidden when nothing else is known."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list) and depth < DEPTH:
        for each in value.values() if isinstance(value, dict) else value:
            yield from every_text(each, depth + 1)


def variables(case: Case, tables: Tables) -> Iterator[tuple[str, Any]]:
    """The variables that act on the configuration, each with its value if that may be shown."""
    environ = case.machine.environ
    for name, section in SECTIONS.items():
        hints = hints_of_class(section)
        for key, variable in section_variables(name, environ).items():
            yield variable, _shown(tables, key, environ[variable], hints.get(key))
    devices = case.raw.get("device")
    devices = devices if isinstance(devices, list) else []
    named = {
        each["name"].lower(): each
        for each in devices
        if isinstance(each, dict) and isinstance(each.get("name"), str)
    }
    owned, _ = device_variables(named, environ)
    known = set()
    for name, own in owned.items():
        table = named[name]
        if "kind" in own:
            table = {**table, "kind": environ[own["kind"]]}
        hints = tables.hints_of(table)
        for key, variable in own.items():
            known.add(variable)
            yield variable, _shown(tables, key, environ[variable], hints.get(key))
    for variable in sorted(environ):
        if variable.startswith("AGENT_DEVICE_") and variable not in known:
            yield variable, _shown(tables, variable, environ[variable], None)


def _shown(tables: Tables, key: str, text: str, hint: Any) -> Any:
    if hint is None:
        return tables.value(key, text, None)
    value = parse(text, hint)
    shown = tables.value(key, str(value) if isinstance(value, ReferencedText) else value, hint)
    is_whole = isinstance(value, str) and is_tuple(base_type(hint))  # it did not parse
    return tables.value(key, text, None) if is_whole else shown


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and list(value) in ([word] for word in REFERENCES)


def hints_of_class(section: type[Any]) -> Hints:
    """The options that a class declares, with their types."""
    hints: Hints = get_type_hints(section, include_extras=True)
    return hints
