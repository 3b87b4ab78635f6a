"""A Siemens S7 PLC, read over ISO-on-TCP: data blocks and areas by absolute address."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import attrs

from agent.clock import Deadline
from agent.devices.contract import device_errors, hex_bytes
from agent.devices.links.link import OpenLink
from agent.devices.links.tcp import LookUp, connecting, tcp_opener
from agent.devices.s7.connection import Connection
from agent.devices.s7.options import Options
from agent.devices.s7.plan import Job, Plan, Range, make_plan
from agent.devices.s7.wire import (
    PlcRefusedError,
    item_error,
    parse_read,
)
from agent.errors import DeviceError
from agent.model import Metric, Reason, Value

RETRY_EVERY: Final = 60  # reads; what could not be read is tried again then, and on reconnecting


@attrs.define
class _Poll:
    """What one ``read()`` found: ``invalid`` bytes, which are no value, and ``failed`` ranges."""

    values: dict[str, Value]
    invalid: dict[str, bytes] = attrs.Factory(dict)
    failed: list[tuple[Range, int]] = attrs.Factory(list)


class S7:
    """Reads the tags of one PLC over one connection, as few requests as its PDU size allows.

    Args:
        options: Where and what; bad tags raise ``ConfigError``.
        timeout_s: Bound of one whole ``read()``, connecting included.
        open_link: How it connects; over TCP by default.
    """

    def __init__(
        self, options: Options, timeout_s: float, open_link: OpenLink | None = None
    ) -> None:
        self._options = options
        self._timeout_s = timeout_s
        self._address = options.where
        self._open_link = open_link or tcp_opener(LookUp(options.host, options.port))
        self._tags = {tag.name: tag for tag in options.planned_tags()}
        self._metrics = options.metrics()
        self._connection: Connection | None = None
        self._pdu = 0
        self._plan: Plan | None = None
        self._reads = 0  # on this connection
        self._unread: dict[str, str] = {}  # tags that the PLC refuses, with the reason
        self._invalid: dict[str, bytes] = {}
        self._apart: set[str] = set()  # readable alone, but not merged with their neighbours

    @property
    def metrics(self) -> Sequence[Metric]:
        return self._metrics

    @property
    def tag_errors(self) -> Mapping[str, str]:
        """Why tags are ``None``: refused by the PLC, or bytes that are no value of their type."""
        invalid = self._invalid.items()
        return self._unread | {
            name: f"{self._invalid_text(name)}, got {hex_bytes(data)}" for name, data in invalid
        }

    def read(self) -> Mapping[str, Value]:
        """All tags in the order of the configuration.

        A tag that the PLC refuses is ``None``, and tried again at every 60th read; so is one whose
        bytes are no value of its type. If it refuses all tags, that is a DeviceError.
        """
        deadline = Deadline(self._timeout_s)
        try:
            if self._connection is None:
                with _plc_errors(f"connecting to {self._address}"):
                    self._connect(deadline)
            with _plc_errors(f"reading {self._address}"):
                return self._read(deadline)
        except DeviceError:
            self.close()  # an answer that is late must not meet the next request
            raise

    def describe(self) -> Sequence[str]:
        """Connection, requests, what is wrong with tags, and the place of those with a help."""
        return list(self._sentences())

    def warnings(self) -> Sequence[str]:
        """What is not of one moment, and each tag's error without the bytes, which may move."""
        found = []
        if self._plan is not None:
            found += [
                f"{block} needs more than one request, so its values are not of one moment"
                for block in self._plan.torn
            ]
            found += [
                f"{tag.name} is longer than one answer: its pieces may be of two moments"
                for tag in self._plan.cut
            ]
        found += [f"{name}: {text}" for name, text in self._unread.items()]
        found += [f"{name}: {self._invalid_text(name)}" for name in self._invalid]
        return found

    def _invalid_text(self, name: str) -> str:
        address = self._tags[name].address
        return f"{address.canonical}: wanted a valid {address.type}"

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connect(self, deadline: Deadline) -> None:
        options = self._options
        refused = "nothing listens at this port, an S7 listens at 102"
        with connecting(self._address, deadline.timeout_s, refused):
            self._connection = Connection(self._open_link(deadline))
        local, remote = options.tsaps()
        try:
            self._pdu = self._connection.handshake(local, remote, options.pdu, deadline)
        except ConnectionError as exc:
            text = (
                f"connecting to {self._address}: {exc.strerror or exc}: {self._why_refused(remote)}"
            )
            raise DeviceError(text, Reason.REFUSED) from exc
        self._reads = 0
        self._unread, self._invalid, self._apart = {}, {}, set()
        self._plan = self._make_plan()

    def _why_refused(self, remote: int) -> str:
        options = self._options
        given = f"rack {options.rack} and slot {options.slot} (TSAP {remote:04X})"
        if options.remote_tsap:
            given = f"local_tsap and remote_tsap ({remote:04X})"
        usual = "slot 1 for S7-1200/1500, slot 2 for S7-300"
        return f"check {given}; usual is {usual}; or all connections of the PLC are in use"

    def _make_plan(self) -> Plan:
        readable = [tag for name, tag in self._tags.items() if name not in self._unread]
        return make_plan(readable, self._pdu, self._options.merge_gap_bytes, self._apart)

    def _read(self, deadline: Deadline) -> Mapping[str, Value]:
        connection, plan = self._connection, self._plan
        assert connection is not None
        assert plan is not None
        self._reads += 1
        poll = _Poll(dict.fromkeys(self._tags))
        self._run(connection, plan.jobs, poll, deadline)
        retried = list(self._unread) if self._reads % RETRY_EVERY == 0 else []
        if poll.failed or retried:
            self._find_bad_tags(connection, retried, poll, deadline)
        if len(self._unread) == len(self._tags):
            first = next((self._unread[name] for name in self._tags), "none is configured")
            text = f"reading {self._address}: no tag could be read: {first}"
            raise DeviceError(text, Reason.REFUSED)
        self._invalid = poll.invalid
        return poll.values

    def _run(
        self, connection: Connection, jobs: Iterable[Job], poll: _Poll, deadline: Deadline
    ) -> None:
        values = poll.values
        cut: dict[str, bytes] = {}
        for job in jobs:
            pdu = connection.ask(job.request, deadline)
            starts = parse_read(pdu, job.sizes)
            for start, one, decoders in zip(starts, job.ranges, job.decoders, strict=True):
                if start < 0:
                    poll.failed.append((one, -start))
                    continue
                for name, decode, offset in decoders:
                    value = values[name] = decode(pdu, start + offset)
                    if value is None:
                        size = self._tags[name].address.size
                        poll.invalid[name] = pdu[start + offset : start + offset + size]
                if one.is_piece:
                    name = one.fields[0].tag.name
                    cut[name] = cut.get(name, b"") + pdu[start : start + one.item.size]
        for name, data in cut.items():
            tag = self._tags[name]
            if len(data) == tag.address.size:  # else the PLC refused a piece of it
                values[name] = tag.decode(data, 0)
                if values[name] is None:
                    poll.invalid[name] = data

    def _find_bad_tags(
        self, connection: Connection, retried: Iterable[str], poll: _Poll, deadline: Deadline
    ) -> None:
        """Read each tag of the failed ranges alone, so that only the bad ones stay unread."""
        failed, poll.failed = poll.failed, []
        merged = [one for one, _ in failed if len(one.fields) > 1]
        suspects = [*retried, *(tag.name for one in merged for tag in one.tags)]
        alone = make_plan((self._tags[name] for name in suspects), self._pdu, 0, suspects)
        self._run(connection, alone.jobs, poll, deadline)
        refused = {
            tag.name: item_error(code, tag.address.block)
            for one, code in [*failed, *poll.failed]
            if len(one.fields) == 1
            for tag in one.tags
        }
        for name in suspects:
            self._unread.pop(name, None)
        for name, text in refused.items():
            self._unread[name] = f"{self._tags[name].address.canonical}: {text}"
        for one in merged:
            names = {tag.name for tag in one.tags}
            if names.isdisjoint(refused):
                self._apart |= names  # else the merged range would fail at every read
        self._plan = self._make_plan()

    def _sentences(self) -> Iterator[str]:
        local, remote = self._options.tsaps()
        pdu = f", PDU {self._pdu} bytes" if self._pdu else ""
        yield f"S7 at {self._address}, TSAP {local:04X} to {remote:04X}{pdu}"
        plan = self._plan
        if plan is not None:
            jobs = f"{len(plan.jobs)} request{'s' if len(plan.jobs) != 1 else ''}"
            yield f"{len(self._tags)} tags, {plan.size_bytes} bytes in {jobs} a poll"
        errors = self.tag_errors
        helped = {tag.name for tag in self._options.tag if tag.help}  # of others it is the place
        for name, tag in self._tags.items():
            if name in errors or name in helped:
                yield f"{name}: {errors.get(name, tag.address.canonical)}"


@contextmanager
def _plc_errors(doing: str) -> Iterator[None]:
    with device_errors(doing):
        try:
            yield
        except PlcRefusedError as exc:
            raise DeviceError(f"{doing}: {exc}", Reason.REFUSED) from exc
