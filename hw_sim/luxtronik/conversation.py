"""What the simulated controller says on its connections."""

import struct
import threading
from collections import deque
from collections.abc import Callable

import attrs

from hw_sim.luxtronik import wire
from hw_sim.luxtronik.faults import Fault
from hw_sim.luxtronik.memory import Memory
from hw_sim.luxtronik.wire import Write
from hw_sim.tcp import Session

REQUESTS_KEPT = 1000
LOOK_S = 0.01  # how often a connection that has to wait looks whether it may go on


@attrs.define
class Controller:
    """What all connections share, and what is remembered of them."""

    memory: Memory
    on_write: Callable[[Write], None] | None
    fault: Fault
    request_count: int = 0
    writes: list[Write] = attrs.Factory(list)
    connections: int = 0
    served: int = 0  # connections that are being served now
    lock: threading.Lock = attrs.Factory(threading.Lock)
    _latest: deque[int] = attrs.Factory(lambda: deque(maxlen=REQUESTS_KEPT))

    @property
    def requests(self) -> list[int]:
        """The commands, in order; of many only the latest are kept."""
        with self.lock:
            return list(self._latest)

    def note(self, command: int) -> None:
        """Count a request."""
        with self.lock:
            self.request_count += 1
            self._latest.append(command)

    def begin(self, *, is_alone: bool) -> bool:
        """Count a connection as served; not one that has to be alone and isn't."""
        with self.lock:
            if is_alone and self.served:
                return False
            self.served += 1
            return True

    def end(self) -> None:
        """It is served no more."""
        with self.lock:
            self.served -= 1


def serve(controller: Controller, session: Session) -> None:
    """One connection, from its first to its last request."""
    fault = controller.fault
    with controller.lock:
        controller.connections += 1
    if fault.name == "too-many":
        return
    is_alone = fault.name in ("second-refused", "second-queued")
    while not controller.begin(is_alone=is_alone and not fault.is_over):
        if fault.name == "second-refused":
            return
        fault.wait(LOOK_S)
    try:
        _answer_all(controller, session)
    finally:
        controller.end()


def _answer_all(controller: Controller, session: Session) -> None:
    number = 0
    goes_on = True
    while goes_on:
        (command,) = struct.unpack(">i", session.receive(4))
        if controller.fault.name == "restart":
            return  # the rest of the request is unread, and so the close is a reset
        (argument,) = struct.unpack(">i", session.receive(4))
        number += 1
        goes_on = _answer(controller, session, command, argument, number)


def _answer(
    controller: Controller, session: Session, command: int, argument: int, number: int
) -> bool:
    """Whether the connection goes on."""
    controller.note(command)
    fault = controller.fault
    if command == wire.WRITE:
        _write(controller, Write(argument, struct.unpack(">i", session.receive(4))[0]))
        return fault.answer(session.send, struct.pack(">ii", command, argument), number)
    if command not in wire.TABLES:
        return True  # a controller says nothing to what it does not know
    packet = fault.packet(command, controller.memory.table(command))
    return fault.reply(session, packet, number, wire.head_size(command))


def _write(controller: Controller, write: Write) -> None:
    with controller.lock:
        controller.writes.append(write)
    controller.memory.write(write)
    if controller.on_write is not None:
        controller.on_write(write)
