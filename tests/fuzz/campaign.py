"""Every driver under mutated answers, in processes side by side; the figures of all together."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.devices.kinds import CASES
from tests.fuzz.cases import MORE_CASES
from tests.fuzz.crew import READ_LIMIT_S, Job, outcomes_of
from tests.fuzz.run import Outcome
from tests.fuzz.targets import Target, record

# Of all answers, 1.0 if not here: by how quickly each can be asked, so that ten million of them
# take two cores half an hour. A read of one heat pump costs as much as ten of a PLC.
SHARES: Mapping[str, float] = {
    "s7": 2.5,
    "benchlab": 2.0,
    "json-lines": 2.0,
    "json": 0.6,
    "json-serial": 0.5,
    "modbus": 0.6,
    "modbus-rtu": 0.1,
    "modbus-types": 0.15,
    "thermostat": 0.4,
    "luxtronik": 0.1,
    "luxtronik-raw": 0.05,
}
WITHOUT_LINK = {"host"}  # it reads files: tests/devices/test_host_files.py damages those
CHUNK = 500_000  # answers to one process, a minute or more: time enough for a leak to show
GROWTH_KIB = 4096  # half a million reads: a leak of ten bytes a read is more


def targets() -> list[Target]:
    """One for each case that has a link; its simulator has told what it says."""
    found = []
    for case in (*CASES, *MORE_CASES):
        if case.kind not in WITHOUT_LINK:
            with tempfile.TemporaryDirectory() as folder:
                found.append(record(case, Path(folder)))
    return found


def jobs(found: Sequence[Target], answers: int, seed: int) -> Iterator[Job]:
    """In chunks that two processes can share."""
    weights = [SHARES.get(target.name, 1.0) for target in found]
    for target, weight in zip(found, weights, strict=True):
        left = round(answers * weight / sum(weights))
        while left > 0:
            yield Job(target, min(CHUNK, left), seed + left)
            left -= CHUNK


def run(
    found: Sequence[Target],
    answers: int,
    seed: int,
    processes: int,
    read_limit_s: float = READ_LIMIT_S,
) -> dict[str, Outcome]:
    """Fuzz all; what came of it, by target."""
    outcomes = {target.name: Outcome(target.name) for target in found}
    for outcome in outcomes_of(jobs(found, answers, seed), processes, read_limit_s):
        outcomes[outcome.name].add(outcome)
    return outcomes


def problems(outcomes: Mapping[str, Outcome]) -> list[str]:
    """Every promise that was not kept."""
    return [f"{name}: {text}" for name, each in outcomes.items() for text in _problems(each)]


def _problems(each: Outcome) -> Iterator[str]:
    yield from each.strange
    if each.late:
        yield f"{each.late} reads too late"
    if each.left_open:
        yield f"{each.left_open} links left open"
    if not each.answers["values"]:
        yield "no values"
    elif not each.true:
        yield "no values from true answers"
    if each.reads <= each.answers["values"]:
        yield "no errors"
    if each.grew_kib >= GROWTH_KIB:
        yield f"grew by {each.grew_kib} KiB, allowed: {GROWTH_KIB}"


def report(outcomes: Mapping[str, Outcome]) -> str:
    """A line for each driver, and what must not be."""
    columns = ("answers", "values", "true", "errors", "a second", "slowest", "grew")
    lines = [f"{'driver':16}" + "".join(f"{column:>11}" for column in columns)]
    for name, each in sorted(outcomes.items()):
        values = each.answers["values"]
        pace = each.fuzzed / each.took_s if each.took_s else 0.0
        lines.append(
            f"{name:16}{each.fuzzed:>11,}{values:>11,}{each.true:>11,}{each.reads - values:>11,}"
            f"{pace:>11,.0f}{each.slowest_s * 1000:>8.0f} ms{each.grew_kib:>7} KiB"
        )
    return "\n".join([*lines, *problems(outcomes)])
