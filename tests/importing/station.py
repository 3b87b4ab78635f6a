"""A folder with a configuration, files of other loggers, and what was imported of them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from agent.cli import main
from agent.config import load
from agent.devices import KINDS
from agent.importing import Importer, Outcome, Progress, Wanted, outcome_of
from agent.model import Gap, Metric, Sample, Stamp, Value
from agent.store import Reader, Store
from tests.fakes import FakeClock

EVER = (-(10**14), 10**14)  # ms, wider than any clock
HOST = '[[device]]\nname = "host"\nkind = "host"\n'
PUMP = '[[device]]\nname = "pump"\nkind = "luxtronik"\nhost = "localhost"\n'
BENCH = '[[device]]\nname = "bench"\nkind = "benchlab"\n'
COOLER = '[[device]]\nname = "cooler"\nkind = "thermostat"\nhost = "localhost"\n'
PRESS = """
[[device]]
name = "press"
kind = "s7"
host = "localhost"
tag = [
    { name = "counter", address = "DB1.DBD0", type = "DINT" },
    { name = "temperature", address = "DB1.DBW4", type = "INT" },
    { name = "pressure", address = "DB1.DBD6", type = "REAL" },
    { name = "alarm", address = "DB1.DBX10.0" },
    { name = "mode_ro", address = "DB1.DBB11", type = "BYTE" },
]
"""


class Station:
    """Where an agent would run; times are those of Berlin."""

    def __init__(self, folder: Path, *devices: str) -> None:
        self.folder = folder
        self.store_path = folder / "data" / "telemetry.db"
        self.configure(*devices)

    def configure(self, *devices: str, zone: str = "Europe/Berlin", store: str = "") -> None:
        """Write ``agent.toml``."""
        sections = f'[agent]\ntimezone = "{zone}"\n[store]\nretention_days = 0\n{store}\n'
        (self.folder / "agent.toml").write_text(sections + "\n".join(devices), "utf-8")

    def file(self, name: str, content: str | bytes) -> Path:
        """A file of another logger."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def run(self, *words: str | Path) -> Result:
        """``agent import``, in this process."""
        command = ["import", *map(str, words), "--config", str(self.folder / "agent.toml")]
        environ = {"RUNTIME_DIRECTORY": str(self.folder / "run")}
        return CliRunner().invoke(main, command, env=environ, prog_name="agent")

    def facts(self, *words: str | Path) -> list[dict[str, Any]]:
        """What the command says of each file, as JSON; all went well."""
        result = self.run(*words, "--json")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        files: list[dict[str, Any]] = json.loads(result.stdout)["files"]
        return files

    def counts(self, *words: str | Path) -> tuple[int, int, int, int]:
        """Of one file: how many were stored, known before, in conflict, bad."""
        (facts,) = self.facts(*words)
        return facts["stored"], facts["known"], facts["in_conflict"], facts["bad"]

    def take(
        self,
        path: Path,
        tell: Callable[[Progress], bool] = lambda _: True,
        wanted: Wanted | None = None,
    ) -> tuple[bool, Outcome]:
        """Import one file without the command; whether it came to its end."""
        config = load(self.folder / "agent.toml", KINDS, {})
        importer = Importer(config, FakeClock())
        (planned,) = importer.plan([path], wanted or Wanted())
        assert not planned.error
        outcome = outcome_of(planned)
        return importer.run(planned, outcome, tell), outcome

    def poll(self, device: str, kind: str, *polled: tuple[int, dict[str, Value]]) -> None:
        """What the agent itself polled at these times."""
        clock = FakeClock()
        store = Store(self.store_path, clock)
        store.add_device(device, kind, 1.0)
        for ts_ms, values in polled:
            store.append(Sample(device, Stamp(ts_ms, clock.stamp().monotonic_ms), values))
        assert store.flush()
        store.close()

    def samples(self, device: str) -> list[tuple[int, dict[str, Value]]]:
        """Times and values of all that is in the store."""
        with Reader(self.store_path) as reader:
            return [(each.stamp.ts_ms, dict(each.values)) for each in reader.samples(device, *EVER)]

    def gaps(self, device: str) -> list[Gap]:
        """All gaps of a device."""
        with Reader(self.store_path) as reader:
            return reader.gaps(device, *EVER)

    def metrics(self, device: str) -> dict[str, Metric]:
        """What the store knows of a device's metrics."""
        with Reader(self.store_path) as reader:
            return {metric.name: metric for _, metric in reader.metrics(device)}


def typed(samples: Sequence[tuple[int, dict[str, Value]]]) -> str:
    """Samples so that 1, 1.0 and true differ."""
    return repr([(ts_ms, sorted(values.items())) for ts_ms, values in samples])
