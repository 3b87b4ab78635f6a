"""A client of a few lines that sends and shows bytes, so that tests see what is on the wire."""

import socket
from types import TracebackType
from typing import Self

TIMEOUT_S = 5.0  # all answers come in milliseconds; only a hang gets here

CONNECT = "03 00 00 16 11 E0 00 00 00 01 00 C1 02 01 00 C2 02 01 01 C0 01 0A"
CONFIRM = "03 00 00 16 11 D0 00 01 00 01 00 C0 01 0A C1 02 01 00 C2 02 01 01"
SETUP_480 = "03 00 00 19 02 F0 80 32 01 00 00 00 01 00 08 00 00 F0 00 00 01 00 01 01 E0"
SETUP_480_OK = "03 00 00 1B 02 F0 80 32 03 00 00 00 01 00 08 00 00 00 00 F0 00 00 01 00 01 01 E0"
READ_DB1 = (
    "03 00 00 1F 02 F0 80 32 01 00 00 00 02 00 0E 00 00 04 01 12 0A 10 02 00 0C 00 01 84 00 00 00"
)
DB1_IS = (
    "03 00 00 25 02 F0 80 32 03 00 00 00 02 00 02 00 10 00 00 04 01"
    " FF 04 00 60 00 01 E2 40 FF 29 3F A0 00 00 01 5A"
)


def wanted(text: str) -> str:
    """Hex as the answers are given here: lower case, one blank between bytes."""
    return bytes.fromhex(text).hex(" ")


def item(
    db: int, start: int, size: int, *, area: int = 0x84, word_length: int = 2, bit: int = 0
) -> str:
    """The item of a read: ``size`` elements from byte ``start``."""
    address = start * 8 + bit if area not in (0x1C, 0x1D) else start
    fields = size.to_bytes(2) + db.to_bytes(2) + bytes((area,)) + address.to_bytes(3)
    return (bytes((0x12, 0x0A, 0x10, word_length)) + fields).hex(" ")


def job(function: int, items: list[str], data: str = "") -> str:
    """A whole read (4) or write (5) packet, sequence number 2."""
    parameters = bytes((function, len(items))) + bytes.fromhex(" ".join(items))
    content = bytes.fromhex(data)
    lengths = len(parameters).to_bytes(2) + len(content).to_bytes(2)
    pdu = bytes.fromhex("32 01 00 00 00 02") + lengths + parameters + content
    return (b"\x03\x00" + (7 + len(pdu)).to_bytes(2) + b"\x02\xf0\x80" + pdu).hex(" ")


class RawClient:
    """One TCP connection; answers come as hex text."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def set_up(self, pdu: int = 480) -> Self:
        """Connect and agree on a PDU size."""
        self.ask(CONNECT)
        self.ask(SETUP_480[:-5] + pdu.to_bytes(2).hex(" "))
        return self

    def send(self, text: str) -> None:
        """Hex text as bytes."""
        self._socket.sendall(bytes.fromhex(text))

    def ask(self, text: str) -> str:
        """Send a packet and return the answer, a whole packet."""
        self.send(text)
        return self.packet()

    def packet(self) -> str:
        """The next packet."""
        head = self._exactly(4)
        return (head + self._exactly(int.from_bytes(head[2:]) - 4)).hex(" ")

    def items(self, *items: str) -> str:
        """The data part of the answer to a read of these items, or its header error."""
        answer = self.ask(job(4, list(items)))
        return answer[21 * 3 :] or answer[17 * 3 :]

    def first(self) -> bytes:
        """The first byte of an answer: its request has been dealt with."""
        return self._exactly(1)

    def rest(self) -> bytes:
        """What still comes until the other side closes."""
        data = b""
        try:
            while part := self._socket.recv(4096):
                data += part
        except ConnectionResetError:
            pass
        return data

    def is_quiet(self) -> bool:
        """Whether nothing has come by now; ends the patience of this client."""
        self._socket.settimeout(0.05)
        try:
            self._socket.recv(1)
        except TimeoutError:
            return True
        return False

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                raise EOFError(f"closed after {len(data)} of {size} bytes")
            data += part
        return data
