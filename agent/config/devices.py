"""The ``[[device]]`` tables: common keys and the options of each kind, checked together."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import attrs

from agent.config import environment
from agent.config.faults import Fault, ReferencedText, did_you_mean, shown
from agent.config.options import Claim, decimal
from agent.config.schema import (
    BUILT_IN_NAMES,
    DEVICE_NAME,
    PLAIN_KIND,
    RESERVED_NAMES,
    DeviceConfig,
    DeviceSection,
)
from agent.config.structure import UNKNOWN_KEY, partial, structure

COMMON_KEYS = tuple(field.name for field in attrs.fields(DeviceSection))


class KindLike(Protocol):
    """What the configuration has to know of a kind of device."""

    options: type[Any]
    interval_s: float
    min_interval_s: float
    timeout_s: float
    is_single: bool


Kinds = Mapping[str, Callable[[], Any]]  # a function each, that gives a KindLike


class Place:
    """Where the faults of one table are: in it, or in a variable that overrides it."""

    def __init__(self, where: str, variables: environment.Variables, faults: list[Fault]) -> None:
        self._where = where
        self._variables = variables
        self._faults = faults

    def fault(self, text: str, key: str = "") -> None:
        """Add a fault, of one key or of the whole table."""
        variable = self._variables.get(re.split(r"[.\[]", key, maxsplit=1)[0])
        if variable is not None:
            self._faults.append(Fault(environment.WHERE, f"{variable}: {text}"))
        else:
            self._faults.append(Fault(self._where, f"{key}: {text}" if key else text))


class DeviceLoader:
    """Checks the devices of one configuration and collects their faults on the way."""

    def __init__(self, source: str, kinds: Kinds, environ: Mapping[str, str]) -> None:
        self._source = source
        self._kinds = kinds
        self._environ = environ
        self._seen: set[str] = set()
        self._singles: set[str] = set()
        self._claims: dict[str, list[tuple[str, Claim]]] = {}
        self.faults: list[Fault] = []

    def devices(self, tables: Any) -> Iterator[DeviceConfig]:
        """The devices of the tables that have no fault."""
        if not isinstance(tables, list):
            text = f"device: found {shown(tables)}, allowed: tables [[device]], in double brackets"
            self.faults.append(Fault(self._source, text))
            return
        names = [table["name"] for table in tables if _is_named(table)]
        variables, faults = environment.device_variables(names, self._environ)
        self.faults += faults
        for number, table in enumerate(tables, 1):
            if not isinstance(table, dict):
                text = f"found {shown(table)}, allowed: a table [[device]]"
                self.faults.append(Fault(f"{self._source}: device {number}", text))
                continue
            own = variables.get(table["name"].lower(), {}) if _is_named(table) else {}
            where = f"{self._source}: {_called(table.get('name'), number)}"
            device = self._device(Place(where, own, self.faults), table, own)
            if device is not None:
                yield device

    def _device(
        self, place: Place, table: dict[str, Any], variables: environment.Variables
    ) -> DeviceConfig | None:
        self._check_name(place, table.get("name"))
        if "kind" in variables:
            table["kind"] = self._environ[variables["kind"]]
        kind = self._kind(place, table.get("kind"))
        if kind is None:
            _Checked(place, table, COMMON_KEYS, DeviceSection)
            return None
        keys = [field.name for field in attrs.fields(kind.options)]
        sections = (DeviceSection, kind.options)
        self.faults += environment.apply(table, sections, variables, self._environ)
        for extra in sorted(set(table) - {*COMMON_KEYS, *keys}):
            hint = did_you_mean(extra, [*COMMON_KEYS, *keys])
            place.fault(f"{UNKNOWN_KEY} {shown(extra)}{hint}")
        section = _Checked(place, table, COMMON_KEYS, DeviceSection)
        options = _Checked(place, table, keys, kind.options)
        interval_s = (
            kind.interval_s if section.whole.interval_s is None else section.whole.interval_s
        )
        if interval_s < kind.min_interval_s:
            allowed = f"{decimal(kind.min_interval_s)} s or more for the kind {table['kind']!r}"
            place.fault(f"found {decimal(interval_s)}, allowed: {allowed}", "interval_s")
        if kind.is_single and section.whole.enabled:
            self._check_single(place, table["kind"])
        if section.made is None or options.made is None:
            return None
        made: DeviceSection = section.made
        if made.enabled:
            self._check_claims(place, made.name, getattr(options.made, "claims", ()))
        timeout_s = kind.timeout_s if made.timeout_s is None else made.timeout_s
        plain = made.kind == PLAIN_KIND if made.plain is None else made.plain
        return DeviceConfig(
            made.name, made.kind, made.enabled, interval_s, timeout_s, options.made, plain
        )

    def _check_single(self, place: Place, kind: str) -> None:
        if kind in self._singles:
            allowed = "one enabled device of it, what it measures is there once"
            place.fault(f"found a second {kind!r}, allowed: {allowed}", "kind")
        self._singles.add(kind)

    def _check_claims(self, place: Place, name: str, claims: Sequence[Claim]) -> None:
        for claim in claims:
            others = self._claims.setdefault(claim.what, [])
            for other, earlier in others:
                if claim.is_alone or earlier.is_alone:
                    hint = f"; {claim.hint}" if claim.hint else ""
                    text = f"found {claim.what}, allowed: one that no other device has, "
                    place.fault(f"{text}{shown(other)} has it{hint}")
                    break
            others.append((name, claim))

    def _check_name(self, place: Place, name: Any) -> None:
        if not isinstance(name, str):
            return  # structure() says that it is missing or no text
        if not DEVICE_NAME.fullmatch(name):
            allowed = "a letter, then letters, digits, - and _, at most 48"
            place.fault(f"found {shown(name)}, allowed: {allowed}", "name")
        elif name.lower() in RESERVED_NAMES or BUILT_IN_NAMES.fullmatch(name):
            allowed = "another, this is a name inside the store"
            place.fault(f"found {shown(name)}, allowed: {allowed}", "name")
        if name.lower() in self._seen:
            allowed = "a name that no other device has, however its letters are cased"
            place.fault(f"found {shown(name)}, allowed: {allowed}", "name")
        self._seen.add(name.lower())

    def _kind(self, place: Place, word: Any) -> KindLike | None:
        if not isinstance(word, str):
            return None  # structure() says that it is missing or no text
        if word not in self._kinds:
            text = f"found {shown(word)}{_kind_hint(word, self._kinds)}"
            place.fault(text, "kind")
            return None
        kind: KindLike = self._kinds[word]()
        return kind


def _is_named(table: Any) -> bool:
    return isinstance(table, dict) and isinstance(table.get("name"), str)


def _called(name: Any, number: int) -> str:
    """How faults call a device: by its name, or by its number while it has none to show."""
    if not isinstance(name, str):
        return f"device {number}"
    if isinstance(name, ReferencedText) and not DEVICE_NAME.fullmatch(name):
        return f"device {number}"
    return f"device {shown(str(name))}"


def _kind_hint(word: str, kinds: Kinds) -> str:
    hint = did_you_mean(word, kinds)
    return hint if hint.endswith("?") else f", this version has the kinds {', '.join(kinds)}"


class _Checked:
    """Part of a table as an object: ``made`` without a fault, ``whole`` as far as it is right."""

    def __init__(
        self, place: Place, table: Mapping[str, Any], keys: Sequence[str], into: type[Any]
    ) -> None:
        known = {key: table[key] for key in keys if key in table}
        self.made, faults = structure(known, into)
        for key, text in faults:
            place.fault(text, key)
        self.whole: Any = partial(known, into) if self.made is None else self.made
        wrong = {key for key, text in faults if not text.startswith(UNKNOWN_KEY)}
        for fault in self.whole.check() if hasattr(into, "check") else ():
            if not any(_is_in(fault.key, key) for key in wrong):
                text = f"found {shown(fault.found)}, allowed: {fault.allowed}{fault.hint}"
                place.fault(text, fault.key)


def _is_in(key: str, outer: str) -> bool:
    return key == outer or key.startswith((f"{outer}.", f"{outer}["))
