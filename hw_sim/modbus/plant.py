"""What the simulated units answer, however the requests come."""

import struct
import threading
from collections import deque
from collections.abc import Callable

import attrs

from hw_sim.modbus import wire
from hw_sim.modbus.faults import Fault
from hw_sim.modbus.memory import Memory, NoAddressError

REMEMBERED = 1000  # requests; a simulator may run for weeks


@attrs.frozen
class Write:
    """What a client asked to write; ``code`` is 0 where it was applied."""

    unit_id: int
    function: int
    data: bytes
    code: int

    def describe(self) -> str:
        """In one line, for people."""
        refused = f", refused with exception {self.code:02X}" if self.code else ""
        return (
            f"write to unit {self.unit_id}, function {self.function}: {self.data.hex(' ')}{refused}"
        )


@attrs.define
class Plant:
    """All units, what all connections share, and what is remembered of them."""

    memory: Memory
    writable: bool
    on_write: Callable[[Write], None] | None
    fault: Fault
    is_gateway: bool  # says so when a unit does not exist; on a line nobody would answer
    requests: deque[tuple[int, int, int, int]] = attrs.Factory(lambda: deque(maxlen=REMEMBERED))
    writes: deque[Write] = attrs.Factory(lambda: deque(maxlen=REMEMBERED))
    read_requests: int = 0
    write_requests: int = 0
    _before: bytes = b""  # the last answer, for "swapped"
    _held: bytes = b""  # a frame that waits for the next request, for "late"
    _lock: threading.Lock = attrs.Factory(threading.Lock)

    def answer(self, unit_id: int, pdu: bytes) -> bytes | None:
        """The answer to a request; ``None`` where there is silence."""
        with self._lock:
            self._count(unit_id, pdu)
        fault = self.fault
        if fault.has_unit("mute", unit_id):
            return None
        if fault.has_unit("absent", unit_id):
            return wire.exception(pdu[0], wire.NO_TARGET)
        if not self.memory.has(unit_id):
            return wire.exception(pdu[0], wire.NO_TARGET) if self.is_gateway else None
        answer = wire.exception(pdu[0], fault.code) if fault.code else self._serve(unit_id, pdu)
        with self._lock:
            before, self._before = self._before, answer
        return before or answer if fault.name == "swapped" else answer

    def hold(self, frame: bytes) -> bytes:
        """Keep a frame for later; the one that was kept until now."""
        with self._lock:
            held, self._held = self._held, frame
        return held

    def forget(self) -> None:
        """Nothing of former answers is kept."""
        with self._lock:
            self._held = self._before = b""

    def _count(self, unit_id: int, pdu: bytes) -> None:
        self.write_requests += pdu[0] in wire.CHANGING
        if pdu[0] in wire.READS and len(pdu) == 5:
            start, count = struct.unpack(">HH", pdu[1:])
            self.read_requests += 1
            self.requests.append((unit_id, pdu[0], start, count))

    def _serve(self, unit_id: int, pdu: bytes) -> bytes:
        function = pdu[0]
        if function in wire.READS:
            return self._read(unit_id, function, pdu[1:])
        if function in wire.CHANGING:
            return self._write(unit_id, pdu)
        return wire.exception(function, wire.ILLEGAL_FUNCTION)

    def _read(self, unit_id: int, function: int, data: bytes) -> bytes:
        if len(data) != 4:
            return wire.exception(function, wire.ILLEGAL_VALUE)
        start, count = struct.unpack(">HH", data)
        most = wire.MOST_REGISTERS if function in (3, 4) else wire.MOST_BITS
        if not 1 <= count <= most:
            return wire.exception(function, wire.ILLEGAL_VALUE)
        is_at_limits = self.fault.name == "limits"
        area = wire.READS[function]
        try:
            cells = self.memory.read(unit_id, area, start, count, at_limits=is_at_limits)
        except NoAddressError:
            return wire.exception(function, wire.ILLEGAL_ADDRESS)
        return wire.read_answer(function, cells)

    def _write(self, unit_id: int, pdu: bytes) -> bytes:
        code = 0
        answer = b""
        try:
            if not self.writable:
                code = wire.ILLEGAL_FUNCTION
            else:
                answer = self._apply(unit_id, pdu)
        except NoAddressError:
            code = wire.ILLEGAL_ADDRESS
        except (struct.error, ValueError):
            code = wire.ILLEGAL_VALUE
        write = Write(unit_id, pdu[0], pdu[1:], code)
        with self._lock:
            self.writes.append(write)
        if self.on_write is not None:
            self.on_write(write)
        return wire.exception(pdu[0], code) if code else answer

    def _apply(self, unit_id: int, pdu: bytes) -> bytes:
        """Do what a request to write says; raises as the lengths in it are wrong."""
        start, second = struct.unpack_from(">HH", pdu, 1)
        match pdu[0]:
            case 5:
                if second not in (0, 0xFF00):
                    raise ValueError("a coil is 0000 or FF00")
                self.memory.write(unit_id, "CO", start, [second >> 8 & 1])
                return pdu[:5]
            case 6:
                self.memory.write(unit_id, "HR", start, [second])
                return pdu[:5]
            case 15:
                bits = int.from_bytes(_counted(pdu, 5, (second + 7) // 8), "little")
                self.memory.write(unit_id, "CO", start, [bits >> i & 1 for i in range(second)])
                return pdu[:5]
            case 16:
                self.memory.write(unit_id, "HR", start, _words(_counted(pdu, 5, 2 * second)))
                return pdu[:5]
            case 22:
                (or_mask,) = struct.unpack_from(">H", pdu, 5)
                (now,) = self.memory.read(unit_id, "HR", start, 1)
                self.memory.write(unit_id, "HR", start, [now & second | or_mask & ~second])
                return pdu[:7]
            case 23:
                write_start, write_count = struct.unpack_from(">HH", pdu, 5)
                words = _words(_counted(pdu, 9, 2 * write_count))
                self.memory.write(unit_id, "HR", write_start, words)
                return pdu[:1] + self._read(unit_id, 3, pdu[1:5])[1:]
        raise ValueError("a file record, which these meters have none of")


def _counted(pdu: bytes, at: int, size: int) -> bytes:
    if not size or pdu[at] != size or len(pdu) != at + 1 + size:
        raise ValueError("lengths contradict each other")
    return pdu[at + 1 :]


def _words(data: bytes) -> list[int]:
    return [word for (word,) in struct.iter_unpack(">H", data)]
