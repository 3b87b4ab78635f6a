"""What ``store repair`` does and prints: sets a damaged store aside, and saves what can be."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from agent.clock import SystemClock, monotonic_s
from agent.config import Config
from agent.console.progress import ProgressLine
from agent.console.store_aside import loss_lines
from agent.console.store_verify import SHOWN, checked, fault_table
from agent.console.table import size_text
from agent.errors import StoreError
from agent.store.repair.account import Report
from agent.store.repair.byhand import could_be_saved, workplace
from agent.store.repair.salvage import Salvage
from agent.store.repair.start import in_use, make_usable
from agent.store.repair.verify import Fault, Verify
from agent.store.repair.waiting import lacking_bytes, to_save
from agent.zones import zone_of

UNREADABLE = "no sample in it can be read"
NOTHING = "no sample was saved: none in it can be read, or the store has all of them already"


@attrs.define
class Repaired:
    """What was done, or would be."""

    said: list[str] = attrs.field(factory=list)
    faults: Sequence[Fault] = ()
    reports: dict[str, Report] = attrs.field(factory=dict)  # by path of the file


class Repair:
    """One call of the command; nobody else has the store open."""

    def __init__(self, config: Config, source: Path | None) -> None:
        self._path = config.store_path
        self._zone = zone_of(config.agent.timezone)
        self._source = source
        self._clock = SystemClock()
        self._done = Repaired()

    def try_out(self) -> Repaired:
        """Say what could be saved, and write nothing.

        Raises:
            StoreError: A file can't be read at all.
        """
        sources = [self._source] if self._source is not None else self._waiting()
        if self._source is None and self._path.exists():
            self._done.faults = self._faults()
            sources += [self._path] if self._done.faults else []
        for source in sources:
            self._done.reports[str(source)] = could_be_saved(source)
        return self._done

    def run(self) -> Repaired:
        """Put the store right.

        Raises:
            StoreError: It can't be written.
        """
        now_ms = self._clock.now_ms()
        self._done.said += make_usable(self._path, now_ms)
        if self._source is None and in_use(self._path).exists():
            self._done.faults = self._faults()
            if self._done.faults:
                self._done.said += make_usable(self._path, now_ms, self._done.faults[0].text)
        with workplace(self._path, self._clock, self._done.said.append) as place:
            for source in [self._source] if self._source is not None else self._waiting():
                lacking = lacking_bytes(self._path, source)
                if lacking:
                    text = f"the disk lacks {size_text(lacking)} for what is in {source}"
                    raise StoreError(f"{text}: make room first")
                self._done.reports[str(source)] = _salvaged(Salvage(source, place))
        return self._done

    def _waiting(self) -> list[Path]:
        try:
            return to_save(self._path) if in_use(self._path).exists() else []
        except OSError as exc:
            raise StoreError(f"cannot read {self._path.parent}: {exc.strerror}") from exc

    def _faults(self) -> list[Fault]:
        try:
            return checked(Verify(self._path, quick=False))
        except StoreError as exc:
            return [Fault(str(exc))]

    def text(self, *, as_json: bool, is_dry: bool) -> str:
        """What was done, or would be."""
        done = self._done
        if as_json:
            return json.dumps(_facts(done, is_dry=is_dry), indent=1, ensure_ascii=False)
        lines = [*done.said]
        if done.faults:
            lines += [f"{self._path} is damaged:", fault_table(done.faults[:SHOWN], self._zone)]
        for source, report in done.reports.items():
            saved = "samples could be saved" if is_dry else "samples were saved"
            lost = f"{report.lost:,} are lost"
            if not report.lost and report.losses:
                lost = "nobody can tell how many are lost"
            if report.saved or report.losses:
                lines.append(f"{source}: {report.saved:,} {saved}, {lost}")
            else:
                lines.append(f"{source}: {UNREADABLE if is_dry else NOTHING}")
            lines += loss_lines(report.losses, report.lost, self._zone)
        return "\n".join(lines) or f"{self._path} is sound, there is nothing to repair"


def _salvaged(salvage: Salvage) -> Report:
    line = ProgressLine()
    began_s = monotonic_s()
    try:
        while salvage.step():
            line.say(
                monotonic_s() - began_s,
                f"saving {salvage.source.name}: {salvage.done:,} of {salvage.total:,} pages, "
                f"{salvage.report.saved:,} samples",
            )
    except OSError as exc:
        raise StoreError(f"cannot read {salvage.source}: {exc.strerror}") from exc
    finally:
        salvage.close()
    line.clear()
    return salvage.report


def _facts(done: Repaired, *, is_dry: bool) -> dict[str, Any]:
    return {
        "dry_run": is_dry,
        "done": done.said,
        "faults": [attrs.asdict(fault) for fault in done.faults],
        "files": [
            {
                "path": path,
                "saved": report.saved,
                "lost": report.lost,
                "losses": [attrs.asdict(loss) for loss in report.losses],
            }
            for path, report in done.reports.items()
        ],
    }
