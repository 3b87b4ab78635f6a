"""The ways in which a simulated board misbehaves."""

from collections.abc import Mapping

from hw_sim import faults
from hw_sim.faults import LINK_FAULTS, Known, helps

KNOWN: Mapping[str, Known] = {
    **LINK_FAULTS,
    "unplug": Known("is unplugged until the fault ends"),
    "replug": Known("is unplugged and comes back at another path, at each call"),
    "other-board": Known("another board, with another UID, is plugged in at its port"),
    "no-push": Known("does not greet by itself when its port is opened"),
    "late-push": Known("greets ARG seconds after its port was opened", 0.1),
    "double-push": Known("greets twice when its port is opened"),
    "shifted": Known("greets once more before each answer"),
    "greets-after": Known("greets once more after each answer"),
    "short": Known("sends ARG bytes of sensor data too few", 1, 1, 384),
    "extra": Known("sends ARG bytes after each answer", 1, 1, 4096),
    "product": Known("says that it is product ARG", 0x12, 0, 255),
    "vendor": Known("says that it is of vendor ARG", 0, 0, 255),
    "firmware": Known("says that it has firmware ARG", 99, 0, 255),
    "no-vendor": Known("does not tell vendor, product and firmware"),
    "no-uid": Known("does not tell its UID"),
    "no-name": Known("does not tell its name"),
    "no-temperatures": Known("has no temperature sensor connected"),
    "no-ambient": Known("its sensor of ambient temperature and humidity does not answer"),
    "limits": Known("every value is the highest of its type, with ARG 0 the lowest", 1, 0, 1),
    "over-current": Known("a BENCHLAB 2 reports too much current, now and before"),
}
FAULTS = helps(KNOWN)


class Fault(faults.Fault):
    """One fault in force, until ``end()``; named "" it is none."""

    def __init__(self, text: str = "", seed: int = 1) -> None:
        super().__init__(text, KNOWN, seed)

    def is_now(self, name: str) -> bool:
        """Whether it is this one, and has not ended."""
        return self.name == name and not self.is_over
