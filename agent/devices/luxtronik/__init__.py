"""A Luxtronik 2.x heat pump controller (Alpha Innotec, Novelan, Siemens, ...), read over TCP."""

from collections.abc import Sequence
from ipaddress import IPv4Network
from typing import Final

from agent.devices.contract import BroadcastProbe, Driver, Found, Kind, TcpProbe
from agent.devices.luxtronik.options import USUAL_PORTS, Options

__all__ = ["KIND", "Options"]

PAUSE_S: Final = 10.0  # between the port test and our question: controllers have crashed of less


def _driver(options: Options, timeout_s: float) -> Driver:
    from agent.devices.luxtronik.driver import Luxtronik

    return Luxtronik(options, timeout_s)


def _find_by_port(host: str, port: int, timeout_s: float) -> Found | None:
    from agent.devices.luxtronik.discover import find_by_port

    return find_by_port(host, port, timeout_s)


def _find_by_broadcast(network: IPv4Network, timeout_s: float) -> Sequence[Found]:
    from agent.devices.luxtronik.discover import find_by_broadcast

    return find_by_broadcast(network, timeout_s)


KIND = Kind(
    options=Options,
    driver=_driver,
    summary="Luxtronik heat pump controller (Alpha Innotec, Novelan, ...), read-only, all values",
    interval_s=30.0,
    min_interval_s=5.0,
    timeout_s=60.0,
    backoff_floor_s=10.0,
    probes=(
        TcpProbe(USUAL_PORTS, _find_by_port, PAUSE_S),
        BroadcastProbe(_find_by_broadcast),
    ),
)
