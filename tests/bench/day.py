"""A store with a day of five devices, made without waiting for one."""

import random
import shutil
from collections.abc import Mapping
from pathlib import Path

import attrs

from agent.config import load
from agent.devices import KINDS
from agent.model import Metric, Sample, Stamp, Value
from agent.store import Store
from hw_sim.everything import Everything, device
from tests.fakes import FakeClock

FIVE = ("host", "s7", "thermostat", "modbus", "json")
DAY_S = 86_400
EVERY_S = 5
FLUSH_ROWS = 10_000


def five_devices(folder: Path) -> Everything:
    """One of each of five kinds, not started; the folder is for their files."""
    return Everything(device(kind, folder) for kind in FIVE)


def configuration(
    everything: Everything, folder: Path, *, interval_s: float, store: str = ""
) -> Path:
    """``agent.toml`` of devices that have started, polled as often as said, in the folder."""
    tables = []
    for table in everything.tables:
        lines = table.splitlines()
        lines = [line for line in lines if not line.startswith("interval_s")]
        tables.append("\n".join([lines[0], f"interval_s = {interval_s}", *lines[1:]]))
    file = folder / "agent.toml"
    text = f'[agent]\ndata_dir = "data"\n[store]\n{store}\n' + "\n".join(tables)
    file.write_text(text, "utf-8")
    return file


@attrs.frozen
class Read:
    """What a device said once."""

    name: str
    kind: str
    values: Mapping[str, Value]
    metrics: tuple[Metric, ...]


def read_all(file: Path) -> list[Read]:
    """Every device, read once."""
    found = []
    for each in load(file, KINDS, {}).devices:
        driver = KINDS[each.kind]().driver(each.options, each.timeout_s)
        try:
            found.append(Read(each.name, each.kind, driver.read(), tuple(driver.metrics)))
        finally:
            driver.close()
    return found


def make_day(folder: Path, now_ms: int, seconds: int = DAY_S) -> int:
    """A store of the last so many seconds, and its agent.toml; how many rows it has."""
    with five_devices(folder / "simulated") as everything:
        file = configuration(everything, folder, interval_s=EVERY_S)
        devices = read_all(file)
    shutil.rmtree(folder / "simulated", ignore_errors=True)
    start_ms = now_ms - seconds * 1000
    clock = FakeClock(start_ms)
    (folder / "data").mkdir()
    store = Store(folder / "data" / "telemetry.db", clock)
    for each in devices:
        store.add_device(each.name, each.kind, EVERY_S)
        store.describe(each.name, each.metrics)
    noise = random.Random(1)
    rows = 0
    for second in range(0, seconds, EVERY_S):
        for number, each in enumerate(devices):
            moved = {name: _moved(value, noise) for name, value in each.values.items()}
            stamp = clock.stamp()
            late = Stamp(stamp.ts_ms + number, stamp.monotonic_ms + number)
            store.append(Sample(each.name, late, moved))
            rows += 1
        clock.advance(EVERY_S)
        if second % FLUSH_ROWS < EVERY_S:
            store.flush()
    store.flush()
    store.close()
    return rows


def _moved(value: Value, noise: random.Random) -> Value:
    """Numbers with a fraction change from row to row, as measured ones do."""
    return round(value + noise.random(), 3) if isinstance(value, float) else value
