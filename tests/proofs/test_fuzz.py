"""Any answer at all ends in values or a DeviceError, in time and in flat memory."""

import os

import pytest

from tests.fuzz.campaign import report, run

SEED = 20
GROWTH_KIB = 4096  # half a million reads: a leak of ten bytes a read is more


@pytest.mark.parametrize(
    "answers",
    [100_000, pytest.param(10_000_000, marks=[pytest.mark.slow, pytest.mark.timeout(7200)])],
)
def test_mutated_answers_end_in_values_or_a_device_error(answers: int) -> None:
    outcomes = run(answers, SEED, os.cpu_count() or 1)

    print(report(outcomes))
    assert sum(each.fuzzed for each in outcomes.values()) >= answers
    assert {name: each.strange for name, each in outcomes.items() if each.strange} == {}
    assert all(each.is_sound for each in outcomes.values()), report(outcomes)
    assert all(
        each.answers["values"] and each.reads > each.answers["values"] for each in outcomes.values()
    )
    assert max(each.grew_kib for each in outcomes.values()) < GROWTH_KIB
