"""Any answer at all ends in values or a DeviceError, in time and in flat memory."""

import os

import pytest

from tests.fuzz.campaign import problems, report, run, targets

SEED = 20


@pytest.mark.timeout(900)  # a minute of computing on two cores that nobody else uses
@pytest.mark.parametrize(
    "answers",
    [100_000, pytest.param(10_000_000, marks=[pytest.mark.slow, pytest.mark.timeout(7200)])],
)
def test_mutated_answers_end_in_values_or_a_device_error(answers: int) -> None:
    outcomes = run(targets(), answers, SEED, os.cpu_count() or 1)

    print(report(outcomes))
    assert sum(each.fuzzed for each in outcomes.values()) >= answers
    assert problems(outcomes) == []
