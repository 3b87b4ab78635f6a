"""Moves what can be saved of a file that was set aside into the store, in small steps.

Block by block, batch by batch and row by row. What the store has already is not stored again: cut
off at any moment, all of it can be done once more.
"""

import json
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import attrs

from agent.store.eras import look_again
from agent.store.query import open_to_read
from agent.store.repair.account import Account, Report
from agent.store.repair.aside import CUT, LOG, beside, why_of
from agent.store.repair.content import Content, Line
from agent.store.repair.intake import Intake
from agent.store.repair.losses import Loss
from agent.store.repair.names import Names, names_from, names_in
from agent.store.repair.pages import Pages, pages_of
from agent.store.repair.target import Target
from agent.store.replacing import Workplace
from agent.store.writer import Writer

LISTED = 100  # losses that are written down one by one
KEY = "salvaged "  # and a file's name, in meta: what became of it


class Salvage:
    """One file on its way into the store; ``step`` does a little, as long as it says so.

    ``done`` and ``total`` are pages of it.

    Raises:
        StoreError: From ``step``: the store can't be read or written now. Begin anew later.
        OSError: The file can't be read.
    """

    def __init__(self, source: Path, workplace: Workplace) -> None:
        self.source = source
        self.report = Report()
        self.done = 0
        self.total = 0
        self._workplace = workplace
        self._steps = self._work()

    def step(self) -> bool:
        """Do a little; whether there is more to do."""
        return next(self._steps, False)

    def close(self) -> None:
        """Let go of the file; what was not done is left."""
        self._steps.close()

    def _work(self) -> Generator[bool, None, None]:
        with ExitStack() as stack:
            pages = stack.enter_context(pages_of(self.source))
            intake, content, target = yield from self._save(pages)
            if pages.is_with_both:
                # A log of another store hides what the file has, and may not be found out.
                alone = stack.enter_context(pages_of(self.source, with_log=False))
                its_own = yield from self._save(alone)
                if pages.is_log_whole and its_own[0].is_whole and not intake.is_whole:
                    intake, content, target = its_own  # the log was never its own
            account = Account(self._workplace.path, self.source, target, self.report)
            for _ in account.settle(intake, content):
                yield True
        self.report.identity = identity(self.source)
        target.write(self._note)

    def _save(self, pages: Pages) -> Generator[bool, None, tuple[Intake, Content, Target]]:
        """All that can be read of these pages, as far as the store does not have it yet."""
        content = Content(pages)
        saved, done = self.report.saved, self.done
        self.total = done + content.total
        lines = []
        for line in content.naming():
            self.done = done + content.done
            if line is None:
                yield True
            else:
                lines.append(line)
        target = Target(self._workplace, self._names(lines, content))
        intake = Intake(target)
        for found in content.holding():
            self.done = done + content.done
            if found is None or intake.take(found):
                self.report.saved = saved + intake.saved
                yield True
        for _ in intake.rest():
            yield True
        self.done, self.report.saved = self.total, saved + intake.saved
        return intake, content, target

    def _names(self, lines: Sequence[Line], content: Content) -> Names:
        found = names_from(lines, content.tables)
        if why_of(self.source) != CUT:
            return found
        with closing(open_to_read(self._workplace.path)) as connection:
            known = names_in(connection)  # it is a log of this very store
        return Names({**found.devices, **known.devices}, {**found.clocks, **known.clocks})

    def _note(self, writer: Writer) -> None:
        """Write down what became of the file, so that it is not looked at again."""
        facts = {
            "identity": self.report.identity,
            "saved": self.report.saved,
            "lost": self.report.lost,
            "losses": [attrs.astuple(loss) for loss in self.report.losses[:LISTED]],
        }
        writer.connection.execute(
            "INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)",
            (KEY + self.source.name, json.dumps(facts, ensure_ascii=False)),
        )
        look_again(writer.connection)


def identity(path: Path) -> list[int]:
    """Tells whether a file is still what it was: its size and age, and those of its log.

    Raises:
        OSError: It can't be told.
    """
    found = []
    for each in (path, beside(path, LOG)):
        if each.exists():
            facts = each.stat()
            found += [facts.st_size, facts.st_mtime_ns]
    return found


def reports(path: Path) -> dict[str, Report]:
    """What became of files that were set aside of a store, by name, as it is noted in it.

    Raises:
        StoreError: The store can't be read.
    """
    sql = "SELECT key, value FROM meta WHERE key LIKE ? || '%'"
    with closing(open_to_read(path)) as connection:
        rows = connection.execute(sql, (KEY,)).fetchall()
    found = {key.removeprefix(KEY): _report(value) for key, value in rows}
    return {name: report for name, report in found.items() if report is not None}


def _report(text: str) -> Report | None:
    """What a note says; one that is damaged is none, and its file is looked at once more."""
    try:
        facts = json.loads(text)
        losses = [Loss(*loss) for loss in facts["losses"]]
        return Report(facts["saved"], losses, facts["lost"], facts["identity"])
    except (ValueError, LookupError, TypeError):
        return None
