"""Three machines in namespaces: the agent's, one with many addresses, and the way out."""

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[2]
WATCH = Path(__file__).parent / "watch.py"
LIMIT_S = 60
PREFIX = 26
OUTSIDE = "203.0.113"  # set aside for documentation: nobody has it
STRANGER = "198.51.100.9"  # likewise

Packet = Mapping[str, object]


def missing() -> str:
    """Why there can be no namespaces here; empty when there can."""
    if os.geteuid():
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "ip (iproute2) is not installed"
    name = f"agent{secrets.token_hex(3)}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    if made.returncode:
        return f"no network namespace can be made: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", name], check=True)
    return ""


@attrs.frozen
class Net:
    """``agent`` searches ``lan``, where ``devices`` is; all else would pass ``outside``."""

    agent: str
    devices: str
    outside: str
    lan: str  # the first three numbers of its addresses

    def address(self, number: int) -> str:
        """One of the network."""
        return f"{self.lan}.{number}"

    def stranger(self) -> str:
        """A public address of the machine with the devices, from which the agent takes packets."""
        _do("ip", "-n", self.devices, "addr", "add", f"{STRANGER}/32", "dev", "lan")
        for which in ("all", "lan"):
            setting = f"/proc/sys/net/ipv4/conf/{which}/rp_filter"
            _do(*in_space(self.agent, "sh", "-c", f"echo 0 > {setting}"))
        return STRANGER

    @contextmanager
    def process(self, space: str, *words: str) -> Iterator["subprocess.Popen[str]"]:
        """A program in a namespace, from when it has said its first line."""
        with subprocess.Popen(
            in_space(space, *words),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            try:
                assert "ready" in process.stdout.readline()
                yield process
            finally:
                process.terminate()

    @contextmanager
    def watched(self, space: str, interface: str) -> Iterator[list[Packet]]:
        """All packets of an interface; the list is filled at the end."""
        packets: list[Packet] = []
        with self.process(space, sys.executable, str(WATCH), interface) as process:
            yield packets
            output, _ = process.communicate(timeout=LIMIT_S)
            packets += json.loads(output)

    def run(self, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of the agent, in its namespace."""
        return subprocess.run(
            in_space(self.agent, sys.executable, "-m", "agent", *words),
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
        )

    def sent(self) -> Sequence[int]:
        """Packets that the agent's machine has sent, by interface."""
        output = subprocess.run(
            in_space(self.agent, "ip", "-j", "-s", "link"), capture_output=True, check=True
        ).stdout
        return [link["stats64"]["tx"]["packets"] for link in json.loads(output)]


def in_space(space: str, *words: str) -> Sequence[str]:
    """A command as it runs in a namespace."""
    return ["ip", "netns", "exec", space, *words]


@contextmanager
def namespaces(addresses: int) -> Iterator[Net]:
    """A network of its own with so many addresses of devices, from .2 on; the agent has .1."""
    token = secrets.token_hex(3)
    second, third = secrets.randbelow(200) + 20, secrets.randbelow(256)
    net = Net(f"agent-{token}", f"devices-{token}", f"outside-{token}", f"10.{second}.{third}")
    with ExitStack() as stack:
        for space in (net.agent, net.devices, net.outside):
            _do("ip", "netns", "add", space)
            stack.callback(_do, "ip", "netns", "del", space)
            for which in ("all", "default"):  # its own packets would spoil every count
                setting = f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6"
                _do(*in_space(space, "sh", "-c", f"test ! -e {setting} || echo 1 > {setting}"))
        _join(net.agent, net.devices, "lan")
        _join(net.agent, net.outside, "wan")
        _do("ip", "-n", net.agent, "addr", "add", f"{net.address(1)}/{PREFIX}", "dev", "lan")
        for number in range(2, addresses + 2):
            each = f"{net.address(number)}/{PREFIX}"
            _do("ip", "-n", net.devices, "addr", "add", each, "dev", "lan")
        _do("ip", "-n", net.agent, "addr", "add", f"{OUTSIDE}.1/30", "dev", "wan")
        _do("ip", "-n", net.outside, "addr", "add", f"{OUTSIDE}.2/30", "dev", "wan")
        _do("ip", "-n", net.agent, "route", "add", "default", "via", f"{OUTSIDE}.2")
        yield net


def _join(one: str, other: str, name: str) -> None:
    """A cable between two namespaces, called the same at both ends."""
    _do(
        *("ip", "-n", one, "link", "add", name, "type", "veth", "peer", "name", name, "netns"),
        other,
    )
    for space in (one, other):
        _do("ip", "-n", space, "link", "set", "lo", "up")
        _do("ip", "-n", space, "link", "set", name, "up")


def _do(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
