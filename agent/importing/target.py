"""Which device a file goes into: the one that is named, or the only one that it can be."""

from collections.abc import Sequence

import attrs

from agent.config import Config, DeviceConfig
from agent.config.schema import BUILT_IN_NAMES, DEVICE_NAME, PLAIN_KIND, RESERVED_NAMES
from agent.devices import KINDS
from agent.errors import ConfigError
from agent.importing.kinds import metrics_of
from agent.importing.reading import Facts, FileError, Into, shown
from agent.model import Metric
from agent.store.query import StoredDevice


@attrs.frozen
class Target:
    """A device; it need not be configured, nor have data."""

    device: str
    kind: str
    plain: bool
    is_new: bool  # the store does not know it
    into: Into


@attrs.frozen
class Wanted:
    """What the command line says; ``None`` where it says nothing."""

    device: str | None = None
    kind: str | None = None

    def check(self) -> None:
        """Raises ConfigError: There can be no such device."""
        if self.kind is not None and self.kind not in KINDS:
            known = ", ".join(KINDS)
            raise ConfigError(f"--kind: found {self.kind!r}, this version has the kinds {known}")
        if self.device is None:
            return
        if not DEVICE_NAME.fullmatch(self.device):
            allowed = "a letter, then letters, digits, - and _, at most 48"
            raise ConfigError(f"--device: found {shown(self.device)}, allowed: {allowed}")
        if self.device.lower() in RESERVED_NAMES or BUILT_IN_NAMES.fullmatch(self.device):
            allowed = "another, this is a name inside the store"
            raise ConfigError(f"--device: found {shown(self.device)}, allowed: {allowed}")


class Targets:
    """Chooses among the devices that are configured and those that have data."""

    def __init__(self, config: Config, stored: Sequence[StoredDevice], wanted: Wanted) -> None:
        wanted.check()
        self._config = config
        self._stored = {each.name.lower(): each for each in stored}
        self._wanted = wanted
        self._into: dict[tuple[str, str], Into] = {}  # by device and kind: it is large

    def of(self, facts: Facts) -> Target:
        """The device that a file goes into.

        Raises:
            FileError: There is none, or several that it can be.
        """
        if facts.is_sure and facts.kind is not None and self._wanted.kind not in (None, facts.kind):
            raise FileError(f"it is of kind {facts.kind}, leave --kind {self._wanted.kind} out")
        kind = self._wanted.kind or facts.kind
        name = self._wanted.device or _valid(facts.device) or self._only(kind)
        configured, stored = self._config.device(name), self._stored.get(name.lower())
        has_kind = configured.kind if configured else stored.kind if stored else None
        if self._wanted.kind is None and not (facts.is_sure and facts.kind):
            kind = has_kind or kind
        if kind is None:
            raise FileError(
                f"{name} is neither configured nor in the store: say of what kind it is, "
                f"--kind {'|'.join(KINDS)}"
            )
        if has_kind not in (None, kind):
            raise FileError(
                f"the file is of kind {kind}, {name} is of kind {has_kind}: name another --device"
            )
        self._check_raw(configured)
        known = stored.name if stored else configured.name if configured else name
        plain = configured.plain if configured else kind == PLAIN_KIND
        if (known, kind) not in self._into:
            self._into[known, kind] = _into(kind, configured, stored)
        return Target(known, kind, plain, stored is None, self._into[known, kind])

    def _only(self, kind: str | None) -> str:
        """The one device of a kind, or the name that a new one gets."""
        if kind is None:
            raise FileError("it does not say what it is of: name a device, --device NAME")
        configured = [each.name for each in self._config.devices if each.kind == kind]
        found = configured or [each.name for each in self._stored.values() if each.kind == kind]
        if len(found) > 1:
            raise FileError(
                f"there are several devices of kind {kind}, name one: --device {'|'.join(found)}"
            )
        return found[0] if found else kind

    def _check_raw(self, configured: DeviceConfig | None) -> None:
        if configured is not None and getattr(configured.options, "is_raw", False):
            raise FileError(
                f'{configured.name} keeps raw numbers (values = "raw"), and the file has scaled '
                "ones: name another --device"
            )


def _into(kind: str, configured: DeviceConfig | None, stored: StoredDevice | None) -> Into:
    options = configured.options if configured is not None else None
    metrics = stored.metrics if stored is not None else ()
    # Nobody said what the others are: their values do.
    of_store = {each.name: each for each in metrics if each != Metric(each.name)}
    return Into(kind, of_store, metrics_of(kind, options) | of_store, options)


def _valid(device: str | None) -> str | None:
    """A name that a file says, if a device may have it."""
    try:
        Wanted(device).check()
    except ConfigError:
        return None
    return device
