"""Devices that are found are known again in a configuration."""

from typing import Any

import attrs
import pytest

from agent.config import DeviceConfig
from agent.devices.contract import BroadcastProbe, Found, TcpProbe
from agent.discovery import OWN_NETWORKS, Finding, Search, Wish
from agent.discovery.known import NOT_ASKED, marked
from tests.discovery.fakes import (
    Asked,
    BoardOptions,
    Options,
    interface,
    kind,
    kinds,
    lamp,
    no_names,
    surroundings,
)


@attrs.frozen
class BusOptions:
    """A device on a bus has a number besides its place."""

    host: str = ""
    port: int = 502
    serial: str = ""
    unit_id: int = 1


def device(kind: str, options: Any) -> DeviceConfig:
    return DeviceConfig("mine", kind, True, 1.0, 1.0, options)


def name_of(kind: str, found: Found, options: Any, *singles: str) -> str | None:
    (finding,) = marked(
        [Finding(kind, "tcp", found)],
        [device("other", options), device(kind, options)],
        frozenset(singles),
        lambda name: ["10.0.0.7"] if name == "lamp.local" else no_names(name),
    )
    return finding.device


@pytest.mark.parametrize(
    ("options", "configured", "is_known"),
    [
        ({"host": "10.0.0.7", "port": 4000}, Options("10.0.0.7"), True),
        ({"host": "10.0.0.7"}, Options("10.0.0.7"), True),
        ({"host": "10.0.0.7"}, Options("10.0.0.7", 4001), False),
        ({"host": "10.0.0.8"}, Options("10.0.0.7"), False),
        ({"host": "10.0.0.7"}, Options("lamp.local"), True),
        ({"host": "10.0.0.8"}, Options("lamp.local"), False),
        ({"host": "LAMP.local"}, Options("lamp.local"), True),
        ({"host": "10.0.0.7", "unit_id": 3}, BusOptions("10.0.0.7", unit_id=3), True),
        ({"host": "10.0.0.7"}, BusOptions("10.0.0.7", unit_id=3), False),
        ({"host": "10.0.0.7"}, BusOptions("", serial="/dev/ttyUSB0"), False),
    ],
)
def test_a_device_in_the_network_is_known_by_its_place(
    options: dict[str, Any], configured: Any, is_known: bool
) -> None:
    assert name_of("lamp", Found("there", options), configured) == ("mine" if is_known else None)


@pytest.mark.parametrize(
    ("uid", "configured", "is_known"),
    [
        ("12", BoardOptions("12", "/dev/ttyACM7"), True),
        ("12", BoardOptions("13", "/dev/ttyACM0"), False),
        ("12", BoardOptions("", "/dev/ttyACM0"), True),
        ("12", BoardOptions("", "/dev/ttyACM1"), False),
        ("12", BoardOptions(), True),
        ("", BoardOptions("12", "/dev/ttyACM0"), True),
    ],
)
def test_a_board_is_known_by_its_number_and_else_by_its_port(
    uid: str, configured: BoardOptions, is_known: bool
) -> None:
    facts = {"uid": uid} if uid else {}
    found = Found("/dev/ttyACM0", {"port": "/dev/ttyACM0", **facts}, facts)

    assert name_of("board", found, configured) == ("mine" if is_known else None)


def test_of_a_kind_with_one_device_it_is_that() -> None:
    assert name_of("host", Found("this machine", {}), object(), "host") == "mine"


def test_names_that_cannot_be_looked_up_lead_nowhere() -> None:
    def fail(name: str) -> list[str]:
        raise OSError(name)

    finding = Finding("lamp", "tcp", Found("there", {"host": "10.0.0.7"}))

    (found,) = marked([finding], [device("lamp", Options("lamp.local"))], frozenset(), fail)

    assert found.device is None


@pytest.mark.parametrize(("pause_s", "is_spared"), [(10.0, True), (0.1, False)])
@pytest.mark.parametrize("is_searched", [True, False])
def test_a_configured_device_with_one_connection_gets_none_when_it_answers_a_call(
    pause_s: float, *, is_spared: bool, is_searched: bool
) -> None:
    host = "127.7.3.2" if is_searched else "127.7.3.200"  # of a large network a part is searched
    there = Found(f"{host}:4000", {"host": host, "port": 4000})
    probe = Asked(lamp)
    known = kinds(lamp=kind(TcpProbe((4000,), probe, pause_s), BroadcastProbe(lambda *_: [there])))
    own = interface("127.7.3.1/29" if is_searched else "127.7.2.1/20")
    wish = Wish(subnets=[OWN_NETWORKS], timeout_s=0.05)

    search = Search(known, wish, surroundings(own), devices=[device("lamp", Options(host))])
    result = search.run()

    assert probe.calls == ([] if is_spared else [(host, 4000)])
    notes = [each.found.note for each in result.findings]
    assert notes == [NOT_ASKED if is_spared else ""]
