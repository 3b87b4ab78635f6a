"""The ``[[device]]`` tables: common keys and the options of each kind, checked together."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import attrs

from agent.config import environment
from agent.config.faults import Fault, did_you_mean, shown
from agent.config.schema import DEVICE_NAME, RESERVED_NAMES, DeviceConfig, DeviceSection
from agent.config.structure import structure

COMMON_KEYS = tuple(field.name for field in attrs.fields(DeviceSection))


class KindLike(Protocol):
    """What the configuration has to know of a kind of device."""

    options: type[Any]
    interval_s: float
    min_interval_s: float
    timeout_s: float


Kinds = Mapping[str, Callable[[], Any]]  # a function each, that gives a KindLike


class DeviceLoader:
    """Checks the devices of one configuration and collects their faults on the way."""

    def __init__(self, source: str, kinds: Kinds, environ: Mapping[str, str]) -> None:
        self._source = source
        self._kinds = kinds
        self._environ = environ
        self.faults: list[Fault] = []

    def devices(self, tables: Any) -> Iterator[DeviceConfig]:
        """The devices of the tables that have no fault."""
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            text = f"device: found {shown(tables)}, allowed: tables [[device]]"
            self.faults.append(Fault(self._source, text))
            return
        names = [table["name"] for table in tables if isinstance(table.get("name"), str)]
        self.faults += environment.unknown_devices(names, self._environ)
        seen: set[str] = set()
        for number, table in enumerate(tables, 1):
            where = self._check_name(table.get("name"), number, seen)
            device = self._device(where, table, names)
            if device is not None:
                yield device

    def _fault(self, where: str, text: str) -> None:
        self.faults.append(Fault(f"{self._source}: {where}", text))

    def _check_name(self, name: Any, number: int, seen: set[str]) -> str:
        """Where the faults of a device are: its name, or its number while it has none."""
        if not isinstance(name, str):
            return f"device {number}"  # structure() says that it is missing or no text
        where = f"device {name!r}"
        if not DEVICE_NAME.fullmatch(name):
            allowed = "a letter, then letters, digits, - and _, at most 48"
            self._fault(where, f"name: found {shown(name)}, allowed: {allowed}")
        elif name.lower() in RESERVED_NAMES or name.lower().startswith("sqlite_"):
            self._fault(where, f"name: {name!r} is a name inside the store, choose another")
        if name.lower() in seen:
            self._fault(where, "name: there is another device of this name")
        seen.add(name.lower())
        return where

    def _device(self, where: str, table: dict[str, Any], names: list[str]) -> DeviceConfig | None:
        kind = self._kind(where, table.get("kind"))
        keys = [field.name for field in attrs.fields(kind.options)] if kind else []
        if kind is not None:
            self._apply_environment(table, kind, names)
            for extra in sorted(set(table) - {*COMMON_KEYS, *keys}):
                hint = did_you_mean(extra, [*COMMON_KEYS, *keys])
                self._fault(where, f"unknown key {extra!r}{hint}")
        section = self._structured(where, table, COMMON_KEYS, DeviceSection)
        if kind is None:
            return None
        options = self._structured(where, table, keys, kind.options)
        self._check_options(where, options)
        if section is None or options is None:
            return None
        return self._complete(where, section, kind, options)

    def _kind(self, where: str, word: Any) -> KindLike | None:
        if not isinstance(word, str):
            return None  # structure() says that it is missing or no text
        if word not in self._kinds:
            self._fault(where, f"unknown kind {word!r}{did_you_mean(word, self._kinds)}")
            return None
        kind: KindLike = self._kinds[word]()
        return kind

    def _apply_environment(self, table: dict[str, Any], kind: KindLike, names: list[str]) -> None:
        name = table.get("name")
        if isinstance(name, str):
            longer = [other for other in names if other.startswith(name) and other != name]
            self.faults += environment.apply_device(table, kind.options, self._environ, longer)

    def _structured(
        self, where: str, table: Mapping[str, Any], keys: list[str] | tuple[str, ...], into: Any
    ) -> Any:
        made, faults = structure({key: table[key] for key in keys if key in table}, into)
        for key, text in faults:
            self._fault(where, f"{key}: {text}" if key else text)
        return made

    def _check_options(self, where: str, options: Any) -> None:
        if options is None or not hasattr(options, "check"):
            return
        for fault in options.check():
            text = f"{fault.key}: found {shown(fault.found)}, allowed: {fault.allowed}"
            self._fault(where, f"{text}{fault.hint}")

    def _complete(
        self, where: str, section: DeviceSection, kind: KindLike, options: Any
    ) -> DeviceConfig:
        interval_s = kind.interval_s if section.interval_s is None else section.interval_s
        timeout_s = kind.timeout_s if section.timeout_s is None else section.timeout_s
        if interval_s < kind.min_interval_s:
            allowed = f"{kind.min_interval_s:g} s or more for the kind {section.kind!r}"
            self._fault(where, f"interval_s: found {interval_s:g}, allowed: {allowed}")
        return DeviceConfig(
            section.name, section.kind, section.enabled, interval_s, timeout_s, options
        )
