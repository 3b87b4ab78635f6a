"""Faults on demand: their words, and those that every device on a byte link can have."""

import contextlib
import difflib
import math
import random
import threading
from collections.abc import Callable, Mapping

import attrs

PIECE_SIZE = {"pieces": 3, "trickle": 1}  # bytes
GARBAGE_SIZE = 200
ENDLESS_BLOCK = bytes(range(1, 256)) * 8


@attrs.frozen
class Known:
    """A fault that a simulator has; ``default`` is its argument, ``None`` if it takes none."""

    help: str
    default: float | None = None
    low: float = 0
    high: float = 86400


LINK_FAULTS: Mapping[str, Known] = {
    "silent": Known("answers nothing at all"),
    "delay": Known("waits ARG seconds before each answer", 2.0),
    "drop": Known("closes at request number ARG of a connection, without an answer", 1),
    "half-close": Known("sends half of an answer, then closes"),
    "pieces": Known("sends in pieces of three bytes, ARG seconds apart", 0.01),
    "trickle": Known("sends byte by byte, ARG seconds apart", 1.0),
    "garbage": Known("answers with random bytes"),
    "endless": Known("answers, and never stops sending"),
}
"""What ``Fault.answer`` does by itself, for TCP and serial devices alike."""

TCP_FAULTS: Mapping[str, Known] = {
    "refuse": Known("connections are refused, those that exist are dropped"),
    "too-many": Known("accepts connections and closes them at once, as if too many were open"),
    **LINK_FAULTS,
}
"""The same and two of TCP alone: its entrance does ``refuse``, the simulator ``too-many``."""


def helps(known: Mapping[str, Known]) -> Mapping[str, str]:
    """One line of help for each fault, as ``Simulator.FAULTS`` has it."""
    return {
        name: each.help + (f" (ARG, default {each.default:g})" if each.default is not None else "")
        for name, each in known.items()
    }


class Fault:
    """One fault in force, until ``end()``; named "" it is none."""

    def __init__(self, text: str, known: Mapping[str, Known], seed: int = 1) -> None:
        """Parse ``NAME`` or ``NAME:ARG``.

        Raises:
            ValueError: No such fault, or an argument it can't have.
        """
        self.text = text.strip()
        self.name, colon, argument = self.text.partition(":")
        if self.text and self.name not in known:
            close = difflib.get_close_matches(self.name, known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
            raise ValueError(f"no fault {self.name!r}: {hint}")
        self.argument = 0.0
        if self.name:
            self.argument = _argument(self.name, known[self.name], argument if colon else None)
        self.random = random.Random(seed)
        self._ended = threading.Event()

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._ended.is_set()

    def end(self) -> None:
        """Whatever still waits because of it goes on at once."""
        self._ended.set()

    def wait(self, seconds: float) -> None:
        """So long, or until it ends."""
        self._ended.wait(seconds)

    def send(self, send: Callable[[bytes], None], data: bytes) -> None:
        """Send in the pieces that it stands for."""
        size = PIECE_SIZE.get(self.name, max(1, len(data)))
        for at in range(0, len(data), size):
            if at and not self.is_over:
                self.wait(self.argument)
            send(data[at : at + size])

    def answer(self, send: Callable[[bytes], None], data: bytes, number: int) -> bool:
        """Send the answer to request ``number`` (from 1) of a connection; whether that goes on."""
        match self.name:
            case "silent":
                return True
            case "drop" if number >= self.argument:
                return False
            case "half-close":
                send(data[: len(data) // 2])
                return False
            case "delay":
                self.wait(self.argument)
            case "garbage":
                data = self.random.randbytes(self.random.randint(1, GARBAGE_SIZE))
        self.send(send, data)
        if self.name == "endless":
            with contextlib.suppress(OSError):  # whoever has had enough closes
                while not self.is_over:
                    send(ENDLESS_BLOCK)
            return False
        return True


def _argument(name: str, known: Known, text: str | None) -> float:
    if text is None:
        return known.default or 0.0
    if known.default is None:
        raise ValueError(f"fault {name!r} has no argument, got {text!r}")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not known.low <= value <= known.high:  # also not a number
        raise ValueError(
            f"fault {name!r} takes a number {known.low:g} to {known.high:g}, got {text!r}"
        )
    return value
