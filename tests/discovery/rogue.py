"""Answers the call for controllers once, from an address and with a port of its choice.

Run as ``python rogue.py SOURCE PORT``.
"""

import socket
import sys

CALLED = 47808
source, port = sys.argv[1:]

if __name__ == "__main__":
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as called,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as answering,
    ):
        called.bind(("", CALLED))
        answering.bind((source, 0))
        print("ready", flush=True)
        _, caller = called.recvfrom(1024)
        answering.sendto(f"2500;111;{port};\0".encode(), caller)
        print("answered", caller, flush=True)
