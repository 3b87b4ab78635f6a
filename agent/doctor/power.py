"""The supply of a Raspberry Pi: too low a voltage damages cards and loses data."""

from collections.abc import Iterator
from typing import Final

from agent.doctor.case import Case
from agent.doctor.finding import Finding, ok, warning

THROTTLED: Final = (
    "/sys/devices/platform/soc/soc:firmware/get_throttled",
    "/sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled",
)
UNDER_VOLTAGE, THROTTLING, TOO_HOT = 1 << 0, 1 << 2, 1 << 3  # now; since the start: << 16
PAST: Final = 16
FIX: Final = "use the supply that was made for it (5.1 V, 3 A; Pi 5: 5 A) and a short, thick cable"


def check_power(case: Case) -> Iterator[Finding]:
    """Nothing is said where no sensor tells."""
    machine = case.machine
    # Older kernels show it without 0x; some firmwares add a 0x of their own.
    bits = next((n for p in THROTTLED if (n := machine.number(p, 16)) is not None), None)
    alarm = _alarm(case)
    if bits is None and alarm is None:
        return
    bits = bits or 0
    if bits & UNDER_VOLTAGE or alarm:
        yield warning("the supply voltage is too low now", FIX)
    elif bits & UNDER_VOLTAGE << PAST:
        yield warning("the supply voltage was too low since the last start", FIX)
    else:
        yield ok("the supply voltage is right")
    if bits & (THROTTLING | TOO_HOT):
        yield warning("the processor is slowed down now, too hot or too little power", "cool it")


def _alarm(case: Case) -> bool | None:
    """What the kernel's sensor of a Raspberry Pi says."""
    for folder in sorted(case.machine.at("/sys/class/hwmon").glob("hwmon*")):
        name = f"/sys/class/hwmon/{folder.name}"
        if case.machine.text(f"{name}/name") == "rpi_volt":
            number = case.machine.number(f"{name}/in0_lcrit_alarm")
            return None if number is None else number != 0
    return None
