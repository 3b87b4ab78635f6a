"""A thermostat as the tests of the contract meet it."""

from hw_sim.thermostat import ThermostatSimulator
from tests.devices.case import Case

CASE = Case(
    "thermostat",
    (
        *ThermostatSimulator.FAULTS,
        "drop:2",
        "lost-reply:2",
        "lost-reply:9",
        "trickle:0.01",
        "trickle:0.1",
        "channels:0",
        "channels:2",
        "channels:9",
        "bad-channels:-1",
        "bad-channels:2147483648",
    ),
    silences=frozenset({"silent", "delay", "trickle", "trickle:0.1", "lost-reply"}),
    changes={
        "limits": "the largest and the smallest numbers are valid ones",
        "unknown-fields": "fields of later firmware are metrics of their own",
    },
    changes_for_good={"restart": "the converters begin anew, and stand still there"},
    floods=(
        ((), bytes(1000)),
        ((), b'[{"channel":0,"note":"' + b"x" * 1000),
        ((), b"[" * 1000),
        ((), b"{}\n" * 300),
        ((), b"\n" * 1000),
    ),
)
