"""Short words for the tests of reports: a store with samples, and reports made from it."""

import csv
import json
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent.config.schema import AgentSection, Config, ReportsSection, StoreSection
from agent.reports import Reports, RollUp
from agent.reports.manifest import manifest_path
from agent.reports.periods import Period
from agent.reports.rollup import write
from agent.store import Reader
from tests.fakes import FakeClock
from tests.store.stored import Stored

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: tzinfo = BERLIN) -> int:
    """A local time as UTC ms."""
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


class Kept(Stored):
    """A store, and reports beside it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "telemetry.db", FakeClock())
        self.folder = folder

    def put_every(self, start: str, hours: int) -> None:
        """A sample at each full hour, numbered by its hour since 1970."""
        for number in range(hours):
            self.clock.set_wall(at(start) + number * 3_600_000)
            self.put(hour=self.clock.now_ms() // 3_600_000)
        self.store.flush()

    def reports(self, **options: Any) -> Reports:
        """Reports of a configuration."""
        return Reports(self._config(options), self.clock, BERLIN, flush=self.store.flush)

    def reports_in(self, zone: str, **options: Any) -> Reports:
        """The same in a time zone that is not the schedule's."""
        own = self._config(options)
        return Reports(own, self.clock, ZoneInfo(zone), scheduled_zone=BERLIN)

    def _config(self, options: dict[str, Any]) -> Config:
        sections = AgentSection(), StoreSection(), ReportsSection(**options)
        return Config("test", *sections, devices=(), data_dir=self.folder)

    def csv_files(self) -> list[str]:
        """The names of the reports."""
        return [Path(name).name for name in self.files() if name.endswith(".csv")]

    def write(self, path: Path, period: Period, device: str = "press", **options: Any) -> RollUp:
        """One report."""
        with Reader(self.path) as reader:
            return write(reader, device, period, path, BERLIN, **options)

    def files(self) -> list[str]:
        """What lies in the folder of the reports."""
        root = self.folder / "reports"
        return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())


def table(path: Path) -> list[list[str]]:
    """The cells of a report."""
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream))


def manifest(path: Path) -> dict[str, Any]:
    """What the manifest of a report says."""
    facts: dict[str, Any] = json.loads(manifest_path(path).read_text("utf-8"))
    return facts


def made(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The names of the reports that were logged as made."""
    texts = [r.getMessage() for r in caplog.records if " row" in r.getMessage()]
    return [Path(text.split(": ")[1].split(", ")[0]).name for text in texts]
