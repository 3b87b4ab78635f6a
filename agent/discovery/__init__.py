"""Which devices are here: on this machine, at its serial ports, and where asked, in the network."""

from agent.discovery.search import Search, Surroundings
from agent.discovery.wish import OWN_NETWORKS, Finding, Progress, Result, Searched, Wish

__all__ = [
    "OWN_NETWORKS",
    "Finding",
    "Progress",
    "Result",
    "Search",
    "Searched",
    "Surroundings",
    "Wish",
]
