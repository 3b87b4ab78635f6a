"""The supply of a Raspberry Pi: too low a voltage damages cards and loses data."""

from collections.abc import Iterator
from typing import Final

from agent.devices.host.sensors import Throttling
from agent.doctor.case import Case
from agent.doctor.finding import Finding, ok, warning

FIX: Final = "use the supply that was made for it (5.1 V, 3 A; Pi 5: 5 A) and a short, thick cable"


def check_power(case: Case) -> Iterator[Finding]:
    """Nothing is said where no sensor tells."""
    told = Throttling(str(case.machine.at("/sys"))).read()
    if told.get("throttled_under_voltage") is None:
        return
    if told["throttled_under_voltage"]:
        yield warning("the supply voltage is too low now", FIX)
    elif told.get("throttled_under_voltage_since_boot"):
        yield warning("the supply voltage was too low since the last start", FIX)
    else:
        yield ok("the supply voltage is right")
    if told.get("throttled_now") or told.get("throttled_soft_temp_limit"):
        yield warning("the processor is slowed down now, too hot or too little power", "cool it")
