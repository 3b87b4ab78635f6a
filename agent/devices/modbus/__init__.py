"""Modbus devices over TCP and serial lines: coils and registers by their addresses."""

from agent.devices.contract import Driver, Found, Kind, TcpProbe
from agent.devices.modbus.options import MODBUS_PORT, Options, Tag

__all__ = ["KIND", "Options", "Tag"]


def _driver(options: Options, timeout_s: float) -> Driver:
    from agent.devices.modbus.driver import Modbus

    return Modbus(options, timeout_s)


def _probe(host: str, port: int, timeout_s: float) -> Found | None:
    from agent.devices.modbus.probe import probe_tcp

    return probe_tcp(host, port, timeout_s)


KIND = Kind(
    options=Options,
    driver=_driver,
    summary="Modbus TCP and RTU: energy meters, inverters, PLCs, heat pumps; read-only",
    interval_s=1.0,
    min_interval_s=0.05,
    timeout_s=3.0,
    probes=(TcpProbe((MODBUS_PORT,), _probe),),
)
