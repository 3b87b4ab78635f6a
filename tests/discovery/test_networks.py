"""What the kernel says of this machine's own networks."""

import ipaddress
import json
import shutil
import subprocess

import pytest

from agent.discovery.networks import IPv4, is_absent, own_interfaces

ARP = """\
IP address       HW type     Flags       HW address            Mask     Device
10.0.0.1         0x1         0x2         52:54:00:12:35:02     *        eth0
10.0.0.9         0x1         0x0         00:00:00:00:00:00     *        eth0
10.0.0.8         0x1         0x0         00:00:00:00:00:00     *        eth0
10.0.0.8         0x1         0x6         52:54:00:12:35:03     *        eth1
"""


def test_the_own_addresses_are_those_of_ip() -> None:
    if shutil.which("ip") is None:
        pytest.skip("ip is not installed")
    output = subprocess.run(["ip", "-j", "-4", "addr"], capture_output=True, check=True).stdout
    expected = {
        (link["ifname"], f"{each['local']}/{each['prefixlen']}")
        for link in json.loads(output)
        for each in link["addr_info"]
        if each.get("label", link["ifname"]) == link["ifname"]
    }

    found = own_interfaces()

    assert {(i.name, f"{i.address}/{i.network.prefixlen}") for i in found} >= expected
    assert [i.is_loopback for i in found] == [i.name == "lo" for i in found]
    assert all(ipaddress.IPv4Address(i.address) in i.network for i in found)
    assert IPv4 == 2


@pytest.mark.parametrize(
    ("address", "expected"),
    [("10.0.0.1", False), ("10.0.0.9", True), ("10.0.0.8", False), ("10.0.0.7", False)],
)
def test_an_address_is_absent_when_it_was_called_and_gave_no_answer(
    address: str, expected: bool
) -> None:
    assert is_absent(ARP, address) is expected
