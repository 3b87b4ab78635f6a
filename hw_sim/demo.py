"""The first five minutes: this machine, simulated devices, and a real agent that polls them all."""

import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import attrs
import click

from agent.errors import AgentError
from agent.state import DataLock
from hw_sim.configuration import configuration, is_free, write
from hw_sim.control import Control
from hw_sim.everything import Device, Everything, device
from hw_sim.program import (
    agent,
    agent_command,
    is_command_of_agent,
    shell_line,
    simulators,
)
from hw_sim.registry import SIMULATED
from hw_sim.s7 import S7Simulator

COURSE_PORT = 1102  # where the training course's PLC listens; any free port when it is taken
LOOK_FOR_SIGNALS_S = 0.5
HEADER = "# Written by the demo at each start: changes are lost. Copy it to keep it.\n"
THIS_COMPUTER = """[[device]]
name = "host"
kind = "host"
interval_s = 2.0
"""


@attrs.frozen
class Demo:
    """A demo that runs."""

    data: Path
    file: Path
    everything: Everything
    control: Path | None  # where faults are switched; ``None`` where no socket can be made
    duration_s: float | None


def run_demo(data: Path, duration_s: float | None) -> None:
    """Start the simulators and the agent, say where things are, wait for the end of it.

    Raises:
        click.ClickException: The folder can't be used; nothing in it was changed.
    """
    data = data.expanduser()  # make hands on a "~" as it stands
    file = data / "agent.toml"
    _check_folder(data, file)
    with tempfile.TemporaryDirectory(prefix="hw-sim-") as folder, ExitStack() as running:
        try:
            everything = running.enter_context(Everything(_devices(Path(folder))))
            control = running.enter_context(_control(data / "faults.sock", everything))
            write(file, configuration(HEADER, ".", [THIS_COMPUTER, *everything.tables]))
        except OSError as exc:
            raise click.ClickException(f"cannot start: {exc}") from exc
        demo = Demo(data, file, everything, control, duration_s)
        print(_introduction(demo), flush=True)
        code = _run_agent(file, duration_s)
    if code:
        sys.exit(code)
    print(_farewell(data, file), flush=True)


def _devices(folder: Path) -> Iterator[Device]:
    """One of each kind but this computer, which is real here."""
    for kind in SIMULATED:
        if kind != "host":
            made = device(kind, folder)
            yield attrs.evolve(made, simulator=_plc()) if kind == "s7" else made


def _plc() -> S7Simulator:
    plc = S7Simulator(port=COURSE_PORT)
    try:
        plc.start()
    except OSError:
        plc = S7Simulator(port=0)
    return plc


@contextlib.contextmanager
def _control(path: Path, everything: Everything) -> Iterator[Path | None]:
    control = Control(path, everything.obey)
    try:
        control.start()
    except OSError:  # too long a path, or a file system without sockets
        yield None
        return
    try:
        yield path
    finally:
        control.stop()


def _check_folder(data: Path, file: Path) -> None:
    """Leave alone what is not the demo's, and what a running demo uses."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = DataLock(data)
        lock.hold()
        lock.release()
        is_ours = is_free(file, HEADER)
    except (OSError, AgentError) as exc:
        text = f"cannot use {data}: {getattr(exc, 'strerror', None) or exc}"
        raise click.ClickException(text) from exc
    if not is_ours:
        option = "--data" if is_command_of_agent() else "--data, or DATA= of make run"
        text = f"{file} is not the demo's and would be overwritten, name another folder: {option}"
        raise click.ClickException(text)


def _run_agent(file: Path, duration_s: float | None) -> int:
    """Run the agent as its own program; its exit code, 0 when it was asked to stop."""
    command = [*agent_command(), "run", "--config", str(file)]
    if duration_s is not None:
        command += ["--duration", str(duration_s)]
    # In a session of its own Ctrl+C reaches only us: the agent is asked once, and in order.
    with subprocess.Popen(command, start_new_session=True) as agent:
        former = {
            number: signal.signal(number, lambda *_: _ask_to_stop(agent))
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        try:
            code = _end_of(agent)
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)
    return 0 if code == -signal.SIGTERM else code  # asked before it had begun to listen


def _end_of(agent: subprocess.Popen[bytes]) -> int:
    """Its exit code.

    The kernel may hand a signal to the thread of a simulator, and Python's handler runs in this
    one only once it wakes: without a bound a Ctrl+C can go unseen.
    """
    while True:
        try:
            return agent.wait(LOOK_FOR_SIGNALS_S)
        except subprocess.TimeoutExpired:
            continue


def _ask_to_stop(agent: subprocess.Popen[bytes]) -> None:
    if agent.poll() is None:
        agent.send_signal(signal.SIGTERM)


def command(data: Path, file: Path, *words: str) -> str:
    """A command of the agent on this data, to be pasted into a shell."""
    line = [agent(), *words]
    if data.resolve() != Path("data").resolve() or not Path("agent.toml").exists():
        line += ["--config", str(file)]  # else agent.toml here names this data as well
    return shell_line(*line)


def _introduction(demo: Demo) -> str:
    devices = demo.everything.devices
    width = max(len(name) for name in ("host", *(each.name for each in devices)))
    end = "Ctrl+C"
    if demo.duration_s is not None:
        end = f"itself after {demo.duration_s:g} s, or by Ctrl+C"
    lines = [f"polling   {'host':<{width}}  this computer itself"]
    for each in devices:
        about = f"{SIMULATED[each.kind].summary.rstrip('.')}, simulated: {each.simulator.address}"
        lines.append(f"{'':10}{each.name:<{width}}  {about}")
    lines += [
        f"into      {demo.data / 'telemetry.db'}",
        f"set up in {demo.file}",
        f"ends by   {end}",
        "",
        "meanwhile, in another terminal:",
        f"  {command(demo.data, demo.file, 'status')}",
        f"  {shell_line(agent(), 'read', 'plc', '--config', demo.file)}",
    ]
    if demo.control is not None:
        words = [*simulators(), "fault", "--control", str(demo.control), "plc"]
        lines.append("pull a plug, look at status, and put it back in:")
        lines += [f"  {shell_line(*words, fault)}" for fault in ("silent", "none")]
    return "\n".join([*lines, ""])


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
        lines.append(f"  {shell_line(*words)}")
    return "\n".join(lines)
