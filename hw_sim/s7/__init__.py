"""A Siemens S7 PLC that isn't there: ISO-on-TCP server with moving values and faults on demand."""

from hw_sim.s7.faults import FAULTS
from hw_sim.s7.memory import Write
from hw_sim.s7.simulator import S7Simulator
from hw_sim.s7.tags import (
    DB1_SIZE,
    DB1_TAGS,
    DB2_SIZE,
    DB2_TAGS,
    DB3_TAGS,
    OTHER_TAGS,
    Tag,
)

__all__ = [
    "DB1_SIZE",
    "DB1_TAGS",
    "DB2_SIZE",
    "DB2_TAGS",
    "DB3_TAGS",
    "FAULTS",
    "OTHER_TAGS",
    "S7Simulator",
    "Tag",
    "Write",
]
