"""A BENCHLAB board that isn't there: a serial port with moving values and faults on demand."""

import random
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

import attrs

from hw_sim.benchlab import wire
from hw_sim.benchlab.faults import FAULTS, Fault
from hw_sim.benchlab.readings import ABSENT, Readings, readings_at
from hw_sim.benchlab.wire import PRODUCTS, SIZES, WRITES, Op
from hw_sim.contract import RunsInside
from hw_sim.serial_line import SerialLine, SerialSession

PACKET_S = 0.02  # bytes after a longer silence belong to another request
PACKET_SIZE = 64
GREETS_AFTER_S = 0.02  # who opens a port throws away what it has received by then
LOG_LIMIT = 10_000  # requests that are remembered
REPLUGS = frozenset({"unplug", "replug", "other-board"})  # begin with being unplugged
UNDONE = frozenset({"unplug", "other-board"})  # and end so too
UNTOLD = {"no-vendor": Op.READ_VENDOR_DATA, "no-uid": Op.READ_UID, "no-name": Op.READ_NAME}
VENDOR_DATA = ("vendor", "product", "firmware")  # in this order
NAME_SIZE = 32


class BenchlabSimulator(RunsInside):
    """One board at one serial port.

    Args:
        path: A link to the port, which is made and taken away; ``replug`` takes this path and
            another one that begins with it by turns.
        product: ``original`` or ``bl2``.
        firmware: The newest of the product if not given.
        uid: 24 hex digits; made from the seed if not given.
        seed: The same seed makes values move and noise sound the same.
        clock: Seconds that only rise; values move with it.
    """

    FAULTS: ClassVar[Mapping[str, str]] = FAULTS

    def __init__(
        self,
        path: Path,
        product: str = "original",
        firmware: int | None = None,
        *,
        uid: str = "",
        name: str = "",
        seed: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.product = PRODUCTS[product]
        self.firmware = self.product.firmwares[-1] if firmware is None else firmware
        self.uid = uid.upper() or uid_of(seed)
        self.name = name or f"bench {seed}"
        self.requests: list[bytes] = []
        self.write_requests = 0
        self._path = path.absolute()
        self._seed = seed
        self._clock = clock
        self._began_s = clock()
        self._kept: Readings | None = None
        self._sensor_data: bytes | None = None
        self._status = 0  # of the command before
        self._fault = Fault()
        self._line = SerialLine(self._path, self._serve)
        self._is_started = False
        self._lock = threading.Lock()  # faults come from other threads than requests

    @property
    def address(self) -> str:
        """What the path of its port begins with, wherever it is plugged in."""
        return str(self._path)

    @property
    def path(self) -> Path:
        """The link to its port, at this moment."""
        return self._line.path

    def start(self) -> None:
        """Be there; twice is fine.

        Raises:
            OSError: The link can't be made.
        """
        if not self._is_started:
            self._fault = Fault(self._fault.text, self._seed)  # one that was set before
            if self._fault.name != "unplug":
                self._line.plug()
            self._is_started = True

    def stop(self) -> None:
        """Be gone; twice is fine."""
        self._is_started = False
        self._fault.end()
        self._line.unplug()

    def set_fault(self, fault: str | None) -> None:
        """Misbehave as ``NAME`` or ``NAME:ARG`` of ``FAULTS``; ``None`` ends it.

        Raises:
            ValueError: No such fault, or an argument it can't have.
        """
        with self._lock:
            former, self._fault = self._fault, Fault(fault or "", self._seed)
            former.end()
            name = self._fault.name
            if not self._is_started or not (name in REPLUGS or former.name in UNDONE):
                return
            self._line.unplug()
            if name != "unplug":
                self._line.plug(self._other_path() if name == "replug" else None)

    def unplug(self) -> None:
        """Take the board off; twice is fine."""
        self._line.unplug()

    def plug(self, path: Path) -> None:
        """Plug the board in elsewhere.

        Raises:
            OSError: The link can't be made.
        """
        self._line.unplug()
        self._line.plug(path)

    @property
    def fault(self) -> str | None:
        """The name and argument of the fault in force."""
        return self._fault.text or None

    def freeze(self, readings: Readings | None = None) -> Readings:
        """Values stay as they are, or become these; what they are then."""
        self._kept = readings or self._now()
        return self._kept

    def thaw(self) -> None:
        """Values move."""
        self._kept = self._sensor_data = None

    def set_sensor_data(self, data: bytes) -> None:
        """Answer READ_SENSORS with these very bytes until ``thaw()``."""
        self._sensor_data = data

    def sensor_data(self) -> bytes:
        """What READ_SENSORS is answered with, most faults aside."""
        fault = self._fault
        if self._sensor_data is not None:
            return self._sensor_data
        if fault.is_now("limits"):
            is_high = fault.argument > 0
            return wire.limits(self.product, self.firmware, is_high=is_high)
        return wire.sensors(self.product, self.firmware, self._now())

    def _now(self) -> Readings:
        fault = self._fault
        now = self._kept or readings_at(self._clock() - self._began_s, self._seed)
        if fault.is_now("no-temperatures"):
            return attrs.evolve(now, chip=ABSENT, probes=(ABSENT,) * 8, ambient=ABSENT)
        if fault.is_now("no-ambient"):
            return attrs.evolve(now, ambient=0, humidity=0)
        if fault.is_now("over-current"):
            return attrs.evolve(now, faults=1 << 9, past_faults=1 << 9 | 1 << 20)
        return now

    def _other_path(self) -> Path:
        second = self._path.with_name(f"{self._path.name}-2")
        return self._path if self._line.path == second else second

    def _serve(self, session: SerialSession) -> None:
        push_at_s = self._greets_at()
        packets = Packets(session)
        number = 0
        while True:
            left_s = None if push_at_s is None else max(0.0, push_at_s - time.monotonic())
            request = packets.next(left_s)
            if request is None:
                push_at_s = None
                welcome = wire.welcome(self.product, self.firmware)
                times = 2 if self._fault.is_now("double-push") else 1
                self._fault.send(session.send, welcome * times)
                continue
            number += 1
            if len(self.requests) < LOG_LIMIT:
                self.requests.append(request)
            fault = self._fault
            answer = self._bent(fault, request, self._answer(request))
            goes_on = not answer or fault.answer(session.send, answer, number)
            if not goes_on and not fault.is_over:
                return

    def _greets_at(self) -> float | None:
        """When it greets by itself, as later firmwares do when their port is opened."""
        fault = self._fault
        welcome = wire.welcome(self.product, self.firmware)
        if len(welcome) != wire.WELCOME_SIZE or fault.name in ("silent", "no-push"):
            return None
        late_s = fault.argument if fault.name == "late-push" else 0.0
        return time.monotonic() + GREETS_AFTER_S + late_s

    def _answer(self, request: bytes) -> bytes:
        """What a board without a fault answers; nothing to what it does not know."""
        operation = request[0]
        if operation in WRITES:
            self.write_requests += 1
        if operation not in set(Op) or len(request) != SIZES.get(operation, len(request)):
            self._status = 1 if operation in set(Op) else 3
            return b""
        match Op(operation):
            case Op.WELCOME:
                answer = wire.welcome(self.product, self.firmware)
            case Op.READ_SENSORS:
                answer = self.sensor_data()
            case Op.READ_NAME:
                answer = self.name.encode()[: NAME_SIZE - 1].ljust(NAME_SIZE, b"\0")
            case Op.READ_UID:
                uid = uid_of(self._seed + 1000) if self._fault.is_now("other-board") else self.uid
                answer = bytes.fromhex(uid)
            case Op.READ_VENDOR_DATA:
                answer = bytes((wire.VENDOR, self.product.code, self.firmware))
            case Op.STATUS if self.firmware >= self.product.more_from:
                answer = bytes((self._status,))
            case _:
                answer = wire.fixed_answer(self.product, self.firmware, request)
        self._status = 0
        return answer

    def _bent(self, fault: Fault, request: bytes, answer: bytes) -> bytes:
        """The answer as a fault makes it."""
        if not answer or fault.is_over:
            return answer
        argument = int(fault.argument)
        welcome = wire.welcome(self.product, self.firmware)
        match fault.name:
            case "extra":
                answer += bytes(range(1, 256)) * (argument // 255) + bytes(argument % 255)
            case "shifted":
                answer = welcome + answer
            case "greets-after":
                answer += welcome
            case "short" if request[0] == Op.READ_SENSORS:
                answer = answer[:-argument]
            case name if request[0] == UNTOLD.get(name):
                answer = b""
            case name if request[0] == Op.READ_VENDOR_DATA and name in VENDOR_DATA:
                at = VENDOR_DATA.index(name)
                answer = answer[:at] + bytes((argument,)) + answer[at + 1 :]
        return answer


class Packets:
    """Requests, which nothing but their sizes and the time between them tells apart."""

    def __init__(self, session: SerialSession) -> None:
        self._session = session

    def next(self, within_s: float | None) -> bytes | None:
        """The next request, right or wrong; ``None`` if none came in time.

        Raises:
            EOFError: The port was closed.
        """
        request = self._session.receive_some(1, within_s)
        if not request:
            return None
        size = SIZES.get(request[0])
        while size is None or len(request) < size:
            limit = PACKET_SIZE if size is None else size - len(request)
            piece = self._session.receive_some(limit, PACKET_S)
            if not piece:
                break
            request += piece
        return request


def uid_of(seed: int) -> str:
    """The UID that a seed makes."""
    return random.Random(f"uid {seed}").randbytes(12).hex().upper()
