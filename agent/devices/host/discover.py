"""What this machine has to offer: its battery and its sensors."""

import os
import platform
from collections.abc import Sequence

from agent.devices.contract import Found
from agent.devices.host.battery import AUTO
from agent.devices.host.files import names_in, printable, read_attribute
from agent.devices.host.sensors import find_sensors

MODELS = ("firmware/devicetree/base/model", "class/dmi/id/product_name")


def find(sys: str = "/sys") -> Sequence[Found]:
    """This machine, always; nothing is sent or opened but files of the kernel."""
    supplies = f"{sys}/class/power_supply"
    batteries = [
        printable(os.fsencode(name))
        for name in names_in(supplies)
        if read_attribute(f"{supplies}/{name}/type") == b"Battery"
    ]
    sensors = find_sensors(f"{sys}/class/thermal", f"{sys}/class/hwmon")
    facts = {
        "model": _model(sys),
        "system": f"{platform.system()} {platform.release()}",
        "battery": ", ".join(batteries) or "none",
        "temperatures": str(len(sensors)),
    }
    note = ""
    if len(batteries) > 1:
        note = f"{batteries[0]} is read; for another one set power_supply"
    options = {"power_supply": AUTO, "processes": 10}
    return [Found("this machine", options, {k: v for k, v in facts.items() if v}, note)]


def _model(sys: str) -> str:
    for path in MODELS:
        text = read_attribute(f"{sys}/{path}")
        if text and text.strip(b"\0"):
            return printable(text.strip(b"\0"))
    return ""
