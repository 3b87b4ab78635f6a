"""Every driver under mutated answers, in processes side by side; the figures of all together."""

import multiprocessing
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.devices.kinds import CASES
from tests.fuzz.run import Outcome, fuzz
from tests.fuzz.targets import Target, record

# Of all answers; a read of one heat pump costs as much as thirty of the others.
SHARES: Mapping[str, float] = {"luxtronik": 0.1}
WITHOUT_LINK = {"host"}  # it reads files: tests/devices/test_host_files.py damages those
CHUNK = 500_000  # answers to one process, a minute or more: time enough for a leak to show


def targets() -> list[Target]:
    """One for each case that has a link; its simulator has told what it says."""
    found = []
    for case in CASES:
        if case.kind not in WITHOUT_LINK:
            with tempfile.TemporaryDirectory() as folder:
                found.append(record(case, Path(folder)))
    return found


def jobs(found: Sequence[Target], answers: int, seed: int) -> Iterator[tuple[Target, int, int]]:
    """Target, answers and seed, in chunks that two processes can share."""
    weights = [SHARES.get(target.kind, 1.0) for target in found]
    for target, weight in zip(found, weights, strict=True):
        left = round(answers * weight / sum(weights))
        while left > 0:
            yield target, min(CHUNK, left), seed + left
            left -= CHUNK


def run(answers: int, seed: int, processes: int) -> dict[str, Outcome]:
    """Fuzz all; what came of it, by target."""
    work = list(jobs(targets(), answers, seed))
    outcomes: dict[str, Outcome] = {}
    # A process for each job, so that the memory of one says nothing about that of another.
    with multiprocessing.get_context("fork").Pool(processes, maxtasksperchild=1) as pool:
        for outcome in pool.imap_unordered(_job, work):
            known = outcomes.setdefault(outcome.name, Outcome(outcome.name))
            known.add(outcome)
    return outcomes


def _job(job: tuple[Target, int, int]) -> Outcome:
    return fuzz(*job)


def report(outcomes: Mapping[str, Outcome]) -> str:
    """A line for each driver."""
    lines = [f"{'driver':12}{'answers':>11}{'values':>10}{'errors':>10}{'slowest':>10}{'grew':>10}"]
    for name, each in sorted(outcomes.items()):
        errors = each.reads - each.answers["values"]
        lines.append(
            f"{name:12}{each.fuzzed:>11,}{each.answers['values']:>10,}{errors:>10,}"
            f"{each.slowest_s * 1000:>7.0f} ms{each.grew_kib:>6} KiB"
        )
        lines += [f"  not a DeviceError: {text}" for text in each.strange[:5]]
        if each.late or each.left_open:
            lines.append(f"  {each.late} reads too late, {each.left_open} links left open")
    return "\n".join(lines)
