"""The drivers that are fuzzed: how each gets a link of ours, and what its device says."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

from agent.clock import Deadline
from agent.devices import KINDS
from agent.devices.contract import Driver
from agent.devices.links.link import Link, OpenLink
from agent.devices.links.serial_port import Line, serial_opener
from agent.devices.links.tcp import LookUp, tcp_opener
from agent.errors import DeviceError
from agent.poller import checked
from tests.devices.case import Case
from tests.fuzz.links import Conversation, Recorder

TIMEOUT_S = 3.0
CONVERSATIONS = 3
READS = 2
Make = Callable[[Any, float, OpenLink], Driver]


@attrs.frozen
class Target:
    """A kind whose driver takes any link, with what its device said in some reads.

    ``more`` are answers to what a driver only asks after trouble.
    """

    name: str
    kind: str
    options: Any
    make: Make
    conversations: tuple[Conversation, ...]
    more: Mapping[bytes, bytes]

    def driver(self, open_link: OpenLink) -> Driver:
        """A new driver, not connected."""
        return self.make(self.options, TIMEOUT_S, open_link)


def record(case: Case, folder: Path) -> Target:
    """Let a driver talk to its simulator and write down what that says."""
    with case.simulate(folder) as simulator:
        options = case.options(simulator.address)
        make: Callable[..., Driver] = type(KINDS[case.kind]().driver(options, TIMEOUT_S))
        connect = opener(simulator.address)
        conversations = tuple(_conversation(make, options, connect) for _ in range(CONVERSATIONS))
        more = _after_trouble(make, options, connect)
    return Target(case.id, case.kind, options, make, conversations, more)


def _conversation(make: Make, options: Any, connect: OpenLink) -> Conversation:
    heard: list[Recorder] = []

    def open_link(deadline: Deadline) -> Link:
        heard.append(Recorder(connect(deadline)))
        return heard[-1]

    driver = make(options, TIMEOUT_S, open_link)
    readings = tuple(checked(driver.read()) for _ in range(READS))
    driver.close()
    (one,) = heard
    return Conversation(bytes(one.said[0]), tuple(one.exchanges), readings)


def _after_trouble(make: Make, options: Any, connect: OpenLink) -> Mapping[bytes, bytes]:
    """What a driver asks after an answer was lost, with the answers."""
    heard: list[Recorder] = []

    def open_link(deadline: Deadline) -> Link:
        heard.append(Recorder(connect(deadline), loses=0 if heard else 1))
        return heard[-1]

    driver = make(options, TIMEOUT_S, open_link)
    for _ in range(READS + 1):
        try:
            driver.read()
        except DeviceError:
            driver.close()
    driver.close()
    return {request: answer for each in heard for request, answer in each.exchanges if answer}


def opener(address: str) -> OpenLink:
    """The way to a simulator: ``host:port``, or the path of a serial port."""
    if address.startswith("/"):
        return serial_opener(address, Line())
    host, _, port = address.removeprefix("http://").split("/")[0].rpartition(":")
    return tcp_opener(LookUp(host.strip("[]"), int(port)))
