"""The fuzz run itself: that it sees drivers that break a promise, and says which."""

import os
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from agent.clock import Deadline
from agent.devices.contract import Driver
from agent.devices.links.link import OpenLink
from agent.errors import DeviceError
from agent.model import Metric, Value
from tests.devices.cases import s7
from tests.fuzz.campaign import GROWTH_KIB, problems, report, run
from tests.fuzz.cases import MORE_CASES
from tests.fuzz.links import Conversation, Replay
from tests.fuzz.mutations import MAX_SIZE, insert_run, mutated
from tests.fuzz.run import Outcome
from tests.fuzz.targets import Make, Target, record

ANSWERS = 300
DEADLINE_S = 3.0


@pytest.fixture(scope="module")
def plc(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """What a PLC says, and the driver that reads it."""
    return record(s7.CASE, tmp_path_factory.mktemp("plc"))


class Around:
    """A driver around another one."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver

    @property
    def metrics(self) -> Sequence[Metric]:
        return self.driver.metrics

    def read(self) -> Mapping[str, Value]:
        return self.driver.read()

    def describe(self) -> Sequence[str]:
        return self.driver.describe()

    def warnings(self) -> Sequence[str]:
        return self.driver.warnings()

    def close(self) -> None:
        self.driver.close()


def around(target: Target, name: str, kind: Callable[[Driver], Driver]) -> Target:
    """The same target with a driver of another kind around its own."""
    made = target.make

    def make(options: Any, timeout_s: float, open_link: OpenLink) -> Driver:
        return kind(made(options, timeout_s, open_link))

    changed: Make = make
    return attrs.evolve(target, name=name, make=changed)


class NeverWorks(Around):
    def read(self) -> Mapping[str, Value]:
        self.driver.read()
        raise DeviceError("reading it: no")


class Remembers(Around):
    """Gives a value that was there when a read failed, for ever after."""

    def __init__(self, driver: Driver) -> None:
        super().__init__(driver)
        self.left: Mapping[str, Value] = {}

    def read(self) -> Mapping[str, Value]:
        try:
            return {**self.driver.read(), **self.left}
        except DeviceError:
            self.left = {"counter": -1}
            raise


class Hangs(Around):
    def read(self) -> Mapping[str, Value]:
        threading.Event().wait()
        return {}


class Dies(Around):
    def read(self) -> Mapping[str, Value]:
        os._exit(3)


class OpensNothing(Around):
    def read(self) -> Mapping[str, Value]:
        return {"level": 1.0}


def problems_of(*targets: Target, read_limit_s: float = 60.0) -> list[str]:
    """What a run with them finds."""
    return problems(run(targets, ANSWERS * len(targets), 1, 2, read_limit_s))


def test_a_driver_that_never_works_is_named_beside_one_that_does(plc: Target) -> None:
    assert problems_of(plc, around(plc, "s7-other", NeverWorks)) == ["s7-other: no values"]


def test_what_is_left_of_a_bad_answer_is_found(plc: Target) -> None:
    found = problems_of(around(plc, "s7", Remembers))

    assert found[0].startswith("s7: wrong values of true answers: counter -1 for ")


def test_a_read_that_does_not_end_fails_the_run_with_its_name(plc: Target) -> None:
    (found,) = problems_of(around(plc, "s7-hangs", Hangs), read_limit_s=0.5)[:1]

    assert found.startswith("s7-hangs: a read did not end within 0.5 s (seed ")


def test_a_process_that_dies_fails_the_run_with_its_name(plc: Target) -> None:
    assert problems_of(around(plc, "s7-dies", Dies))[0].startswith(
        "s7-dies: its process ended with 3 (seed "
    )


def test_a_driver_that_asks_nobody_is_found(plc: Target) -> None:
    assert "s7: it opens no link" in problems_of(around(plc, "s7", OpensNothing))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({}, None),
        ({"grew_kib": GROWTH_KIB}, f"grew by {GROWTH_KIB} KiB, allowed: {GROWTH_KIB}"),
        ({"late": 2}, "2 reads too late"),
        ({"left_open": 1}, "1 links left open"),
        ({"true": 0}, "no values from true answers"),
        ({"reads": 5}, "no errors"),
        ({"strange": ["not a DeviceError: ..."]}, "not a DeviceError: ..."),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_every_broken_promise_is_a_problem(change: Mapping[str, Any], text: str | None) -> None:
    well = Outcome("x", fuzzed=9, reads=9, true=1)
    well.answers["values"] = 5
    outcomes = {"x": attrs.evolve(well, **change)}

    assert problems(outcomes) == ([] if text is None else [f"x: {text}"])
    assert text is None or report(outcomes).endswith(f"x: {text}")


def test_other_options_are_read_as_well(tmp_path: Path) -> None:
    for case in MORE_CASES:
        folder = tmp_path / case.id
        folder.mkdir()

        target = record(case, folder)

        assert all(len(each.readings) == 2 for each in target.conversations)
    values = target.conversations[0].readings[0]
    assert not any(isinstance(value, float) for value in values.values())  # raw ones


def test_true_answers_follow_their_requests() -> None:
    conversation = Conversation(b"hello", ((b"a", b"1"), (b"b", b"2"), (b"a", b"3")), ())
    replay = Replay(conversation, {b"c": b"4"}, [], random.Random(1), is_true=True)
    deadline = Deadline(DEADLINE_S)
    heard = []

    for request in (b"a", b"a", b"b", b"c"):
        replay.send(request, deadline)
    while data := replay.receive_now(9):
        heard.append(data)
    replay.send(b"d", deadline)

    assert b"".join(heard) == b"hello1324"
    with pytest.raises(TimeoutError):
        replay.receive(9, deadline)
    assert replay.fuzzed == 0


def test_mutated_answers_have_a_bound() -> None:
    rng = random.Random(1)

    sizes = [len(mutated(rng, bytes(1000), [b"other"])) for _ in range(2000)]

    assert MAX_SIZE >= max(sizes) > MAX_SIZE // 2
    assert 1_000 < len(insert_run(rng, b"", ())) <= 60_000
