"""The host as the tests of the contract meet it."""

from hw_sim.host import HostSimulator
from tests.devices.case import Case

CASE = Case("host", tuple(HostSimulator.FAULTS))
