"""The clock in the check-up."""

import pytest

from agent.doctor.clock import check_clock
from agent.doctor.finding import Level
from tests.doctor.machines import Tree, bad, case_of, levels
from tests.fakes import FakeClock

CONFIG = '[agent]\ntimezone = "Europe/Berlin"\n[[device]]\nname = "host"\nkind = "host"\n'


def clock_of(state: bool | None) -> FakeClock:
    clock = FakeClock()
    clock.synchronised = state
    return clock


def test_a_clock_that_is_kept_right_is_ok(tree: Tree) -> None:
    tree.write("proc/321/comm", "systemd-timesyn\n")

    assert levels(check_clock(case_of(tree, CONFIG))) == [
        ("ok", "the clock is synchronised by systemd-timesyncd"),
        ("ok", "2026-11-20 13:00 in the time zone Europe/Berlin, which reports are made in"),
    ]


def test_a_clock_that_was_never_set_is_a_problem(tree: Tree) -> None:
    found = bad(check_clock(case_of(tree, CONFIG, clock=FakeClock(86_400_000))))

    assert found[0].level is Level.PROBLEM
    assert found[0].text == "the clock says 1970-01-02: it was never set"


@pytest.mark.parametrize(
    ("process", "program", "part", "fix"),
    [
        ("chronyd", "", "though chrony runs", "chronyc sources"),
        ("", "usr/sbin/chronyd", "nothing runs here", "set-ntp true"),
        ("", "", "nothing runs here", "apt install"),
    ],
)
def test_a_clock_that_is_not_kept_right_says_what_to_do(
    tree: Tree, process: str, program: str, part: str, fix: str
) -> None:
    tree.write("proc/1/comm", process)
    if program:
        tree.write(program, "")

    (finding,) = bad(check_clock(case_of(tree, CONFIG, clock=clock_of(False))))

    assert part in finding.text
    assert fix in finding.fix


def test_a_container_has_the_clock_of_its_host(tree: Tree) -> None:
    tree.write("run/systemd/container", "lxc")

    (finding,) = bad(check_clock(case_of(tree, CONFIG, clock=clock_of(False))))

    assert finding.fix == "on the host: timedatectl"


def test_a_kernel_that_can_not_be_asked_is_a_note(tree: Tree) -> None:
    assert levels(check_clock(case_of(tree, CONFIG, clock=clock_of(None))))[0][0] == "note"


def test_a_raspberry_pi_without_a_clock_chip_is_a_note(tree: Tree) -> None:
    tree.write("proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0")
    tree.write("etc/fake-hwclock.data", "")

    without = levels(check_clock(case_of(tree, CONFIG)))
    tree.write("sys/class/rtc/rtc0/name", "rtc-ds1307")
    with_one = levels(check_clock(case_of(tree, CONFIG)))

    assert without[-1][1].startswith("Raspberry Pi 4 Model B Rev 1.4 has no clock chip")
    assert without[-1][1].endswith("fake-hwclock begins where it stopped")
    assert len(with_one) == len(without) - 1
