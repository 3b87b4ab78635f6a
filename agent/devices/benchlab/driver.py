"""A BENCHLAB power and temperature board at a USB serial port, read-only."""

from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from agent.clock import Deadline
from agent.devices.benchlab.board import Identity
from agent.devices.benchlab.layout import PRODUCTS, fault_texts, layout_for
from agent.devices.benchlab.options import Options
from agent.devices.benchlab.search import Connected, Search
from agent.devices.contract import device_errors
from agent.devices.links.link import OpenLink
from agent.errors import DeviceError
from agent.model import Metric, Value

ANEW_AFTER: Final = 60  # reads, after which a firmware that is not known is asked for again
FIRST_LAYOUT: Final = PRODUCTS[0x10], 6  # its metrics are among those of every board


class Benchlab:
    """Reads one board, which is known by its UID: it may come back at another port.

    Args:
        options: Which board, and where to look for it.
        timeout_s: Bound of one whole ``read()``, looking for the board included.
        open_link: How it connects; through the serial ports of the options by default.
    """

    def __init__(
        self, options: Options, timeout_s: float, open_link: OpenLink | None = None
    ) -> None:
        self._uid = options.uid.upper()
        self._timeout_s = timeout_s
        self._search = Search(options)
        if open_link is not None:
            given = attrs.evolve(options, port=options.port or "the link")
            self._search = Search(given, lambda _, deadline: open_link(deadline), lambda _: ())
        self._layout = layout_for(*FIRST_LAYOUT)
        self._connected: Connected | None = None
        self._known: Identity | None = None  # the last one with a firmware
        self._unknown_reads = 0  # since the firmware was asked for in vain
        self._values: Mapping[str, Value] = {}

    @property
    def metrics(self) -> Sequence[Metric]:
        return self._layout.metrics

    def read(self) -> Mapping[str, Value]:
        """All values of the board.

        Once a board has told its UID, no other one is read.
        """
        deadline = Deadline(self._timeout_s)
        try:
            if self._connected is None:
                self._connect(deadline)
            assert self._connected is not None
            with device_errors(f"reading {self._place()}"):
                if self._connected.identity.firmware is None:
                    self._ask_again(self._connected, deadline)
                data = self._connected.board.sensors(self._layout, deadline)
                self._values = self._layout.decode(data)
            return self._values
        except DeviceError:
            self.close()
            raise

    def describe(self) -> Sequence[str]:
        """Product, firmware, UID, name, port, and which faults there have been."""
        if self._connected is None:
            return []
        found = [f"{self._connected.identity.text}, at {self._connected.where}"]
        found += self._connected.identity.doubts
        past = fault_texts(int(self._values.get("FaultLog") or 0))
        found += [f"there has been a fault: {text}" for text in past]
        return found

    def warnings(self) -> Sequence[str]:
        """What is doubtful of the board, and the faults that it reports now."""
        if self._connected is None:
            return []
        found = self._connected.identity.doubts
        values = self._values
        if values.get("Ambient_Temp") == 0 and values.get("Humidity") == 0:
            found.append(
                "Ambient_Temp and Humidity are both 0, as they are when their sensor does not "
                "answer"
            )
        present = fault_texts(int(values.get("FaultStatus") or 0))
        found += [f"the board reports a fault: {text}" for text in present]
        return found

    def close(self) -> None:
        connected, self._connected = self._connected, None
        if connected is not None:
            connected.board.close()

    def _connect(self, deadline: Deadline) -> None:
        self._values = {}
        with device_errors("looking for a BENCHLAB board"):
            connected = self._search.connect(self._uid, deadline)
        self._unknown_reads = 0
        self._take(connected, connected.identity.or_before(self._known))

    def _ask_again(self, connected: Connected, deadline: Deadline) -> None:
        """One unanswered question must not cost the right layout for as long as a link lasts."""
        self._unknown_reads += 1
        if self._unknown_reads == ANEW_AFTER:
            self._unknown_reads = 0
            told = connected.board.product(deadline)
            if told is not None:
                self._take(connected, connected.identity.with_told(told))

    def _take(self, connected: Connected, identity: Identity) -> None:
        self._connected = attrs.evolve(connected, identity=identity)
        self._uid = self._uid or identity.uid
        if identity.firmware is not None:
            self._known = identity
        if identity.layout != self._layout:  # the same object until it changes
            self._layout = identity.layout

    def _place(self) -> str:
        assert self._connected is not None
        uid = self._connected.identity.uid
        return f"board {uid} at {self._connected.where}" if uid else self._connected.where
