"""A Siemens S7 PLC that isn't there: ISO-on-TCP server with moving values and faults on demand."""

from hw_sim.registry import Simulated
from hw_sim.s7.command import command
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
    "SIMULATED",
    "S7Simulator",
    "Tag",
    "Write",
]


def _table(name: str, address: str) -> str:
    host, _, port = address.rpartition(":")
    tags = "\n".join(
        f'\n  [[device.tag]]\n  name = "{tag.name}"\n  address = "{tag.address}:{tag.type}"'
        + (f'\n  unit = "{tag.unit}"' if tag.unit else "")
        for tag in DB1_TAGS
    )
    return f"""[[device]]
name = "{name}"
kind = "s7"
host = "{host.strip("[]")}"
port = {port}
interval_s = 1.0
{tags}
"""


SIMULATED = Simulated(lambda _, seed: S7Simulator(seed=seed), _table, command, name="plc")
