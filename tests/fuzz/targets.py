"""The drivers that are fuzzed: how each gets a link of ours, and what its device says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from agent.clock import Deadline
from agent.devices import KINDS
from agent.devices.contract import Driver
from agent.devices.links.link import Link, OpenLink
from agent.devices.links.serial_port import Line, serial_opener
from agent.devices.links.tcp import LookUp, tcp_opener
from tests.devices.case import Case
from tests.fuzz.links import Conversation, Recorder

TIMEOUT_S = 3.0
CONVERSATIONS = 3
READS = 2


@attrs.frozen
class Target:
    """A kind whose driver takes any link, with what its device said in some reads."""

    name: str
    kind: str
    options: Any
    conversations: tuple[Conversation, ...]

    def driver(self, open_link: OpenLink) -> Driver:
        """A new driver, not connected."""
        make: Callable[..., Driver] = KINDS[self.kind]().driver
        return make(self.options, TIMEOUT_S, open_link)


def record(case: Case, folder: Path) -> Target:
    """Let a driver talk to its simulator and write down what that says."""
    with case.simulate(folder) as simulator:
        options = case.options(simulator.address)
        make: Callable[..., Driver] = KINDS[case.kind]().driver
        inner = opener(simulator.address)
        heard: list[Recorder] = []

        def open_link(deadline: Deadline) -> Link:
            heard.append(Recorder(inner(deadline)))
            return heard[-1]

        for _ in range(CONVERSATIONS):
            driver = make(options, TIMEOUT_S, open_link)
            for _ in range(READS):
                driver.read()
            driver.close()
    conversations = tuple(tuple(bytes(part) for part in each.said) for each in heard)
    return Target(case.kind, case.kind, options, conversations)


def opener(address: str) -> OpenLink:
    """The way to a simulator: ``host:port``, or the path of a serial port."""
    if address.startswith("/"):
        return serial_opener(address, Line())
    host, _, port = address.removeprefix("http://").split("/")[0].rpartition(":")
    return tcp_opener(LookUp(host.strip("[]"), int(port)))
