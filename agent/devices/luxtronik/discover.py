"""Finds Luxtronik controllers: by asking a port, or by calling out on the network.

Source of the call: python-luxtronik's ``discover``; it asks for nothing but an address.
"""

import contextlib
import select
import socket
from collections.abc import Iterator, Sequence
from typing import Final

from agent.clock import Deadline
from agent.devices.contract import BroadcastProbe, Found, TcpProbe, address_of, device_errors
from agent.devices.links.tcp import LookUp, tcp_opener
from agent.devices.luxtronik.connection import Answer, Connection
from agent.devices.luxtronik.unit import firmware_of, heat_pump_type
from agent.devices.luxtronik.wire import CALCULATIONS
from agent.errors import DeviceError

PORTS: Final = (8889, 8888)
CALL: Final = b"2000;111;1;\0"
CALLED_PORTS: Final = (4444, 47808)
ANSWER_START: Final = "2500;111;"
ANSWER_LIMIT: Final = 1024
LISTEN_S: Final = 2.0
PAUSE_S: Final = 10.0  # between the port test and our question: controllers have crashed of less
CALLED_LIMIT: Final = 100  # controllers in one network


def find_by_port(host: str, port: int, timeout_s: float) -> Found | None:
    """Ask for the calculations; ``None`` where nothing answers as a controller does.

    Raises:
        DeviceError: It begins to answer as one, and goes on otherwise.
    """
    deadline = Deadline(timeout_s)
    try:
        link = tcp_opener(LookUp(host, port))(deadline)
    except (OSError, ValueError):
        return None
    with contextlib.closing(Connection(link)) as connection:
        try:
            answer = connection.ask(CALCULATIONS, deadline)
        except (OSError, ValueError):
            if not connection.is_luxtronik:
                return None
            with device_errors(f"reading {address_of(host, port)}"):
                raise
    return _found(host, port, answer)


def find_by_broadcast(
    address: str, timeout_s: float, ports: Sequence[int] = CALLED_PORTS
) -> Sequence[Found]:
    """Call out, then ask every controller that answers for its calculations."""
    deadline = Deadline(timeout_s)
    called = dict(_call(address, ports, Deadline(min(LISTEN_S, timeout_s / 2))))
    found = []
    for number, (host, port) in enumerate(called.items()):
        left_s = _left_s(deadline) / (len(called) - number)
        try:
            one = find_by_port(host, port, left_s)
            note = f"it answered the call, but not at port {port}; try port 8888"
        except DeviceError as exc:
            one, note = None, str(exc)
        where = address_of(host, port)
        found.append(one or Found(where, {"host": host, "port": port}, note=note))
    return found


def parse_call_answer(data: bytes) -> int | None:
    """Port of the controller that answers so, ``None`` if it is no answer to the call.

    >>> parse_call_answer(b"2500;111;8888;"), parse_call_answer(b"2500;111;;")
    (8888, 8889)
    """
    text = data.decode("ascii", "replace")
    if not text.startswith(ANSWER_START):
        return None
    port = text.removeprefix(ANSWER_START).partition(";")[0].strip("\0 ")
    is_port = port.isdecimal() and port.isascii() and len(port) <= 5 and 0 < int(port) < 65536
    return int(port) if is_port else PORTS[0]  # old firmware names none


def _call(address: str, ports: Sequence[int], deadline: Deadline) -> Iterator[tuple[str, int]]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(_calling_socket(port)) for port in ports]
        for calling, port in zip(sockets, ports, strict=True):
            with contextlib.suppress(OSError):  # no such network: nobody answers
                calling.sendto(CALL, (address, port))
        yield from _answers(sockets, deadline)


def _answers(sockets: Sequence[socket.socket], deadline: Deadline) -> Iterator[tuple[str, int]]:
    seen: set[str] = set()
    while len(seen) < CALLED_LIMIT:
        try:
            ready, _, _ = select.select(sockets, [], [], deadline.left_s())
        except TimeoutError:
            return
        for each in ready:
            with contextlib.suppress(OSError):  # an earlier call was refused
                data, (host, _) = each.recvfrom(ANSWER_LIMIT)
                port = parse_call_answer(data)
                if port is not None and host not in seen:
                    seen.add(host)
                    yield host, port


def _calling_socket(port: int) -> socket.socket:
    """Sends from the port that it calls where that is free: some answer to it, whoever called."""
    calling = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    calling.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    calling.setblocking(False)
    try:
        calling.bind(("", port))
    except OSError:
        calling.bind(("", 0))
    return calling


def _left_s(deadline: Deadline) -> float:
    try:
        return deadline.left_s()
    except TimeoutError:
        return 0.0


def _found(host: str, port: int, answer: Answer) -> Found:
    facts = {
        "firmware": firmware_of(answer.values) or "unknown",
        "heat pump type": heat_pump_type(answer.values) or "unknown",
        "values": str(len(answer.values)),
    }
    note = "" if answer.status == 0 else f"status {answer.status}, usual is 0"
    return Found(address_of(host, port), {"host": host, "port": port}, facts, note)


PROBES: Final = (TcpProbe(PORTS, find_by_port, PAUSE_S), BroadcastProbe(find_by_broadcast))
