"""The computer that the agent runs on."""

from collections.abc import Sequence

from agent.devices.contract import Driver, Found, Kind, LocalProbe
from agent.devices.host.options import Options

__all__ = ["KIND", "Options"]


def _driver(options: Options, timeout_s: float) -> Driver:
    from agent.devices.host.driver import Host

    return Host(options, timeout_s)


def _find() -> Sequence[Found]:
    from agent.devices.host.discover import find

    return find()


KIND = Kind(
    options=Options,
    driver=_driver,
    summary="this machine: battery, CPU, processes, memory, disks, network, temperatures",
    interval_s=5.0,
    is_single=True,  # the rows of system_sample don't say whose they are
    min_interval_s=1.0,  # system_sample has a row for each second
    timeout_s=3.0,
    probes=(LocalProbe(_find),),
)
