"""What names the samples of a file, a second time: small, with a checksum, found without tables.

A block names its device, layouts and clocks by number. Were one page of the tables damaged that say
what the numbers mean, years of sound blocks would be lost with it.
"""

import json
import sqlite3
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import attrs

from agent.model import Metric, MetricType
from agent.store.rows import Layout, Path, layout_from, layout_text

MAGIC = b"AGNTNAME"
HEAD = struct.Struct("<8sII")  # magic, bytes that follow, their CRC-32
CLOCKS = 0  # the number of the line that has those; others have the number of their device
FAR_PAGES = 2048
SIZE_LIMIT = 1 << 26  # bytes of one text
ALL_CLOCKS = (
    "SELECT id, boot_id, monotonic_ms, ts_ms, synchronised, moved_ms FROM clock ORDER BY id"
)

Clock = tuple[int, str, int, int, int | None, int | None]  # a line of ``clock``


@attrs.frozen
class NamedMetric:
    """A metric of a device, and where its values are."""

    position: int
    path: Path
    metric: Metric


@attrs.frozen
class NamedDevice:
    """A device with all that is numbered in it."""

    id: int
    name: str
    kind: str
    metrics: Sequence[NamedMetric] = ()
    layouts: Mapping[int, Layout] = attrs.field(factory=dict)


def device_text(device: NamedDevice) -> str:
    """A device as JSON."""
    metrics = [
        [m.position, [*m.path], m.metric.name, m.metric.unit, m.metric.type, m.metric.help]
        for m in device.metrics
    ]
    layouts = [[number, layout_text(layout)] for number, layout in device.layouts.items()]
    return json.dumps([device.id, device.name, device.kind, metrics, layouts], ensure_ascii=False)


def device_from(text: str) -> NamedDevice:
    """What ``device_text`` wrote.

    Raises:
        ValueError: It is something else.
    """
    match json.loads(text):
        case [int(id_), str(name), str(kind), list(metrics), list(layouts)]:
            return NamedDevice(
                id_,
                name,
                kind,
                tuple(_metric(each) for each in metrics),
                {int(number): layout_from(positions) for number, positions in layouts},
            )
    raise ValueError("no device")


def _metric(facts: Any) -> NamedMetric:
    position, path, name, unit, type_, help_ = facts
    return NamedMetric(
        int(position), tuple(map(int, path)), Metric(name, unit, MetricType(type_), help_)
    )


def clocks_text(clocks: Iterable[Clock]) -> str:
    """Lines of ``clock`` as JSON."""
    return json.dumps([*clocks], ensure_ascii=False)


def clocks_from(text: str) -> list[Clock]:
    """What ``clocks_text`` wrote.

    Raises:
        ValueError: It is something else.
    """
    found = []
    for each in json.loads(text):
        id_, boot_id, monotonic_ms, ts_ms, synchronised, moved_ms = each
        found.append(
            (int(id_), str(boot_id), int(monotonic_ms), int(ts_ms), synchronised, moved_ms)
        )
    return found


def sealed(text: str) -> bytes:
    """A text as it lies in the file."""
    data = zlib.compress(text.encode("utf-8", "surrogatepass"), 9)
    return HEAD.pack(MAGIC, len(data), zlib.crc32(data)) + data


def unsealed(data: bytes) -> str:
    """What ``sealed`` was given; what follows it does not matter.

    Raises:
        ValueError: It is damaged, or something else.
    """
    if len(data) < HEAD.size:
        raise ValueError("too short")
    magic, size, checksum = HEAD.unpack_from(data)
    body = data[HEAD.size : HEAD.size + size]
    if magic != MAGIC or len(body) != size or zlib.crc32(body) != checksum:
        raise ValueError("damaged")
    try:
        unpacker = zlib.decompressobj()
        return unpacker.decompress(body, SIZE_LIMIT).decode("utf-8", "surrogatepass")
    except zlib.error as exc:
        raise ValueError("damaged") from exc


class Numbered(Protocol):
    """A device as the writer knows it."""

    id: int
    name: str
    kind: str
    metrics: dict[str, tuple[int, Path, Metric]]
    layouts: dict[Layout, int]


class Catalogue:
    """Writes down what changed, inside the writer's open transaction.

    The tables with the names are on the first pages of a file, and so is this. Once the file is
    larger, all is written once more: a bad block of a card takes some hundred pages.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._written: dict[int, str] = {}
        self._seen: dict[int, tuple[object, ...]] = {}
        self._has_far = False
        for id_, data in connection.execute("SELECT id, data FROM catalogue"):
            try:
                self._written[id_] = unsealed(data)
            except ValueError:  # it is written anew
                continue

    def touch(self, device: int) -> None:
        """Something changed that is not seen by counting."""
        self._seen.pop(device, None)

    def keep(self, devices: Iterable[Numbered]) -> None:
        """Write what differs from what is written."""
        for device in devices:
            seen = device.name, device.kind, len(device.metrics), len(device.layouts)
            if self._seen.get(device.id) != seen:
                self._write(device.id, device_text(_named(device)))
                self._seen[device.id] = seen
        sql = "SELECT max(id), total(synchronised), total(moved_ms) FROM clock"
        seen = self._connection.execute(sql).fetchone()
        if self._seen.get(CLOCKS) != seen:
            self._write(CLOCKS, clocks_text(self._connection.execute(ALL_CLOCKS)))
            self._seen[CLOCKS] = seen
        self._has_far = self._has_far or self._is_large()
        if self._has_far:
            for id_, text in [*self._written.items()]:
                if id_ >= 0:
                    self._write(far(id_), text)

    def _is_large(self) -> bool:
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        return bool(pages >= FAR_PAGES)

    def _write(self, id_: int, text: str) -> None:
        if self._written.get(id_) != text:
            self._connection.execute(
                "INSERT OR REPLACE INTO catalogue(id, data) VALUES(?, ?)", (id_, sealed(text))
            )
            self._written[id_] = text


def far(id_: int) -> int:
    """The number of the other line of a device, or of the clocks; and back.

    >>> far(0), far(far(7))
    (-1, 7)
    """
    return -1 - id_


def _named(device: Numbered) -> NamedDevice:
    metrics = tuple(NamedMetric(*each) for each in device.metrics.values())
    layouts = {number: layout for layout, number in device.layouts.items()}
    return NamedDevice(device.id, device.name, device.kind, metrics, layouts)
