"""The host as the tests of the contract meet it."""

from hw_sim.host import HostSimulator
from tests.devices.case import Case

# How full a disk is comes from the real file system.
CASE = Case("host", tuple(HostSimulator.FAULTS), moving=("disk_*_free_bytes", "disk_*_used_pct"))
