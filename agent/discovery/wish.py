"""What is to be searched for, what was found, and what was looked at."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from agent.devices.contract import Found

OWN_NETWORKS = "own"


@attrs.frozen
class Wish:
    """What a user asks for; without addresses and subnets nothing is sent over the network.

    Args:
        addresses: Addresses, names, ``host:port`` and ranges such as ``10.0.0.0/24``.
        subnets: Ranges, or ``OWN_NETWORKS``: those of this machine's interfaces.
        ports: Serial ports, with ``*`` and ``?``; none: those whose USB id is known.
        kinds: The kinds to look for; none: all.
        is_public: Whether addresses outside of private networks may be asked.
        is_large: Whether ranges may be larger than usual.
        timeout_s: How long a connection may take.
    """

    addresses: Sequence[str] = ()
    subnets: Sequence[str] = ()
    ports: Sequence[str] = ()
    kinds: Sequence[str] = ()
    is_public: bool = False
    is_large: bool = False
    timeout_s: float = 0.5

    @property
    def is_networked(self) -> bool:
        """Whether the network is to be searched at all."""
        return bool(self.addresses or self.subnets)


@attrs.frozen
class Finding:
    """A device that was found; ``way`` is ``local``, ``serial``, ``tcp`` or ``broadcast``."""

    kind: str
    way: str
    found: Found
    device: str | None = None  # its name, where it is configured already

    @property
    def facts(self) -> Mapping[str, Any]:
        """All of it, for programs."""
        return {
            "kind": self.kind,
            "way": self.way,
            "where": self.found.where,
            "device": self.device,
            "facts": dict(self.found.facts),
            "note": self.found.note,
            "options": self.found.options,
        }


@attrs.frozen
class Searched:
    """What was looked at; ``ports`` are those of TCP."""

    is_local: bool = False
    is_serial: bool = False
    networks: Sequence[str] = ()
    addresses: int = 0
    ports: Sequence[int] = ()
    connects: int = 0
    serial_ports: Sequence[str] = ()
    seconds: float = 0.0
    is_complete: bool = True


@attrs.frozen
class Result:
    """All that a search has to say."""

    findings: Sequence[Finding]
    warnings: Sequence[str]
    searched: Searched


@attrs.frozen
class Progress:
    """How far a search is."""

    done: int
    total: int
    found: int
    seconds: float
