"""Third-party S7 peers for tests, each in a process of its own.

``build/peers.sh`` installs them. They are never imported here: the C library's wrapper has the
import name of the python-snap7 that the tests themselves use, and a crash in C must cost one test.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PEERS = Path(__file__).parents[1] / ".venv" / "peers"
SNAP7_C = PEERS / "snap7-1.4.1"
NODE_PEER = PEERS / "node"
TIMEOUT_S = 20.0  # a first start of the C library takes 0.3 s; only a hang gets here
SERVER_TRIES = 5  # a port found free can be taken before the server binds it

C_CLIENT = """
import json, sys
import snap7
wish = json.load(sys.stdin)
client = snap7.client.Client()
client.connect("127.0.0.1", 0, 1, wish["port"])
read = [client.db_read(*request).hex() for request in wish["requests"]]
json.dump({"pdu": client.get_pdu_length(), "read": read}, sys.stdout)
client.disconnect()
client.destroy()
"""

C_SERVER = """
import json, sys
import snap7
wish = json.loads(sys.stdin.readline())
server = snap7.server.Server(log=False)
areas = []
for number, data in wish["areas"].items():
    data = bytes.fromhex(data)
    areas.append((snap7.types.wordlen_to_ctypes[snap7.types.WordLen.Byte.value] * len(data))(*data))
    server.register_area(snap7.types.srvAreaDB, int(number), areas[-1])
try:
    server.start_to("127.0.0.1", wish["port"])
except RuntimeError as error:
    print("failed", error, flush=True)
else:
    print("ready", flush=True)
    sys.stdin.read()
    server.stop()
"""

NODE_CLIENT = """
const NodeS7 = require('nodes7');
const wish = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const plc = new NodeS7({silent: true});
plc.initiateConnection({host: '127.0.0.1', port: wish.port, rack: 0, slot: 1, timeout: 5000},
  (error) => {
    if (error) { console.log(JSON.stringify({error: String(error)})); process.exit(1); }
    plc.addItems(wish.items);
    plc.readAllItems((bad, values) => {
      console.log(JSON.stringify({bad, values}));
      plc.dropConnection(() => process.exit(0));
    });
  });
"""


def missing_snap7_c() -> str:
    """Why the C library of python-snap7 1.4.1 can't be used here; empty when it can."""
    return "" if (SNAP7_C / "snap7").is_dir() else "snap7 1.4.1 is not installed: build/peers.sh"


def missing_nodes7() -> str:
    """Why nodes7 can't be used here; empty when it can."""
    if shutil.which("node") is None:
        return "node is not installed"
    found = (NODE_PEER / "node_modules" / "nodes7").is_dir()
    return "" if found else "nodes7 is not installed: build/peers.sh"


def snap7_c_client_read(port: int, requests: Sequence[tuple[int, int, int]]) -> list[bytes]:
    """What the C library's client reads from ``127.0.0.1:port``; a request is (db, start, size).

    Raises:
        RuntimeError: The client failed; with the last line it wrote.
    """
    wish = json.dumps({"port": port, "requests": [list(request) for request in requests]})
    answer = json.loads(_run(snap7_c_command(C_CLIENT), wish, snap7_c_environment()))
    return [bytes.fromhex(data) for data in answer["read"]]


def nodes7_read(port: int, items: Sequence[str]) -> dict[str, object]:
    """What nodes7 reads from ``127.0.0.1:port``, by item; its addresses look like ``DB1,REAL6``.

    Raises:
        RuntimeError: It could not connect, or an item came back bad.
    """
    wish = json.dumps({"port": port, "items": list(items)})
    answer = json.loads(_run(["node", "-e", NODE_CLIENT], wish, cwd=NODE_PEER))
    if answer["bad"]:
        raise RuntimeError(f"nodes7 read {answer['values']!r}")
    values: dict[str, object] = answer["values"]
    return values


@contextmanager
def snap7_c_server(areas: Mapping[int, bytes]) -> Iterator[int]:
    """The C library's own server with these data blocks, on a free port of 127.0.0.1.

    Yields:
        The port.
    """
    for _ in range(SERVER_TRIES):
        port = free_port()
        wish = {"port": port, "areas": {number: data.hex() for number, data in areas.items()}}
        with subprocess.Popen(
            snap7_c_command(C_SERVER),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=snap7_c_environment(),
        ) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            try:
                server.stdin.write(json.dumps(wish) + "\n")
                server.stdin.flush()
                if server.stdout.readline().strip() == "ready":
                    yield port
                    return
            finally:
                server.kill()  # its own stop waits for clients
    raise RuntimeError(f"the C library's server found no free port in {SERVER_TRIES} tries")


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago, for servers that can't bind port 0."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def snap7_c_command(script: str) -> list[str]:
    """The command that runs ``script``, in which ``import snap7`` is the C library's wrapper."""
    return [sys.executable, "-P", "-c", script]


def snap7_c_environment() -> dict[str, str]:
    """Environment in which ``import snap7`` finds 1.4.1 before the installed release."""
    return {**os.environ, "PYTHONPATH": str(SNAP7_C)}


def _run(
    command: list[str], wish: str, env: dict[str, str] | None = None, cwd: Path | None = None
) -> str:
    done = subprocess.run(
        command,
        input=wish,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env=env,
        cwd=cwd,
        check=False,
    )
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {lines[-1]}")
    return done.stdout
