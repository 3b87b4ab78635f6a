"""Devices in the check-up: read once, side by side, in time, or left to the running agent."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from agent.clock import SystemClock
from agent.config.options import Claim
from agent.devices.contract import Driver, Kind
from agent.discovery.search import Kinds
from agent.doctor.case import Case
from agent.doctor.devices import check_devices
from agent.doctor.finding import Finding, Level
from agent.errors import DeviceError
from agent.model import Reason
from agent.state import DataLock, StateFile
from hw_sim.luxtronik import LuxtronikSimulator
from hw_sim.s7 import S7Simulator
from tests.agent_process import s7_device
from tests.doctor.machines import Tree, case_of, levels, never
from tests.fakes import ScriptedDriver

ANY: dict[str, Any] = {"values": 12, "took_ms": 3.4, "found": [], "warnings": [], "error": None}


@attrs.frozen
class Options:
    """Options of a scripted kind."""

    shared: bool = True

    @property
    def claims(self) -> list[Claim]:
        return [] if self.shared else [Claim("the only connection")]


def kinds_of(*drivers: Driver) -> Kinds:
    """One kind, ``scripted``, whose devices get these drivers in turn."""
    left = list(drivers)
    return {"scripted": lambda: Kind(Options, lambda *_: left.pop(0), "scripted")}


def scripted(count: int, extra: str = "") -> str:
    return "".join(
        f'[[device]]\nname = "d{n}"\nkind = "scripted"\ntimeout_s = 0.05\n{extra}\n'
        for n in range(1, count + 1)
    )


def examined(tree: Tree, config: str, **parts: Any) -> list[Finding]:
    case = case_of(tree, config, clock=SystemClock(), **parts)
    return list(check_devices(case, never))


def say(folder: Path, clock: SystemClock, *devices: dict[str, Any], **facts: Any) -> dict[str, str]:
    """Let this process be the agent that runs on the data; the environment that finds it."""
    environ = {"RUNTIME_DIRECTORY": str(folder / "run")}
    state = {"pid": os.getpid(), "now_ms": clock.now_ms(), "devices": list(devices)}
    StateFile(folder / "data", environ).write({**state, **facts})
    return environ


def test_devices_that_answer_are_ok_with_what_they_said(tree: Tree) -> None:
    with S7Simulator() as plc:
        (finding,) = examined(tree, s7_device("plc", int(plc.address.rpartition(":")[2])))

    assert finding.level is Level.OK
    assert finding.text.startswith("plc: 2 values in ")
    assert finding.details


def test_a_device_that_refuses_is_a_problem_with_the_next_step(tree: Tree) -> None:
    with S7Simulator() as plc:
        port = int(plc.address.rpartition(":")[2])

    (finding,) = examined(tree, s7_device("plc", port))

    assert finding.level is Level.PROBLEM
    assert f"127.0.0.1:{port}: connection refused" in finding.text
    assert "agent read plc" in finding.fix


def test_a_silent_device_ends_at_its_time_out(tree: Tree) -> None:
    with S7Simulator() as plc:
        plc.set_fault("silent")
        port = int(plc.address.rpartition(":")[2])

        (finding,) = examined(tree, s7_device("plc", port, timeout_s=0.2))

    assert finding.level is Level.PROBLEM
    assert "ping 127.0.0.1" in finding.fix


def test_warnings_of_a_device_are_warnings(tree: Tree) -> None:
    driver = ScriptedDriver({"level": 1.0, "mode": None})
    driver.warned = ["tag 'x' can't be read"]

    found = examined(tree, scripted(1), kinds=kinds_of(driver))

    assert [str(each.level) for each in found] == ["ok", "warning"]
    assert "2 values, 1 of them without a valid value" in found[0].text
    assert found[1].text == "d1: tag 'x' can't be read"
    assert (driver.reads, driver.closes) == (1, 1)


def test_a_bug_in_a_driver_costs_its_device_alone(tree: Tree) -> None:
    drivers = (ScriptedDriver(ZeroDivisionError("oh")), ScriptedDriver({"level": 1.0}))

    found = examined(tree, scripted(2), kinds=kinds_of(*drivers))

    assert [str(each.level) for each in found] == ["problem", "ok"]
    assert "ZeroDivisionError: oh" in found[0].text


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_driver_that_hangs_is_given_up_and_the_others_are_read(
    tree: Tree, gate: threading.Event
) -> None:
    def hang() -> dict[str, Any]:
        gate.wait(60)
        return {"level": 1.0}

    drivers = (ScriptedDriver(hang), ScriptedDriver({"level": 1.0}))

    found = examined(tree, scripted(2), kinds=kinds_of(*drivers))

    assert [str(each.level) for each in found] == ["problem", "ok"]
    assert "d1: no end of reading it after its time-out of 0.05 s" in found[0].text


def test_devices_are_read_side_by_side(tree: Tree) -> None:
    meeting = threading.Barrier(8, timeout=30)

    def meet() -> dict[str, Any]:
        meeting.wait()
        return {"level": 1.0}

    found = examined(tree, scripted(8), kinds=kinds_of(*(ScriptedDriver(meet) for _ in range(8))))

    assert [str(each.level) for each in found] == ["ok"] * 8


def test_the_progress_of_reading_is_told(tree: Tree) -> None:
    told: list[tuple[int, int]] = []
    case = case_of(
        tree,
        scripted(2),
        clock=SystemClock(),
        kinds=kinds_of(*(ScriptedDriver({"level": 1.0}) for _ in range(2))),
    )

    list(check_devices(case, lambda done, total, _: told.append((done, total))))

    assert told[0] == (0, 2)
    assert told[-1] == (1, 2)


def test_what_the_running_agent_reads_well_is_not_read_again(tree: Tree, tmp_path: Path) -> None:
    clock, driver = SystemClock(), ScriptedDriver({"level": 1.0})
    known = {**ANY, "name": "d1", "is_well": True, "warnings": ["the battery is low"]}
    environ = say(tmp_path, clock, known)

    found = examined(tree, scripted(1), kinds=kinds_of(driver), environ=environ)

    assert driver.reads == 0
    assert [(str(each.level), each.text) for each in found] == [
        ("ok", "d1: 12 values, a poll takes 3 ms, as the running agent says"),
        ("warning", "d1: the battery is low"),
    ]


def test_what_the_running_agent_can_not_read_is_read_where_a_second_connection_is_harmless(
    tree: Tree, tmp_path: Path
) -> None:
    clock = SystemClock()
    shared, alone = ScriptedDriver({"level": 1.0}), ScriptedDriver({"level": 1.0})
    ill = {**ANY, "is_well": False, "error": "no answer", "reason": "timeout"}
    environ = say(tmp_path, clock, {**ill, "name": "d1"}, {**ill, "name": "d2"})
    config = scripted(2) + "shared = false\n"

    found = examined(tree, config, kinds=kinds_of(shared, alone), environ=environ)

    assert (shared.reads, alone.reads) == (1, 0)
    assert sorted(levels(iter(found))) == [
        ("ok", next(each.text for each in found if each.level is Level.OK)),
        ("problem", "d2: no answer; as the running agent says, which tries it again"),
    ]


def test_a_heat_pump_has_no_second_connection_while_an_agent_without_a_word_runs(
    tree: Tree, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    lock = DataLock(tmp_path / "data")
    with LuxtronikSimulator() as pump:
        host, _, port = pump.address.rpartition(":")
        config = f'[[device]]\nname = "pump"\nkind = "luxtronik"\nhost = "{host}"\nport = {port}\n'
        lock.hold()
        try:
            (finding,) = examined(tree, config)
        finally:
            lock.release()
        connections = pump.connections

    assert connections == 0
    assert (finding.level, finding.fix[:17]) == (Level.NOTE, "sudo agent doctor")


@pytest.mark.parametrize(
    "words", [{}, {"devices": None}, {"devices": [1, {}, {"name": 5}]}, {"now_ms": "x"}]
)
def test_an_agent_of_another_version_may_say_anything(
    tree: Tree, tmp_path: Path, words: dict[str, Any]
) -> None:
    driver = ScriptedDriver({"level": 1.0})
    environ = say(tmp_path, SystemClock(), **words)

    found = examined(tree, scripted(1), kinds=kinds_of(driver), environ=environ)

    assert [str(each.level) for each in found] == ["ok"]


def test_an_agent_that_says_nothing_any_more_may_hang(tree: Tree, tmp_path: Path) -> None:
    environ = say(tmp_path, SystemClock(), now_ms=1_000)

    found = examined(
        tree, scripted(1), kinds=kinds_of(ScriptedDriver({"level": 1.0})), environ=environ
    )

    assert "it may hang" in found[0].text


def test_errors_name_the_reason_for_the_next_step(tree: Tree) -> None:
    reasons = [*Reason]
    drivers = [ScriptedDriver(DeviceError("it is so", reason)) for reason in reasons]

    found = examined(tree, scripted(len(reasons)), kinds=kinds_of(*drivers))

    assert [each.level for each in found] == [Level.PROBLEM] * len(reasons)
    assert all(f"agent read d{n}" in each.fix for n, each in enumerate(found, 1))


def test_without_a_configuration_no_device_is_read(tree: Tree) -> None:
    case: Case = case_of(tree)

    assert levels(check_devices(case, never)) == [
        ("note", "none is read without a sound configuration")
    ]


def test_without_a_configuration_there_is_what_the_running_agent_says(
    tree: Tree, tmp_path: Path
) -> None:
    well = {**ANY, "name": "d1", "is_well": True}
    ill = {**ANY, "name": "d2", "is_well": False, "error": "no answer"}
    environ = say(tmp_path, SystemClock(), well, ill)

    found = examined(tree, "[agent]\nfault = 1\n", environ=environ)

    assert levels(iter(found)) == [
        ("ok", "d1: 12 values, as the running agent says"),
        ("problem", "d2: no answer; as the running agent says"),
    ]
