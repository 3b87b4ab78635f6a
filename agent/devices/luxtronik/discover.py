"""Finds Luxtronik controllers: by asking a port, or by calling out on the network.

Source of the call: python-luxtronik's ``discover``; it asks for nothing but an address.
"""

import contextlib
import ipaddress
import select
import socket
from collections.abc import Iterator, Sequence
from typing import Final

from agent.clock import Deadline
from agent.devices.contract import Found, address_of, device_errors
from agent.devices.links.tcp import LookUp, tcp_opener
from agent.devices.luxtronik.connection import Answer, Connection
from agent.devices.luxtronik.options import USUAL_PORTS
from agent.devices.luxtronik.unit import firmware_of, heat_pump_type
from agent.devices.luxtronik.wire import CALCULATIONS

CALL: Final = b"2000;111;1;\0"
CALLED_PORTS: Final = (4444, 47808)
ANSWER_START: Final = "2500;111;"
ANSWER_LIMIT: Final = 1024
LISTEN_S: Final = 2.0
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
    network: ipaddress.IPv4Network, timeout_s: float, ports: Sequence[int] = CALLED_PORTS
) -> Sequence[Found]:
    """Call out, and collect who answers; nobody is connected to."""
    return [
        Found(address_of(host, port), {"host": host, "port": port}, note=_unread(port))
        for host, port in _call(network, ports, Deadline(min(LISTEN_S, timeout_s / 2)))
    ]


def parse_call_answer(data: bytes) -> int | None:
    """Port of the controller that answers so, ``None`` if it is no answer to the call.

    A port that no controller has is not taken: anybody may send an answer.

    >>> parse_call_answer(b"2500;111;8888;"), parse_call_answer(b"2500;111;;")
    (8888, 8889)
    """
    text = data.decode("ascii", "replace")
    if not text.startswith(ANSWER_START):
        return None
    text = text.removeprefix(ANSWER_START).partition(";")[0].strip("\0 ")
    called = [port for port in USUAL_PORTS if text == str(port)]
    return called[0] if called else USUAL_PORTS[0]  # old firmware names none


def _unread(port: int) -> str:
    others = " or ".join(str(each) for each in USUAL_PORTS if each != port)
    return f"it answered the call, but not at port {port}; try port {others}"


def _call(
    network: ipaddress.IPv4Network, ports: Sequence[int], deadline: Deadline
) -> Iterator[tuple[str, int]]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(_calling_socket(port)) for port in ports]
        for calling, port in zip(sockets, ports, strict=True):
            with contextlib.suppress(OSError):  # no such network: nobody answers
                calling.sendto(CALL, (str(network.broadcast_address), port))
        yield from _answers(sockets, network, deadline)


def _answers(
    sockets: Sequence[socket.socket], network: ipaddress.IPv4Network, deadline: Deadline
) -> Iterator[tuple[str, int]]:
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
                if port is not None and host not in seen and ipaddress.IPv4Address(host) in network:
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


def _found(host: str, port: int, answer: Answer) -> Found:
    facts = {
        "firmware": firmware_of(answer.values) or "unknown",
        "heat pump type": heat_pump_type(answer.values) or "unknown",
        "values": str(len(answer.values)),
    }
    note = "" if answer.status == 0 else f"status {answer.status}, usual is 0"
    return Found(address_of(host, port), {"host": host, "port": port}, facts, note)
