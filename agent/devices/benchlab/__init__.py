"""BENCHLAB boards, which measure the power, temperatures and fans of a PC."""

from agent.devices.benchlab.options import USB_ID, Options
from agent.devices.contract import Driver, Found, Kind, SerialProbe

__all__ = ["KIND", "Options"]


def _driver(options: Options, timeout_s: float) -> Driver:
    from agent.devices.benchlab.driver import Benchlab

    return Benchlab(options, timeout_s)


def _probe(path: str, timeout_s: float) -> Found | None:
    from agent.devices.benchlab.probe import probe

    return probe(path, timeout_s)


KIND = Kind(
    options=Options,
    driver=_driver,
    summary="BENCHLAB board: power, voltages, temperatures and fans of a PC, over USB",
    interval_s=1.0,
    min_interval_s=0.1,
    timeout_s=2.0,
    probes=(SerialProbe(_probe, usb=(USB_ID,)),),
)
