"""The simulated computer: a tree of the files that Linux tells about itself."""

from hw_sim.host.tree import AC_AND_BATTERY, NO_BATTERY, NO_POWER_NOW, SEVERAL, HostTree

__all__ = ["AC_AND_BATTERY", "NO_BATTERY", "NO_POWER_NOW", "SEVERAL", "HostTree"]
