"""Hosts: addresses and names, and nothing that can only fail later."""

from pathlib import Path

import pytest

from tests.config.kinds import faults, loaded

DEVICE = '[[device]]\nname = "p"\nkind = "press"\n'
ALLOWED = 'allowed: an address or a name such as "192.168.0.10"'
PORT = "; the port is an option of its own: port ="


@pytest.mark.parametrize(
    "host",
    ["192.168.0.10", "plc", "plc-1.local.", "plc_1", "7up.lan", "::1", "fe80::1%eth0", "x" * 253],
)
def test_an_address_or_a_name_is_a_host(tmp_path: Path, host: str) -> None:
    config = loaded(tmp_path, f'{DEVICE}host = "{host}"')

    assert config.devices[0].options.host == host


@pytest.mark.parametrize(
    ("host", "hint"),
    [
        ("http://192.168.0.10", ", without 'http://'"),
        ("http://plc:80/x", f", without 'http://', without '/x'{PORT} 80"),
        ("127.0.0.1:1199", f"{PORT} 1199"),
        ("[::1]:1199", f", without [ ]{PORT} 1199"),
        ("[::1]", ", without [ ]"),
        (" 127.0.0.1 ", ", without blanks"),
        ("a b", ", without blanks"),
        ("10.0.0.1/24", ", without '/24'"),
        ("192.168.0.300", ""),
        ("192.168.0", ""),
        ("fe80::1%", ""),
        ("1:2", f"{PORT} 2"),
        ("1::2::3", ""),
        ("-plc", ""),
        ("plc,7", ""),
        ("pläc", ""),
        ("", ""),
    ],
)
def test_what_cannot_be_a_host_is_a_fault(tmp_path: Path, host: str, hint: str) -> None:
    (found,) = faults(tmp_path, f'{DEVICE}host = "{host}"')

    assert found == f"agent.toml: device 'p': host: found {host!r}, {ALLOWED}{hint}"
