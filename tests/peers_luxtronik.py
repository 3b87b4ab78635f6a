"""Third-party heat pump clients for tests, each in a process of its own.

``build/peers.sh`` installs luxtronik2 for Node.js; the package luxtronik is one of the agent's. It
connects when it is built, knows no time-out, and keeps what it read in its classes, so it is never
used in the process of the tests.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tests.peers import NODE_PEER, TIMEOUT_S

LUXTRONIK2 = NODE_PEER / "node_modules" / "luxtronik2"

PYTHON_CLIENT = """
import datetime, json, sys
from luxtronik import Luxtronik

def plain(value):
    return value.timestamp() if isinstance(value, datetime.datetime) else value

pump = Luxtronik("127.0.0.1", int(sys.argv[1]), True)
tables = {
    "calculations": pump.calculations.calculations,
    "parameters": pump.parameters.parameters,
    "visibilities": pump.visibilities.visibilities,
}
json.dump(
    {
        table: [[index, each.name, plain(each.value)] for index, each in entries.items()]
        for table, entries in tables.items()
    },
    sys.stdout,
)
"""

NODE_CLIENT = """
const pump = require('luxtronik2').createConnection('127.0.0.1', Number(process.argv[1]));
pump.read((error, data) => {
  if (error) { console.log(String(error)); process.exit(1); }
  console.log(JSON.stringify(data));
  process.exit(0);
});
"""


def missing_luxtronik2() -> str:
    """Why luxtronik2 can't be used here; empty when it can."""
    if shutil.which("node") is None:
        return "node is not installed"
    return "" if LUXTRONIK2.is_dir() else "luxtronik2 is not installed: build/peers.sh"


def package_read(port: int) -> Mapping[str, Sequence[tuple[int, str, Any]]]:
    """Index, name and value of every entry that the package reads from ``127.0.0.1:port``.

    Raises:
        RuntimeError: It failed; with the last line it wrote.
    """
    tables = _run([sys.executable, "-c", PYTHON_CLIENT, str(port)])
    return {
        table: [(index, name, value) for index, name, value in entries]
        for table, entries in tables.items()
    }


def luxtronik2_read(port: int) -> Mapping[str, Mapping[str, Any]]:
    """What luxtronik2 reads from ``127.0.0.1:port``: ``values`` and ``parameters``, by its names.

    Raises:
        RuntimeError: It failed; with the last line it wrote.
    """
    answer: Mapping[str, Mapping[str, Any]] = _run(["node", "-e", NODE_CLIENT, str(port)])
    return answer


def _run(command: Sequence[str]) -> Any:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        cwd=NODE_PEER if command[0] == "node" else None,
        check=False,
    )
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {lines[-1]}")
    return json.loads(done.stdout)
