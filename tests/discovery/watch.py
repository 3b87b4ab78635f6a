"""Writes down every packet of a network interface, until its standard input ends.

Run as ``python watch.py INTERFACE``, by whoever may; the last line is JSON.
"""

import json
import select
import socket
import sys
from collections.abc import Iterator, Mapping

ALL, IPV4, TCP, UDP = 3, 0x0800, 6, 17
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10


def parse(frame: bytes) -> Mapping[str, object]:
    """What a frame is, as far as it is Ethernet, IPv4, TCP or UDP."""
    kind = int.from_bytes(frame[12:14])
    if kind != IPV4:
        return {"protocol": f"ethernet {kind:04x}"}
    packet = frame[14:]
    source, destination = (".".join(map(str, packet[at : at + 4])) for at in (12, 16))
    body = packet[(packet[0] & 0x0F) * 4 :]
    found: dict[str, object] = {"from": source, "to": destination}
    if packet[9] not in (TCP, UDP):
        return found | {"protocol": f"ip {packet[9]}"}
    ports = {"from_port": int.from_bytes(body[:2]), "port": int.from_bytes(body[2:4])}
    if packet[9] == UDP:
        return found | ports | {"protocol": "udp"}
    return found | ports | {"protocol": "tcp", "flags": body[13]}


def frames(interface: str) -> Iterator[bytes]:
    """All that pass, in both directions; those that came before the end are given first."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL)) as watched:
        watched.bind((interface, 0))
        print("ready", flush=True)
        is_over = False
        while True:
            wait_s = 0 if is_over else None
            ready, _, _ = select.select([watched, sys.stdin][: 1 if is_over else 2], [], [], wait_s)
            if watched in ready:
                yield watched.recv(65536)
            elif is_over:
                return
            is_over = is_over or sys.stdin in ready


if __name__ == "__main__":
    print(json.dumps([parse(frame) for frame in frames(sys.argv[1])]))
