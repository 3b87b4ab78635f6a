"""One BENCHLAB board on an open link: who it is, and its sensor data."""

from typing import Final

import attrs

from agent.clock import Deadline
from agent.devices.benchlab import wire
from agent.devices.benchlab.layout import (
    PRODUCTS,
    Layout,
    Product,
    layout_by_size,
    layout_for,
    nearest_firmware,
)
from agent.devices.contract import hex_bytes
from agent.devices.links.link import Link, Stream
from agent.errors import DeviceError
from agent.model import Reason

QUIET_S: Final = 0.05  # a board that greets by itself does so within this time of being opened
SETTLE_S: Final = 0.005  # what an answer has too much comes in the next USB frames, of 1 ms each
OPTIONAL_S: Final = 0.15  # at least so long is waited for what a board may leave unanswered
UNASKED_LIMIT: Final = 4096  # bytes; a device that sends more by itself is no board
GREETINGS_LIMIT: Final = 4  # greetings before one answer
TRIES: Final = 3  # of what all depends on; the maker's tools ask for the UID so often
SMALLEST_SIZE: Final = 216
LARGEST_SIZE: Final = 384


@attrs.frozen
class Identity:
    """Who a board is; what it does not tell is ``None`` or empty."""

    layout: Layout
    firmware: int | None
    uid: str
    name: str = ""

    @property
    def text(self) -> str:
        """In one line."""
        firmware = "unknown" if self.firmware is None else self.firmware
        name = f", named {self.name!r}" if self.name else ""
        return f"{self.layout.product.name}, firmware {firmware}, UID {self.uid or 'unknown'}{name}"

    @property
    def doubts(self) -> list[str]:
        """What is not as it should be, a sentence each."""
        found = []
        product, firmware = self.layout.product, self.firmware
        if firmware is None:
            found.append(
                "the board does not tell its firmware: its product is guessed from the size of its "
                "data, Chip_Temp is left empty"
            )
        elif firmware not in product.firmwares:
            nearest = nearest_firmware(product, firmware)
            found.append(
                f"firmware {firmware} of {product.name} is not known here, it is read as {nearest}"
            )
        if not self.uid:
            found.append(
                "the board does not tell its UID: it can't be told from another board at its port"
            )
        return found

    def with_told(self, told: tuple[Product, int]) -> "Identity":
        """The same board, now that it has told product and firmware."""
        return attrs.evolve(self, layout=layout_for(*told), firmware=told[1])

    def or_before(self, before: "Identity | None") -> "Identity":
        """With the firmware that the same board told before, if that fits the size of its data."""
        if self.firmware is not None or before is None or before.firmware is None:
            return self
        is_same = self.uid != "" and self.uid == before.uid
        fits = self.layout.size == before.layout.size
        return attrs.evolve(before, name=self.name) if is_same and fits else self


class WrongBoardError(DeviceError):
    """A board, but not the one that is looked for."""

    def __init__(self, wanted: str, found: str) -> None:
        self.uid = found
        self.found = f"board {found}" if found else "a board that does not tell its UID"
        super().__init__(f"wanted board {wanted}, found {self.found}", Reason.UNREACHABLE)


class Board:
    """A board that has told who it is."""

    def __init__(self, link: Link) -> None:
        self._stream = Stream(link)
        self._welcome_size = 0  # bytes, not known before the first one

    @property
    def has_greeted(self) -> bool:
        """Whether what answers said that it is a BENCHLAB board."""
        return self._welcome_size > 0

    def identify(
        self, deadline: Deadline, wanted_uid: str = "", greets_within: Deadline | None = None
    ) -> Identity:
        """Ask who it is.

        Args:
            greets_within: The time to greet, where that is less than the whole.

        Raises:
            NoBoardError: It is no BENCHLAB board.
            WrongBoardError: It has another UID than the wanted one.
            OSError, ValueError: It could not be read, or it is a product that is not known.
        """
        self._await_greeting(greets_within or deadline)
        self._welcome(greets_within or deadline)
        told = self._product(deadline, TRIES)
        answer = self._asked(wire.READ_UID, wire.UID_SIZE, deadline, TRIES)
        uid = wire.parse_uid(answer) if answer else ""
        if wanted_uid and uid != wanted_uid:
            raise WrongBoardError(wanted_uid, uid)
        name = self._name(deadline)
        if told is None:
            return Identity(self._guess_layout(deadline), None, uid, name)
        return Identity(layout_for(*told), told[1], uid, name)

    def product(self, deadline: Deadline) -> tuple[Product, int] | None:
        """Product and firmware, asked for once more; ``None`` if it does not tell them.

        Raises:
            OSError, ValueError: As ``identify``.
        """
        self._catch_up(deadline)
        return self._product(deadline, tries=1)

    def sensors(self, layout: Layout, deadline: Deadline) -> bytes:
        """The sensor data, as many bytes as the layout has.

        Raises:
            OSError, ValueError: It could not be read; the link is of no more use.
        """
        self._catch_up(deadline)
        # No waiting for what may follow at every poll: what comes late is met at the next one.
        return self._ask(wire.READ_SENSORS, layout.size, deadline, settle_s=0.0)

    def close(self) -> None:
        """Let go of the link; twice is fine."""
        self._stream.close()

    def _catch_up(self, deadline: Deadline) -> None:
        """See that the next byte is the first one of the next answer."""
        unasked = self._stream.drain(UNASKED_LIMIT)
        if wire.welcomes_in(unasked) is None:
            self._welcome(deadline)  # some answer came late: where the next one begins is not sure

    def _product(self, deadline: Deadline, tries: int) -> tuple[Product, int] | None:
        answer = self._asked(wire.READ_VENDOR_DATA, wire.VENDOR_DATA_SIZE, deadline, tries)
        if not answer:
            return None
        code, firmware = wire.parse_vendor_data(answer)
        if code not in PRODUCTS:
            known = " and ".join(f"0x{code:02X} ({PRODUCTS[code].name})" for code in PRODUCTS)
            raise ValueError(
                f"wanted product {known}, got 0x{code:02X}: this version of the agent does "
                "not know that board, look for a newer one"
            )
        return PRODUCTS[code], firmware

    def _await_greeting(self, deadline: Deadline) -> None:
        """Take what the board sends by itself when it is opened, and what is left of earlier."""
        got = b""
        while piece := self._more(QUIET_S, deadline):
            got += piece
            if wire.welcomes_in(got):
                return
            if len(got) > UNASKED_LIMIT:
                raise wire.NoBoardError(
                    f"it is no BENCHLAB board: it sends without being asked: {hex_bytes(got)}"
                )

    def _welcome(self, deadline: Deadline) -> None:
        """Have it greet; afterwards the next byte is the first one of the next answer."""
        self._stream.send(wire.WELCOME, deadline)
        if self._welcome_size:
            answer = self._stream.exactly(self._welcome_size, deadline)
        else:
            answer = self._stream.exactly(wire.SHORT_WELCOME_SIZE, deadline)
            while answer.startswith(wire.MAGIC) and len(answer) < wire.WELCOME_SIZE:
                piece = self._more(QUIET_S, deadline)
                if not piece:
                    break
                answer += piece
        late = answer[wire.WELCOME_SIZE :]
        answer = answer[: wire.WELCOME_SIZE]
        if self.has_greeted and not wire.is_welcome(answer):
            got = hex_bytes(answer)
            raise ValueError(f"wanted its greeting, got {got}: it is late, raise timeout_s")
        wire.check_welcome(answer)
        self._welcome_size = len(answer)
        self._settle(late, len(answer), deadline)

    def _ask(
        self, request: bytes, size: int, deadline: Deadline, settle_s: float = SETTLE_S
    ) -> bytes:
        """The answer, without greetings that came before it."""
        self._stream.send(request, deadline)
        answer = self._stream.exactly(size, deadline)
        for _ in range(GREETINGS_LIMIT):
            if not answer.startswith(wire.MAGIC[:size]):
                break
            if len(answer) < wire.WELCOME_SIZE:
                answer += self._stream.exactly(wire.WELCOME_SIZE - len(answer), deadline)
            wire.check_welcome(answer[: wire.WELCOME_SIZE])
            answer = answer[wire.WELCOME_SIZE :]
            answer += self._stream.exactly(size - len(answer), deadline)
        self._settle(b"", size, deadline, settle_s)
        return answer

    def _settle(
        self, late: bytes, size: int, deadline: Deadline, settle_s: float = SETTLE_S
    ) -> None:
        """See that an answer is not longer than it should be; a greeting may follow it."""
        while piece := self._more(settle_s, deadline):
            late += piece
            if len(late) > UNASKED_LIMIT:
                break
        if wire.welcomes_in(late) is None:
            raise ValueError(f"wanted {size} bytes, got {len(late)} more: {hex_bytes(late)}")

    def _optional(self, request: bytes, size: int, deadline: Deadline) -> bytes:
        """The answer; nothing if the board leaves the request unanswered but still greets."""
        left_s = deadline.left_s()
        try:
            return self._ask(request, size, Deadline(min(left_s, max(OPTIONAL_S, left_s / 4))))
        except TimeoutError:
            self._stream.drain(UNASKED_LIMIT)
            self._welcome(deadline)
            return b""

    def _asked(self, request: bytes, size: int, deadline: Deadline, tries: int) -> bytes:
        """The answer; nothing if it comes at none of the tries."""
        for number in range(tries):
            if number and deadline.left_s() < OPTIONAL_S * TRIES:
                break  # the questions that follow need time too
            answer = self._optional(request, size, deadline)
            if answer:
                return answer
        return b""

    def _name(self, deadline: Deadline) -> str:
        """A board may be named "BENCHLAB", so that a late greeting looks like its name."""
        self._stream.send(wire.READ_NAME, deadline)
        left_s = deadline.left_s()
        try:
            waited = Deadline(min(left_s, max(OPTIONAL_S, left_s / 4)))
            answer = self._stream.exactly(wire.NAME_SIZE, waited)
        except TimeoutError:
            self._stream.drain(UNASKED_LIMIT)
            self._welcome(deadline)
            return ""
        while answer.startswith(wire.MAGIC) and (piece := self._more(QUIET_S, deadline)):
            answer += piece
        answer, rest = answer[-wire.NAME_SIZE :], answer[: -wire.NAME_SIZE]
        self._settle(rest, wire.NAME_SIZE, deadline)
        return wire.parse_name(answer)

    def _guess_layout(self, deadline: Deadline) -> Layout:
        """From the size of the sensor data."""
        self._stream.send(wire.READ_SENSORS, deadline)
        answer = self._stream.exactly(SMALLEST_SIZE, deadline)
        while len(answer) <= LARGEST_SIZE and (piece := self._more(QUIET_S, deadline)):
            answer += piece
        layout = layout_by_size(len(answer))
        if layout is None:
            raise ValueError(f"wanted sensor data of a known size, got {len(answer)} bytes")
        return layout

    def _more(self, within_s: float, deadline: Deadline) -> bytes:
        """What comes within a time, not waiting for all of the deadline; perhaps nothing."""
        if self._stream.unread:
            return self._stream.exactly(len(self._stream.unread), deadline)
        left_s = deadline.left_s()
        if not within_s:
            return self._stream.link.receive_now(UNASKED_LIMIT)
        try:
            return self._stream.link.receive(UNASKED_LIMIT, Deadline(min(within_s, left_s / 2)))
        except TimeoutError:
            return b""
