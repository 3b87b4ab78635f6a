"""What each command loads: no more than it uses, as a card reads 10 MB/s."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from hw_sim.registry import SIMULATED

ROOT = Path(__file__).parent.parent
SPEC = ROOT / "build/agent.spec"


def loaded_by(folder: Path, *words: str) -> set[str]:
    """Every module that a command of the agent loads, in a process of its own."""
    out = folder / "modules.json"
    code = (
        "import atexit, json, pathlib, sys\n"
        f"out = pathlib.Path({str(out)!r})\n"
        "atexit.register(lambda: out.write_text(json.dumps(sorted(sys.modules))))\n"
        "from agent.cli import main\n"
        "main(prog_name='agent')\n"
    )
    subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=30,
    )
    modules: list[str] = json.loads(out.read_text())
    assert "agent.cli" in modules
    return set(modules)


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        (
            ["--version"],
            {"apscheduler", "cattrs", "sqlite3", "socket", "snap7", "psutil", "tzlocal"}
            | {"agent.config", "agent.store", "agent.devices", "agent.console", "agent.app"}
            | {"attr", "attrs", "hw_sim"},
        ),
        (
            ["version"],
            {"apscheduler", "cattrs", "snap7", "psutil", "tzlocal"}
            | {"agent.config", "agent.devices", "agent.reports", "agent.app", "agent.store"}
            | {"attr", "attrs", "hw_sim", "importlib.metadata", "sqlite3"},
        ),
        (
            ["check"],
            {"apscheduler", "sqlite3", "snap7", "psutil"}
            | {"agent.store", "agent.reports", "agent.schedule", "agent.app", "agent.devices.s7"},
        ),
        (
            ["read", "host"],
            {"apscheduler", "sqlite3", "snap7", "psutil"}
            | {"agent.store", "agent.reports", "agent.schedule", "agent.app", "agent.devices.s7"},
        ),
        (
            ["discover"],
            {"apscheduler", "sqlite3", "snap7", "psutil"}
            | {"agent.store", "agent.reports", "agent.schedule", "agent.app", "agent.poller"},
        ),
        (
            ["status"],
            {"apscheduler", "apsw", "snap7", "psutil"}
            | {
                "agent.importing",
                "agent.schedule",
                "agent.app",
                "agent.poller",
                "agent.devices.s7",
            },
        ),
        (
            ["report", "--daily"],
            {"apscheduler", "apsw", "snap7", "psutil"}
            | {
                "agent.importing",
                "agent.schedule",
                "agent.app",
                "agent.poller",
                "agent.devices.s7",
            },
        ),
        (
            ["query", "SELECT 1"],
            {"apscheduler", "snap7", "psutil", "rich"}
            | {"agent.importing", "agent.reports", "agent.schedule", "agent.app", "agent.poller"},
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_loads_only_what_it_uses(
    tmp_path: Path, words: list[str], absent: set[str]
) -> None:
    (tmp_path / "agent.toml").write_text('[[device]]\nname = "host"\nkind = "host"\n')

    modules = loaded_by(tmp_path, *words)

    if words[0] != "discover":  # which asks every kind
        absent = absent | {"luxtronik", "pymodbus", "serial"}
    assert modules & absent == set()


@pytest.mark.parametrize("words", [["check"], ["status"], ["report", "--daily"]], ids=" ".join)
def test_a_command_that_reads_no_device_loads_no_driver(tmp_path: Path, words: list[str]) -> None:
    tables = [entry.load().table(kind, "127.0.0.1:1") for kind, entry in SIMULATED.items()]
    (tmp_path / "agent.toml").write_text("\n".join(tables))
    kinds = {f"agent.devices.{kind}" for kind in SIMULATED}
    drivers = {f"{kind}.{part}" for kind in kinds for part in ("driver", "discover", "probe")}

    modules = loaded_by(tmp_path, *words)

    assert kinds <= modules
    assert modules & (drivers | {"agent.devices.links.tcp", "pymodbus", "serial"}) == set()


def excluded() -> set[str]:
    """What the one file leaves out."""
    for node in ast.parse(SPEC.read_bytes()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EXCLUDED":
            return set(ast.literal_eval(node.value))
    raise AssertionError(f"{SPEC} has no EXCLUDED")


def test_nothing_is_imported_that_the_one_file_leaves_out() -> None:
    sources = [path for part in ("agent", "hw_sim") for path in (ROOT / part).rglob("*.py")]
    nodes = [node for path in sources for node in ast.walk(ast.parse(path.read_bytes()))]
    imported = {
        alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names
    } | {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    left_out = excluded()

    assert imported & left_out == set()
    assert len(left_out) > 40
