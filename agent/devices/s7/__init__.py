"""A Siemens S7 PLC, read over ISO-on-TCP: data blocks and areas by absolute address."""

from agent.devices.contract import Driver, Found, Kind, TcpProbe
from agent.devices.s7.options import PORT, Options, Tag

__all__ = ["KIND", "Options", "Tag"]


def _driver(options: Options, timeout_s: float) -> Driver:
    from agent.devices.s7.driver import S7

    return S7(options, timeout_s)


def _probe(host: str, port: int, timeout_s: float) -> Found | None:
    from agent.devices.s7.discover import probe

    return probe(host, port, timeout_s)


KIND = Kind(
    options=Options,
    driver=_driver,
    summary="Siemens S7 PLC (300, 400, 1200, 1500, LOGO!), read-only, absolute addresses",
    interval_s=1.0,
    min_interval_s=0.05,
    timeout_s=3.0,
    probes=(TcpProbe((PORT,), _probe),),
)
