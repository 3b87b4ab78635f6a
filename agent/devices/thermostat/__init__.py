"""A Sinara 8451 thermostat, a two-channel TEC controller, read over TCP."""

from agent.devices.contract import Driver, Found, Kind, TcpProbe
from agent.devices.thermostat.options import PORT, Options

__all__ = ["KIND", "Options"]


def _driver(options: Options, timeout_s: float) -> Driver:
    from agent.devices.thermostat.driver import Thermostat

    return Thermostat(options, timeout_s)


def _probe(host: str, port: int, timeout_s: float) -> Found | None:
    from agent.devices.thermostat.probe import probe

    return probe(host, port, timeout_s)


KIND = Kind(
    options=Options,
    driver=_driver,
    summary="Sinara 8451 thermostat, two-channel TEC controller, over TCP, read-only",
    interval_s=1.0,
    min_interval_s=0.1,
    timeout_s=3.0,
    probes=(TcpProbe((PORT,), _probe),),
)
