"""What ``import`` prints: what the files are, how far it is, and what became of them."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.clock import SystemClock
from agent.config import Config
from agent.console.progress import ProgressLine
from agent.console.table import printable
from agent.errors import StoreError
from agent.importing import Importer, Outcome, Planned, Progress, Tally, outcome_of
from agent.words import counted
from agent.zones import zone_of


class Import:
    """One call of the command.

    Args:
        is_stopped: Whether somebody pressed Ctrl+C by now.
        show: Prints a text to standard output.
    """

    def __init__(
        self, config: Config, is_stopped: Callable[[], bool], show: Callable[[str], None]
    ) -> None:
        self._zone = zone_of(config.agent.timezone)
        self._importer = Importer(config, SystemClock())
        self._is_stopped = is_stopped
        self._show = show
        self._line = ProgressLine()
        self._outcomes: dict[int, Outcome] = {}  # by the number of the file
        self._names: Counter[str] = Counter()
        self.is_interrupted = False
        self.has_failed = False

    def plan(self, *args: Any, as_json: bool, is_last: bool) -> list[Planned]:
        """Find out what the files are, and say so; see ``Importer.plan``."""
        planned = self._importer.plan(*args)
        self._names = Counter(each.path.name for each in planned)
        self.has_failed = any(each.error for each in planned)
        if not as_json:
            self._show("\n".join(line for each in planned for line in self._planned(each)))
        elif is_last:
            self._show(_json([self._planned_facts(each) for each in planned], dry_run=True))
        return planned

    def run(self, planned: Sequence[Planned], *, as_json: bool) -> None:
        """Import the files that can be, and say what became of them.

        Raises:
            StoreError: The store can't be written; what became of them until then is said.
        """
        try:
            self._run(planned)
        except StoreError:
            self._report(planned, as_json=as_json)
            raise
        self._report(planned, as_json=as_json)

    def _run(self, planned: Sequence[Planned]) -> None:
        for number, each in enumerate(planned):
            if each.error:
                continue
            outcome = self._outcomes[number] = outcome_of(each)
            is_done = self._importer.run(each, outcome, self._tell)
            self._line.clear()
            self.has_failed = self.has_failed or bool(outcome.error)
            if not is_done or self._is_stopped():
                self.is_interrupted = True
                return

    def _tell(self, progress: Progress) -> bool:
        share = ""
        if progress.total:
            share = f", {min(100, 100 * progress.read // progress.total)} %"
        name = printable(progress.file)
        self._line.say(progress.seconds, f"{name}: {counted(progress.read, 'sample')}{share}")
        return not self._is_stopped()

    def _report(self, planned: Sequence[Planned], *, as_json: bool) -> None:
        if as_json:
            facts = [
                self._planned_facts(each) | self._outcome_facts(self._outcomes.get(number))
                for number, each in enumerate(planned)
            ]
            self._show(_json(facts, interrupted=self.is_interrupted))
            return
        outcomes = [*self._outcomes.values()]
        lines = [line for each in outcomes for line in self._outcome(each)]
        if len(outcomes) > 1:
            lines.append(f"together: {_counts(outcomes)}")
        if self.is_interrupted:
            lines.append("interrupted: what is stored stays, the same command again goes on")
        if lines:
            self._show("\n".join(lines))

    def _planned(self, planned: Planned) -> Iterator[str]:
        name = self._name(planned.path)
        facts, target = planned.facts, planned.target
        if facts is None or target is None:
            what = f"{facts.title}, " if facts is not None else ""
            yield f"{name}: {what}not imported: {printable(planned.error)}"
            return
        count = "samples" if facts.count is None else counted(facts.count, "sample")
        new = f" (new, of kind {target.kind})" if target.is_new else ""
        span = self._span(facts.first_ms, facts.last_ms)
        yield f"{name}: {facts.title}, {count} of {target.device}{new}{span}"
        yield from (f"  note: {note}" for note in planned.notes)

    def _outcome(self, outcome: Outcome) -> Iterator[str]:
        span = self._span(outcome.first_ms, outcome.last_ms)
        yield f"{self._name(outcome.path)}: {_counts([outcome])}{span and f';{span}'}"
        for what, tally in _tallies(outcome).items():
            yield from _named(what, tally)
        yield from (f"  note: {printable(note)}" for note in outcome.trouble.notes)
        if outcome.error:
            yield f"  error: {printable(outcome.error)}"

    def _name(self, path: Path) -> str:
        """The file's name, or where it lies too if another has the same."""
        is_plain = path.name and self._names[path.name] == 1  # "." and ".." have no name
        return printable(path.name if is_plain else str(path))

    def _span(self, first_ms: int | None, last_ms: int | None) -> str:
        if first_ms is None or last_ms is None:
            return ""
        first, last = (self._moment(ms).replace(tzinfo=None) for ms in (first_ms, last_ms))
        return f" from {first} to {last}"

    def _moment(self, ts_ms: int) -> datetime:
        return datetime.fromtimestamp(ts_ms // 1000, self._zone)

    def _planned_facts(self, planned: Planned) -> dict[str, Any]:
        facts, target = planned.facts, planned.target
        return {
            "file": str(planned.path),
            "logger": facts.title if facts else None,
            "device": target.device if target else None,
            "kind": target.kind if target else facts.kind if facts else None,
            "samples": facts.count if facts else None,
            "first_ms": facts.first_ms if facts else None,
            "last_ms": facts.last_ms if facts else None,
            "notes": [*planned.notes],
            "error": planned.error or None,
        }

    def _outcome_facts(self, outcome: Outcome | None) -> dict[str, Any]:
        if outcome is None:
            return {}
        rows = {f"{what}_rows": _rows(tally) for what, tally in _tallies(outcome).items()}
        found = {
            "read": outcome.read + outcome.trouble.bad.count,
            "stored": outcome.stored,
            "known": outcome.known,
            **{what: tally.count for what, tally in _tallies(outcome).items()},
            "first_ms": outcome.first_ms,
            "last_ms": outcome.last_ms,
            **rows,
        }
        notes = [*outcome.facts.notes, *outcome.trouble.notes]
        return found | {"notes": notes, "error": outcome.error or None}


def _tallies(outcome: Outcome) -> dict[str, Tally]:
    trouble = outcome.trouble
    return {
        "bad": trouble.bad,
        "in_conflict": outcome.conflicts,
        "doubtful": trouble.doubtful,
    }


def _counts(outcomes: Sequence[Outcome]) -> str:
    bad = sum(each.trouble.bad.count for each in outcomes)
    doubtful = sum(each.trouble.doubtful.count for each in outcomes)
    conflicts = sum(each.conflicts.count for each in outcomes)
    text = (
        f"{sum(each.read for each in outcomes) + bad:,} read, "
        f"{sum(each.stored for each in outcomes):,} stored, "
        f"{sum(each.known for each in outcomes):,} known before, "
        f"{conflicts:,} in conflict, {bad:,} bad"
    )
    return text + (f", {doubtful:,} of doubtful time" if doubtful else "")


def _named(what: str, tally: Tally) -> Iterator[str]:
    for remark in tally.first:
        yield f"  {what.replace('_', ' ')}: line {remark.line}: {printable(remark.text)}"
    if tally.count > len(tally.first):
        yield f"  {what.replace('_', ' ')}: and {tally.count - len(tally.first):,} more"


def _rows(tally: Tally) -> list[dict[str, Any]]:
    return [{"line": remark.line, "text": remark.text} for remark in tally.first]


def _json(files: Sequence[dict[str, Any]], **others: Any) -> str:
    return json.dumps({"files": files, **others}, indent=1, ensure_ascii=False)
