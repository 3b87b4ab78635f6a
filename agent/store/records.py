"""Waiting events as framed records with checksums, and back; a torn or foreign end is found.

A record is its length and CRC-32, each four bytes, little-endian, and a body of a letter and what
it stands for: ``V`` a device, ``N`` names of metrics, ``S`` a sample, ``O`` and ``C`` the start and
end of a gap, ``D`` what was dropped. Samples name their device and names by number; these stand
before them in the same part. All but samples are JSON.
"""

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from agent.model import Metric, MetricType, Reason, Stamp
from agent.store.waiting import Dropped, Event, GapClosed, GapOpened, Known, WaitingRow

FRAME = struct.Struct("<II")
SAMPLE = struct.Struct("<cIIqq")  # letter, number of the names and of the device, both clocks
CACHED_BYTES = 1024 * 1024  # of names as records: each part has them once, they rarely change

Metrics = Mapping[str, Metric]


def framed(*body: bytes) -> tuple[bytes, ...]:
    """A record, in pieces."""
    size = checksum = 0
    for piece in body:
        size += len(piece)
        checksum = zlib.crc32(piece, checksum)
    return FRAME.pack(size, checksum), *body


def _json(letter: bytes, *facts: object) -> tuple[bytes, ...]:
    text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
    return framed(letter, text.encode("utf-8", "surrogatepass"))


class NameRecords:
    """Names of metrics with a number each, as the records that say so, made once."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[tuple[str, ...], int, bytes]] = {}
        self._size_bytes = 0
        self._count = 0

    def of(self, names: tuple[str, ...]) -> tuple[int, bytes]:
        """The number of these names and their record."""
        # By identity: rows share their names, and hashing 2,000 of them takes longer than writing.
        found = self._made.get(id(names))
        if found is None:
            self._count += 1
            record = b"".join(_json(b"N", self._count, names))
            if self._size_bytes + len(record) > CACHED_BYTES:
                self._made.clear()
                self._size_bytes = 0
            found = self._made[id(names)] = names, self._count, record
            self._size_bytes += len(record)
        return found[1:]


class Encoder:
    """Makes the records of one part, which can be read without any other.

    ``settled`` are metrics of devices that are described in the store's file already.
    """

    def __init__(
        self, known: Mapping[str, Known], settled: Mapping[str, Metrics], names: NameRecords
    ) -> None:
        self._known = known
        self._settled = settled
        self._name_records = names
        self._names: dict[int, tuple[tuple[str, ...], int]] = {}  # keeps them, so ids stay theirs
        self._devices: dict[str, int] = {}
        self.described: dict[str, Metrics] = {}

    def records(self, event: Event) -> list[bytes]:
        """An event, after what is needed to read it, in pieces."""
        pieces: list[bytes] = []
        device = self._device(event.device, pieces)
        if isinstance(event, WaitingRow):
            names = self._names_number(event.names, pieces)
            head = SAMPLE.pack(b"S", names, device, event.stamp.ts_ms, event.stamp.monotonic_ms)
            pieces += framed(head, event.text.encode("utf-8"))
        elif isinstance(event, GapOpened):
            pieces += _json(b"O", device, event.start_ms, event.reason, event.detail)
        else:
            pieces += _json(b"C", device, event.end_ms)
        return pieces

    def dropped(self, instead_of: int, lost: Mapping[str, Dropped]) -> list[bytes]:
        """What stood in the part of that number, which is removed after this."""
        pieces: list[bytes] = []
        for name, one in lost.items():
            if one.first_ms is None and one.opened is None:
                continue
            device = self._device(name, pieces)
            opened = one.opened
            gap = opened and [opened.start_ms, opened.reason, opened.detail]
            pieces += _json(b"D", instead_of, device, one.first_ms, one.last_ms, one.count, gap)
        return pieces

    def _device(self, name: str, pieces: list[bytes]) -> int:
        known = self._known.get(name)
        metrics = known.metrics if known is not None else {}
        number = self._devices.get(name)
        is_described = not metrics or self._settled.get(name) is metrics
        if number is not None and (is_described or self.described.get(name) is metrics):
            return number
        number = self._devices.setdefault(name, len(self._devices))
        described = None
        if not is_described:
            self.described[name] = metrics
            described = [[m.name, m.unit, m.type, m.help] for m in metrics.values()]
        known = known or Known("", 0.0)
        facts = known.kind, known.interval_s, described, known.plain
        pieces += _json(b"V", number, name, *facts)
        return number

    def _names_number(self, names: tuple[str, ...], pieces: list[bytes]) -> int:
        found = self._names.get(id(names))
        if found is not None:
            return found[1]
        number, record = self._name_records.of(names)
        self._names[id(names)] = names, number
        pieces.append(record)
        return number


@attrs.define
class Content:
    """What parts say; ``dropped`` only where the part that it stands for is gone."""

    events: list[Event] = attrs.field(factory=list)
    dropped: dict[str, Dropped] = attrs.field(factory=dict)
    known: dict[str, Known] = attrs.field(factory=dict)
    unread_bytes: int = 0
    said: set[tuple[int, str]] = attrs.field(factory=set)  # part and device that ``dropped`` counts


class Decoder:
    """Reads the records of one part into a ``Content``; never raises for what stands there."""

    def __init__(self, content: Content, parts: set[int]) -> None:
        self._content = content
        self._parts = parts
        self._devices: dict[int, str] = {}
        self._names: dict[int, tuple[str, ...]] = {}

    def read(self, data: bytes) -> None:
        """All whole records; the rest, from the first that is not whole on, is only counted."""
        end = 0
        for start, end in frames(data):
            try:
                self._take(data[start : start + 1], data[start + 1 : end])
            except (ValueError, TypeError, LookupError, RecursionError, struct.error):
                self._content.unread_bytes += end - start + FRAME.size
        self._content.unread_bytes += len(data) - end

    def _take(self, letter: bytes, body: bytes) -> None:
        if letter == b"S":
            self._take_sample(letter + body)
            return
        facts: Any = json.loads(body.decode("utf-8", "surrogatepass"))
        match letter, facts:
            case b"V", [int(number), str(name), str(kind), int() | float() as interval_s, *rest]:
                self._devices[number] = name
                if kind:  # else the process that wrote it did not know the device
                    self._take_device(name, Known(kind, float(interval_s)), *rest)
            case b"N", [int(number), list(names)] if all(isinstance(n, str) for n in names):
                self._names[number] = tuple(names)
            case b"O", [int(device), *gap]:
                self._content.events.append(_opened(self._devices[device], gap))
            case b"C", [int(device), int(end_ms)]:
                self._content.events.append(GapClosed(self._devices[device], end_ms))
            case b"D", [int(part), int(device), first_ms, last_ms, int(count), gap]:
                said = part, self._devices[device]  # a kill may leave it to be said twice
                if part not in self._parts and said not in self._content.said:
                    self._content.said.add(said)
                    self._take_dropped(self._devices[device], first_ms, last_ms, count, gap)
            case _:
                raise ValueError(letter)

    def _take_device(
        self, name: str, known: Known, metrics: list[Any] | None, plain: bool | None = None
    ) -> None:
        # Version 0.1 did not say whether its samples are kept as rows.
        before = self._content.known.get(name, known).metrics
        described = before if metrics is None else _metrics(metrics)
        is_plain = known.plain if plain is None else bool(plain)
        self._content.known[name] = attrs.evolve(known, metrics=described, plain=is_plain)

    def _take_sample(self, body: bytes) -> None:
        _, names, device, ts_ms, monotonic_ms = SAMPLE.unpack_from(body)
        text = body[SAMPLE.size :].decode("utf-8")
        stamp = Stamp(ts_ms, monotonic_ms)
        row = WaitingRow(self._devices[device], stamp, self._names[names], text)
        self._content.events.append(row)

    def _take_dropped(
        self, device: str, first_ms: int | None, last_ms: int | None, count: int, gap: list[Any]
    ) -> None:
        lost = Dropped(opened=_opened(device, gap) if gap else None)
        if first_ms is not None and last_ms is not None:
            lost.add(int(first_ms), int(last_ms), count)
        lost.merge(self._content.dropped.get(device, Dropped()))
        self._content.dropped[device] = lost


def frames(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the body of each whole record begins and ends, up to the first that is not."""
    at = 0
    while at + FRAME.size < len(data):
        size, checksum = FRAME.unpack_from(data, at)
        start = at + FRAME.size
        at = start + size
        if not size or at > len(data) or zlib.crc32(data[start:at]) != checksum:
            return
        yield start, at


def _opened(device: str, gap: list[Any]) -> GapOpened:
    start_ms, reason, detail = gap
    if not isinstance(start_ms, int) or not isinstance(detail, str):
        raise TypeError(gap)
    return GapOpened(device, start_ms, Reason(reason), detail)


def _metrics(found: list[Any]) -> dict[str, Metric]:
    return {
        name: Metric(name, unit, MetricType(type_), help_) for name, unit, type_, help_ in found
    }
