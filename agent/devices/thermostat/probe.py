"""Whether a thermostat is at a host and port: looks for silence, then asks for a report."""

from collections.abc import Mapping
from typing import Final

from agent.clock import Deadline
from agent.devices.contract import Found, address_of
from agent.devices.links.tcp import LookUp, tcp_opener
from agent.devices.thermostat.facts import facts
from agent.devices.thermostat.fields import Decoder
from agent.devices.thermostat.options import PORT
from agent.devices.thermostat.session import Session, ask_report
from agent.devices.thermostat.settings import GENERATIONS
from agent.devices.thermostat.wire import Json, RefusedError
from agent.errors import DeviceError

SILENCE_S: Final = 0.3  # telnet servers greet or ask for options at once


def probe(host: str, port: int, timeout_s: float) -> Found | None:
    """What is there, if it is a thermostat; nothing is sent to what speaks first.

    Raises:
        DeviceError: A thermostat is there, and has no report.
    """
    deadline = Deadline(timeout_s)
    where = address_of(host, port)
    try:
        link = tcp_opener(LookUp(host, port))(deadline)
    except (OSError, ValueError):
        return None
    session = Session(link)
    try:
        if not session.is_silent(Deadline(min(SILENCE_S, timeout_s / 2))):
            return None
        report = ask_report(session, deadline)
        return Found(where, _options(host, port), _facts(session, report, deadline))
    except RefusedError as exc:
        text = f"reading {where}: wanted a report, the device answered with the error {exc}"
        raise DeviceError(text) from exc
    except (OSError, ValueError):
        return None
    finally:
        session.close()


def _options(host: str, port: int) -> Mapping[str, Json]:
    return {"host": host} if port == PORT else {"host": host, "port": port}


def _facts(
    session: Session, report: Mapping[int, Mapping[str, Json]], deadline: Deadline
) -> Mapping[str, str]:
    values = Decoder().row(report).values
    found = {"channels": ", ".join(map(str, report))}
    for number in report:
        value = values.get(f"temperature_ch{number}")
        found[f"channel {number}"] = "no thermistor" if value is None else f"{value:.3f} °C"
    try:
        for spelling, generation in GENERATIONS.items():
            try:
                session.ask(spelling, deadline)
            except RefusedError:
                continue
            found = {"generation": generation} | found
            break
        found |= facts(lambda query: session.ask(query, deadline))
    except (OSError, ValueError):
        pass  # its report is enough
    return found
