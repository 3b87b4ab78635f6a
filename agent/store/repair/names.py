"""What the numbers in a damaged store mean: from its catalogue, else from its tables."""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping

import attrs

from agent.model import Metric, MetricType
from agent.store.book import load_entries, path_from
from agent.store.catalogue import (
    ALL_CLOCKS,
    CLOCKS,
    Clock,
    NamedDevice,
    NamedMetric,
    clocks_from,
    device_from,
    far,
    unsealed,
)
from agent.store.repair.cells import Field, Record
from agent.store.repair.content import NAMING, Line
from agent.store.repair.tables import Tables
from agent.store.rows import Layout, layout_from

RANGES = re.compile(r"(\d{1,5}(-\d{1,5})?(,|$))*")


@attrs.frozen
class Names:
    """The devices and lines of ``clock`` of a store, by number."""

    devices: Mapping[int, NamedDevice]
    clocks: Mapping[int, Clock]


def names_in(connection: sqlite3.Connection) -> Names:
    """What the numbers in a store mean that is sound.

    Raises:
        sqlite3.Error: It is not.
    """
    devices = {
        entry.id: NamedDevice(
            entry.id,
            entry.name,
            entry.kind,
            [NamedMetric(*metric) for metric in entry.metrics.values()],
            {number: layout for layout, number in entry.layouts.items()},
        )
        for entry in load_entries(connection).values()
    }
    return Names(devices, {clock[0]: clock for clock in connection.execute(ALL_CLOCKS)})


def changed_name(connection: sqlite3.Connection) -> str | None:
    """A device of which the tables say something else than the catalogue, which has checksums.

    Both are written together.

    Raises:
        sqlite3.Error: They can't be read.
    """
    names = names_in(connection)
    for id_, data in connection.execute("SELECT id, data FROM catalogue WHERE id > ?", (CLOCKS,)):
        try:
            sealed = device_from(unsealed(data))
        except (ValueError, TypeError, RecursionError):
            continue  # it is damaged itself, and written anew with the next change
        found = names.devices.get(id_)
        if found is None or _facts(found) != _facts(sealed):
            return sealed.name
    return None


def _facts(device: NamedDevice) -> tuple[object, ...]:
    metrics = {metric.position: metric for metric in device.metrics}
    return device.id, device.name, device.kind, metrics, {**device.layouts}


def names_of(tables: Tables) -> Names:
    """What the tables say, as far as they can be walked."""
    lines = (Line(table, key, record) for table in NAMING for key, record in tables.records(table))
    return names_from(lines, tables)


def names_from(lines: Iterable[Line], tables: Tables) -> Names:
    """What such lines say, and the metrics of the tables; the catalogue has checksums, and so the
    last word.
    """
    clocks: dict[int, Clock] = {}
    layouts: dict[int, dict[int, Layout]] = {}
    found: dict[int, tuple[str, str]] = {}
    sealed: list[tuple[int, bytes]] = []
    for line in lines:
        match line.table, line.record:
            case "clock", record:
                clocks |= {clock[0]: clock for clock in _clock(line.key, record)}
            case "layout", (None, int(device), str(text)):
                for layout in _layout(text):
                    layouts.setdefault(device, {})[line.key] = layout
            case "device", (None, str(name), str(kind)):
                found[line.key] = name, kind
            case "catalogue", (None, bytes(data)):
                sealed.append((line.key if line.key >= CLOCKS else far(line.key), data))
    metrics = _metrics(tables)
    devices = {
        id_: NamedDevice(id_, name, kind, metrics.get(id_, ()), layouts.get(id_, {}))
        for id_, (name, kind) in found.items()
    }
    for key, data in sealed:
        _read_sealed(key, data, devices, clocks)
    return Names(devices, clocks)


def _read_sealed(
    key: int, data: bytes, devices: dict[int, NamedDevice], clocks: dict[int, Clock]
) -> None:
    try:
        text = unsealed(data)
        if key == CLOCKS:
            clocks |= {clock[0]: clock for clock in clocks_from(text)}
            return
        device = device_from(text)
    except (ValueError, TypeError, RecursionError):
        return
    # An older line of it, on a page that is free, knows less.
    before = devices.get(device.id)
    if before is None or len(before.layouts) <= len(device.layouts):
        devices[device.id] = device


def _metrics(tables: Tables) -> dict[int, list[NamedMetric]]:
    metrics: dict[int, dict[int, NamedMetric]] = {}
    for record in tables.entries("metric"):
        for device, metric in _metric(record):
            metrics.setdefault(device, {})[metric.position] = metric
    return {device: [own[at] for at in sorted(own)] for device, own in metrics.items()}


def _layout(text: str) -> Iterator[Layout]:
    if RANGES.fullmatch(text):  # else it is damaged, and may claim billions
        yield layout_from(text)


def _metric(record: Record) -> Iterator[tuple[int, NamedMetric]]:
    match record:
        case (int(device), int(at), str(path), str(name), str(unit), str(type_), str(help_)):
            try:
                metric = Metric(name, unit, MetricType(type_), help_)
                yield device, NamedMetric(at, path_from(path), metric)
            except ValueError:
                return


def _clock(key: int, record: Record) -> Iterator[Clock]:
    match record:
        case (None, str(boot_id), int(monotonic_ms), int(ts_ms), synchronised, *rest):
            yield key, boot_id, monotonic_ms, ts_ms, _int(synchronised), _int(*rest[:1])


def _int(field: Field = None) -> int | None:
    return field if isinstance(field, int) else None
