"""Fifty PLCs at 1 s, twenty of them sick, and a host: how late polls begin, and what they cost.

The agent is a real process that polls simulators in this one. Each healthy device's grid is
taken from its own stamps: the earliest phase it was seen at is its grid, and how much later than
that each poll began is its lateness, in whole milliseconds.

Beside it the same devices the usual way: APScheduler's interval trigger and thread pool as they
come, and python-snap7's client.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agent.store import Reader
from hw_sim.s7 import S7Simulator
from tests.bench.result import Result, quantile

HEALTHY, BLACKHOLE, TRICKLE, GARBAGE = 30, 10, 5, 5
TARGET_MS = 20.0
TARGET_CPU_PCT = 25.0
SETTLE_S = 5.0  # sick devices meet their first time-outs, and imports are over
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@contextmanager
def simulators() -> Iterator[list[tuple[str, S7Simulator]]]:
    """All devices, started: (name, simulator)."""
    faults = [None] * HEALTHY + ["blackhole"] * BLACKHOLE + ["trickle:1"] * TRICKLE
    with ExitStack() as stack:
        found = []
        for number, fault in enumerate([*faults, *["garbage"] * GARBAGE]):
            simulator = stack.enter_context(S7Simulator())
            simulator.set_fault(fault)
            word = (fault or "well").partition(":")[0]
            found.append((f"{word}{number}", simulator))
        yield found


def configuration(devices: list[tuple[str, S7Simulator]], data: Path) -> str:
    """An agent.toml of a host at 1 s and all devices with the course's five tags at 1 s."""
    parts = [
        f'[agent]\ndata_dir = "{data}"\n[[device]]\nname="host"\nkind="host"\ninterval_s=1.0\n'
    ]
    for name, simulator in devices:
        parts.append(
            f'[[device]]\nname = "{name}"\nkind = "s7"\nhost = "127.0.0.1"\n'
            f"port = {simulator.port}\ninterval_s = 1.0\ntag = [\n"
            '{name="counter",address="DB1.DBD0:DINT"},{name="temperature",address="DB1.DBW4:INT"},\n'
            '{name="pressure",address="DB1.DBD6:REAL"},{name="alarm",address="DB1.DBX10.0"},\n'
            '{name="mode_ro",address="DB1.DBB11"}]\n'
        )
    return "".join(parts)


def process_cpu_s(pid: int) -> float:
    """CPU seconds of a process, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def lateness(stamps_ms: list[int]) -> tuple[list[int], int]:
    """How late each poll began against the grid, in ms, and how many ticks have no poll."""
    phase = min(ts % 1000 for ts in stamps_ms)
    late = [(ts - phase) % 1000 for ts in stamps_ms]
    if quantile(late, 0.5) > 500:  # the grid lies just below a full second
        phase = min(phase for phase in (ts % 1000 for ts in stamps_ms) if phase > 500)
        late = [(ts - phase) % 1000 for ts in stamps_ms]
    ticks = {(ts - phase) // 1000 for ts in stamps_ms}
    return late, max(ticks) - min(ticks) + 1 - len(stamps_ms)


def run_agent(seconds: float) -> list[Result]:
    """The agent on all devices."""
    with simulators() as devices, tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        file = data / "agent.toml"
        file.write_text(configuration(devices, data), "utf-8")
        command = [sys.executable, "-m", "agent", "run", "--config", str(file)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as agent:
            time.sleep(SETTLE_S)
            before_s, began_ms = process_cpu_s(agent.pid), time.time_ns() // 1_000_000
            time.sleep(seconds)
            cpu_pct = 100 * (process_cpu_s(agent.pid) - before_s) / seconds
            resident_mb = _resident_mb(agent.pid)
            ended_ms = time.time_ns() // 1_000_000
            agent.terminate()
        late: list[int] = []
        missed = polls = 0
        with Reader(data / "telemetry.db") as reader:
            for name, _ in devices:
                if name.startswith("well"):
                    samples = reader.samples(name, began_ms, ended_ms)
                    more, gone = lateness([sample.stamp.ts_ms for sample in samples])
                    late += more
                    missed += gone
                    polls += len(more)
            host = len(list(reader.samples("host", began_ms, ended_ms)))
    per_poll_ms = cpu_pct / 100 * seconds * 1000 / (polls + host)
    return [
        Result("schedule", "poll start, 99 % within", quantile(late, 0.99), "ms", TARGET_MS),
        Result("schedule", "poll start, latest", max(late), "ms"),
        Result("schedule", f"polls missed of {polls}", missed, "", 0),
        Result("schedule", "CPU of one core", cpu_pct, "%", TARGET_CPU_PCT),
        Result("schedule", "CPU per stored poll, sick devices' share included", per_poll_ms, "ms"),
        Result("schedule", "resident memory, 51 devices", resident_mb, "MiB"),
    ]


def run_peer(seconds: float) -> list[Result]:
    """The same devices with APScheduler's and python-snap7's own ways."""
    with simulators() as devices:
        ports = {name: simulator.port for name, simulator in devices}
        command = [sys.executable, "-m", "tests.bench.peer_schedule", str(SETTLE_S + seconds)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as peer:
            assert peer.stdin is not None
            assert peer.stdout is not None
            peer.stdin.write(json.dumps(ports).encode())
            peer.stdin.close()
            time.sleep(SETTLE_S)
            before_s = process_cpu_s(peer.pid)
            time.sleep(max(0.0, seconds - 1))
            cpu_pct = 100 * (process_cpu_s(peer.pid) - before_s) / max(1.0, seconds - 1)
            stamps: dict[str, list[int]] = json.loads(peer.stdout.read())
            peer.kill()
    polls = sum(len(found) for found in stamps.values())
    wanted = round((SETTLE_S + seconds) * HEALTHY)
    late = [ms for found in stamps.values() if len(found) > 2 for ms in lateness(found)[0]]
    name = "the same with APScheduler and python-snap7 as they come"
    return [
        Result(name, "poll start, 99 % within", quantile(late, 0.99) if late else None, "ms"),
        Result(name, f"polls missed of {wanted}", max(0, wanted - polls), ""),
        Result(name, "CPU of one core", cpu_pct, "%"),
    ]


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


def run(*, short: bool = False) -> list[Result]:
    """Both, one after the other."""
    return [*run_agent(5 if short else 60), *run_peer(5 if short else 30)]
