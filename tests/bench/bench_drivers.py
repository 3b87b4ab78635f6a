"""CPU that one poll costs, ours beside the way that the original tools have of doing it.

The devices are simulators on loopback and on a pseudo-terminal, in a process of their own, so
that only the driver's work is counted: from the socket or the port to the values of a sample.
"""

import contextlib
import io
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import attrs

from agent.clock import Deadline
from agent.devices.benchlab import KIND as BENCHLAB
from agent.devices.benchlab import Options as BenchlabOptions
from agent.devices.links.link import Stream
from agent.devices.links.serial_port import Line, SerialLink
from agent.devices.luxtronik import KIND as LUXTRONIK
from agent.devices.luxtronik import Options as LuxtronikOptions
from agent.poller import checked
from tests.bench.result import Result

READS, SHORT_READS = 200, 5
TIMEOUT_S = 10.0
LUXTRONIK_MS, BENCHLAB_MS = 8.0, 1.0
ADDRESS = re.compile(r" (/\S+|[\d.]+:\d+) ")  # in the lines that a simulator begins with
READ_SENSORS, SENSORS_SIZE = b"\x01", 216


@attrs.frozen
class Cost:
    """Medians of one read: CPU of this thread, and time from its beginning to its end."""

    cpu_ms: float
    took_ms: float


def run(*, short: bool = False) -> list[Result]:
    """The heat pump with 1,749 values, and the board, each beside its original."""
    reads = SHORT_READS if short else READS
    return [*_luxtronik(reads), *_benchlab(reads)]


def _luxtronik(reads: int) -> list[Result]:
    group = "one poll of a heat pump, 1,749 values, from the socket to the sample"
    with simulator("luxtronik", "--port", "0", "--profile", "bench") as address:
        host, _, port = address.rpartition(":")
        driver = LUXTRONIK.driver(LuxtronikOptions(host, int(port)), TIMEOUT_S)
        assert len(driver.read()) > 1700
        ours = cost(lambda: checked(driver.read()), reads)
        raw = LUXTRONIK.driver(LuxtronikOptions(host, int(port), values="raw"), TIMEOUT_S)
        plain = cost(lambda: checked(raw.read()), reads)
        driver.close()
        raw.close()
        original = cost(package_reader(host, int(port)), reads)
    return [
        Result(group, f"ours: CPU, median of {reads}", ours.cpu_ms, "ms", LUXTRONIK_MS),
        Result(group, "ours, values as the controller has them: CPU", plain.cpu_ms, "ms"),
        Result(group, "the luxtronik package, connecting each time: CPU", original.cpu_ms, "ms"),
        Result(group, "ours: from beginning to end", ours.took_ms, "ms"),
        Result(group, "the luxtronik package: from beginning to end", original.took_ms, "ms"),
        Result(group, "CPU of the package over ours", original.cpu_ms / ours.cpu_ms, "times"),
    ]


def package_reader(host: str, port: int) -> Callable[[], object]:
    """The package's own read, as its users poll: it connects each time."""
    from luxtronik import Luxtronik

    client = Luxtronik(host, port, True)
    return client.read  # type: ignore[no-any-return]


def _benchlab(reads: int) -> list[Result]:
    group = "one poll of a board, 87 values, from the port to the sample"
    with (
        tempfile.TemporaryDirectory() as folder,
        simulator("benchlab", "--firmware", "5", "--link", f"{folder}/board") as path,
    ):
        wire = cost(*exchange(path, reads))
        driver = BENCHLAB.driver(BenchlabOptions(port=path), TIMEOUT_S)
        driver.read()
        ours = cost(lambda: checked(driver.read()), reads)
        driver.close()
        original = cost(pycore_reader(path), max(SHORT_READS, reads // 10))
    beyond_ms = ours.took_ms - wire.took_ms
    return [
        Result(
            group, f"ours: time beyond the wire's, median of {reads}", beyond_ms, "ms", BENCHLAB_MS
        ),
        Result(group, "ours: CPU", ours.cpu_ms, "ms", BENCHLAB_MS),
        Result(group, "pycore: CPU", original.cpu_ms, "ms"),
        Result(group, "the bare exchange of bytes: from beginning to end", wire.took_ms, "ms"),
        Result(group, "ours: from beginning to end", ours.took_ms, "ms"),
        Result(group, "pycore, which waits 50 ms: from beginning to end", original.took_ms, "ms"),
    ]


def pycore_reader(path: str) -> Callable[[], object]:
    """The maker's library, as its fleet logger polls: sensors, then their names and units."""
    import serial
    from benchlab_pycore.core.sensor_translation import translate_sensor_struct
    from benchlab_pycore.core.serial_io import read_sensors

    port = serial.Serial(path, 115200, timeout=1)
    return lambda: translate_sensor_struct(read_sensors(port, 0x10, 5))


def exchange(path: str, reads: int) -> tuple[Callable[[], object], int]:
    """The request and the bytes of the answer, which nobody decodes."""
    stream = Stream(SerialLink(path, Line(), Deadline(TIMEOUT_S)))
    time.sleep(0.2)  # until the welcome, if there is one, has come
    stream.drain(64)
    left = [reads + 1]

    def once() -> None:
        deadline = Deadline(TIMEOUT_S)
        stream.send(READ_SENSORS, deadline)
        stream.exactly(SENSORS_SIZE, deadline)
        left[0] -= 1
        if not left[0]:
            stream.close()

    return once, reads


def cost(read: Callable[[], object], reads: int) -> Cost:
    """Read once for what is done only at first, then so many times."""
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        read()
        cpu, took = [], []
        for _ in range(reads):
            began_ns, began_cpu_ns = time.perf_counter_ns(), time.thread_time_ns()
            read()
            cpu.append((time.thread_time_ns() - began_cpu_ns) / 1e6)
            took.append((time.perf_counter_ns() - began_ns) / 1e6)
    return Cost(statistics.median(cpu), statistics.median(took))


@contextmanager
def simulator(*words: str) -> Iterator[str]:
    """A simulator in a process of its own; its address."""
    command = [sys.executable, "-m", "hw_sim", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            while (found := ADDRESS.search(process.stdout.readline())) is None:
                assert process.poll() is None
            yield found[1]
        finally:
            process.terminate()
