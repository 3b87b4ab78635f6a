"""The first five minutes: a simulated PLC, this machine, and a real agent that polls both."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import click

from agent.errors import ConfigError
from agent.state import DataLock
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
    """Start the simulator and the agent, say where things are, wait for the end of it.

    Raises:
        click.ClickException: The folder can't be used; nothing in it was changed.
    """
    data = data.expanduser()  # make hands on a "~" as it stands
    file = data / "agent.toml"
    _check_folder(data, file)
    plc = _start_plc()
    try:
        file.write_text(configuration(plc.port), "utf-8")
        print(_introduction(data, file, plc, duration_s), flush=True)
        code = _run_agent(file, duration_s)
    finally:
        plc.stop()
    if code:
        sys.exit(code)
    print(_farewell(data, file), flush=True)


def _check_folder(data: Path, file: Path) -> None:
    """Leave alone what is not the demo's, and what a running demo uses."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = DataLock(data)
        lock.hold()
        lock.release()
        is_ours = not file.exists() or file.read_text("utf-8", "replace").startswith(HEADER)
    except (OSError, ConfigError) as exc:
        text = f"cannot use {data}: {getattr(exc, 'strerror', None) or exc}"
        raise click.ClickException(text) from exc
    if not is_ours:
        text = f"{file} is not the demo's and would be overwritten, name another folder with DATA"
        raise click.ClickException(text)


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


def _agent() -> str:
    """How the agent is called from the folder that the demo was started in."""
    beside = Path(sys.executable).parent / "agent"
    return os.path.relpath(beside) if beside.exists() else "agent"


def command(data: Path, file: Path, *words: str) -> str:
    """A command of the agent on this data, to be pasted into a shell."""
    line = [_agent(), *words]
    if data.resolve() != Path("data").resolve() or not Path("agent.toml").exists():
        line += ["--config", str(file)]  # else agent.toml here names this data as well
    return shlex.join(line)


def _introduction(data: Path, file: Path, plc: S7Simulator, duration_s: float | None) -> str:
    read = shlex.join([_agent(), "read", "plc", "--config", str(file)])
    end = "Ctrl+C" if duration_s is None else f"itself after {duration_s:g} s, or by Ctrl+C"
    return f"""\
polling   this computer (host, every 2 s) and a simulated PLC (plc, every 1 s) at {plc.address}
into      {data / "telemetry.db"}
set up in {file}
ends by   {end}

meanwhile, in another terminal:
  {command(data, file, "status")}
  {read}
"""


def _farewell(data: Path, file: Path) -> str:
    lines = [
        "",
        "now try:",
        f"  {command(data, file, 'report', '--daily')}",
        f"  {command(data, file, 'status')}",
    ]
    if shutil.which("sqlite3"):
        query = "SELECT ts, cpu_total, load1 FROM system_sample ORDER BY ts DESC LIMIT 5"
        words = ["sqlite3", "-header", "-column", str(data / "telemetry.db"), query]
        lines.append(f"  {shlex.join(words)}")
    return "\n".join(lines)
