"""collectd and Prometheus' node exporter from Debian on the same machine, at 1 s."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.binary_runs import Usage, page, started, until, usage_of
from tests.bench.result import Result
from tests.peers import free_port

COLLECTD = "collectd"
EXPORTER = "prometheus-node-exporter"
PLUGINS = ("cpu", "memory", "load", "interface", "disk", "csv")


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def collectd(seconds: float) -> list[Result]:
    """This machine at 1 s into CSV files, no device."""
    if shutil.which(COLLECTD) is None:
        return [Result(COLLECTD, "not installed (apt install collectd-core)", None, "")]
    with _folder() as folder:
        loads = "\n".join(f"LoadPlugin {name}" for name in PLUGINS)
        file = folder / "collectd.conf"
        file.write_text(
            f'BaseDir "{folder}"\nPIDFile "{folder}/pid"\nInterval 1\n{loads}\n'
            f'<Plugin csv>\nDataDir "{folder}/csv"\n</Plugin>\n'
        )
        began_s = time.monotonic()
        with started([COLLECTD, "-f", "-C", str(file)], folder) as process:
            first_s = until(lambda: any(folder.glob("csv/*/*/*")), "a file of collectd") - began_s
            usage = usage_of(process.pid, seconds)
    name = "collectd of Debian: this machine at 1 s, no device"
    return [*_results(name, usage), Result(name, "start to the first file", 1000 * first_s, "ms")]


def node_exporter(seconds: float) -> list[Result]:
    """Scraped every second; it stores nothing."""
    if shutil.which(EXPORTER) is None:
        return [Result(EXPORTER, f"not installed (apt install {EXPORTER})", None, "")]
    with _folder() as folder:
        address = f"127.0.0.1:{free_port()}"
        url = f"http://{address}/metrics"
        began_s = time.monotonic()
        with started([EXPORTER, f"--web.listen-address={address}"], folder) as process:
            first_s = until(lambda: page(url), "a page of the exporter") - began_s
            usage = usage_of(process.pid, seconds, lambda: page(url))
    name = "node exporter of Debian: this machine, scraped at 1 s, no store"
    return [*_results(name, usage), Result(name, "start to the first page", 1000 * first_s, "ms")]


def _results(group: str, usage: Usage) -> list[Result]:
    return [
        Result(group, "resident memory", usage.resident_mb, "MiB"),
        Result(group, "PSS, USS", usage.pss_mb, f"MiB, {usage.uss_mb:.1f} MiB"),
        Result(group, "CPU of one core", usage.cpu_pct, "%"),
    ]
