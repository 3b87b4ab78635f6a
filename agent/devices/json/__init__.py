"""Anything that speaks JSON: read by HTTP GET, or as lines over TCP or a serial port."""

from agent.devices.contract import Driver, Kind
from agent.devices.json.address import Header
from agent.devices.json.options import Options, Tag

__all__ = ["KIND", "Header", "Options", "Tag"]


def _driver(options: Options, timeout_s: float) -> Driver:
    from agent.devices.json.driver import Json

    return Json(options, timeout_s)


KIND = Kind(
    options=Options,
    driver=_driver,
    summary="Anything that speaks JSON: HTTP GET, or lines over TCP or a serial port",
    interval_s=10.0,
    min_interval_s=0.1,
    timeout_s=5.0,
)
