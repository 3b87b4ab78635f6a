"""Real agents, every kind of device, and its faults: each comes back in time."""

import re
from pathlib import Path

import pytest

from agent.devices import KINDS
from tests.devices.kinds import CASES
from tests.matrix.choice import Pair, every_pair, telling_pairs
from tests.matrix.run import run
from tests.matrix.table import as_text

PAGE = Path(__file__).parents[2] / "docs" / "FAULTS.md"


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param(telling_pairs(CASES), id="short"),  # up to 30 s: a fault, and back-off
        pytest.param(every_pair(CASES), id="long", marks=pytest.mark.slow),
    ],
)
def test_every_device_comes_back_in_time_after_every_fault(pairs: list[Pair]) -> None:
    rows = run(pairs, KINDS)

    assert [(row.case, row.fault) for row in rows] == [(case.id, fault) for case, fault in pairs]
    assert [row for row in rows if not row.is_ok] == [], as_text(rows)


def test_every_kind_is_tried_with_several_faults() -> None:
    counts = {case.id: 0 for case in CASES}

    for case, _ in telling_pairs(CASES):
        counts[case.id] += 1

    assert {case: count for case, count in counts.items() if count < 3} == {}
    assert {case.kind for case, _ in every_pair(CASES)} == set(KINDS)


def test_the_page_has_every_fault_of_every_kind() -> None:
    # When it has not: python -m tests.matrix --markdown docs/FAULTS.md
    sections = PAGE.read_text("utf-8").split("\n## ")[1:]

    shown = {
        text.split("\n")[0]: re.findall(r"^\| `(.+?)` ", text, re.MULTILINE) for text in sections
    }

    assert shown == {case.id: list(case.faults) for case in CASES}
