"""The first five minutes: a simulated PLC, this machine, and a real agent that polls both."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from hw_sim.s7 import DB1_TAGS, S7Simulator

COURSE_PORT = 1102  # where the training course's PLC listens; any free port when it is taken
STOP_S = 8.0
HEADER = "# Written by the demo at each start: changes are lost. Copy it to keep it.\n"


def configuration(port: int) -> str:
    """The demo's agent.toml: this machine, and the PLC at ``port``."""
    tags = "\n".join(
        f'\n  [[device.tag]]\n  name = "{tag.name}"\n  address = "{tag.address}:{tag.type}"'
        + (f'\n  unit = "{tag.unit}"' if tag.unit else "")
        for tag in DB1_TAGS
    )
    return f"""{HEADER}
[agent]
data_dir = "."

[store]
flush_interval_s = 2.0

[[device]]
name = "host"
kind = "host"
interval_s = 2.0

[[device]]
name = "plc"
kind = "s7"
host = "127.0.0.1"
port = {port}
interval_s = 1.0
{tags}
"""


def run_demo(data: Path, duration_s: float | None) -> None:
    """Start the simulator and the agent, say where things are, wait for the end of it."""
    data.mkdir(parents=True, exist_ok=True)
    plc = _start_plc()
    try:
        file = data / "agent.toml"
        file.write_text(configuration(plc.port), "utf-8")
        print(_introduction(data, file, plc, duration_s), flush=True)
        code = _run_agent(file, duration_s)
    finally:
        plc.stop()
    if code:
        sys.exit(code)
    print(_farewell(data, file), flush=True)


def _start_plc() -> S7Simulator:
    plc = S7Simulator(port=COURSE_PORT)
    try:
        plc.start()
    except OSError:
        plc = S7Simulator(port=0)
        plc.start()
    return plc


def _run_agent(file: Path, duration_s: float | None) -> int:
    """Run the agent as its own program; its exit code, 0 when it was asked to stop."""
    command = [sys.executable, "-m", "agent", "run", "--config", str(file)]
    if duration_s is not None:
        command += ["--duration", str(duration_s)]
    # In a session of its own Ctrl+C reaches only us: the agent is asked once, and in order.
    with subprocess.Popen(command, start_new_session=True) as agent:
        former = {
            number: signal.signal(number, lambda *_: _ask_to_stop(agent))
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        try:
            return agent.wait()
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


def _ask_to_stop(agent: subprocess.Popen[bytes]) -> None:
    if agent.poll() is None:
        agent.send_signal(signal.SIGTERM)


def _command(data: Path, file: Path) -> str:
    """How to call the agent on this data from the folder that the demo was started in."""
    beside = Path(sys.executable).parent / "agent"
    program = os.path.relpath(beside) if beside.exists() else "agent"
    if data.resolve() == Path("data").resolve() and Path("agent.toml").exists():
        return program  # what agent.toml here names as well
    return f"{program} --config {file}"


def _line(program: str, rest: str) -> str:
    """A command with ``--config`` where it belongs, behind the subcommand."""
    name, _, option = program.partition(" ")
    return f"{name} {rest}" + (f" {option}" if option else "")


def _introduction(data: Path, file: Path, plc: S7Simulator, duration_s: float | None) -> str:
    program = _command(data, file)
    end = "Ctrl+C" if duration_s is None else f"itself after {duration_s:g} s, or by Ctrl+C"
    return f"""\
polling   this computer (host, every 2 s) and a simulated PLC (plc, every 1 s) at {plc.address}
into      {data / "telemetry.db"}
set up in {file}
ends by   {end}

meanwhile, in another terminal:
  {_line(program, "status")}
  {os.path.relpath(Path(sys.executable).parent / "agent")} read plc --config {file}
"""


def _farewell(data: Path, file: Path) -> str:
    program = _command(data, file)
    lines = [
        "",
        "now try:",
        f"  {_line(program, 'report --daily')}",
        f"  {_line(program, 'status')}",
    ]
    if shutil.which("sqlite3"):
        query = "SELECT ts, cpu_total, load1 FROM system_sample ORDER BY ts DESC LIMIT 5"
        lines.append(f"  sqlite3 -header -column {data / 'telemetry.db'} '{query}'")
    return "\n".join(lines)
