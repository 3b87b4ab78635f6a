"""The clocks of this machine, and the deadline that steps share."""

import time
from pathlib import Path

import pytest

from agent.clock import Clock, Deadline, SystemClock, cpu_s
from tests.fakes import FakeClock


def test_both_clocks_of_a_stamp_are_of_one_moment() -> None:
    clock = SystemClock()
    before_ms, before_s = clock.now_ms(), clock.monotonic()

    stamp = clock.stamp()

    assert before_ms <= stamp.ts_ms <= clock.now_ms()
    assert int(before_s * 1000) <= stamp.monotonic_ms <= clock.monotonic() * 1000


def test_the_wall_clock_is_that_of_the_system() -> None:
    assert abs(SystemClock().now_ms() - time.time() * 1000) < 10_000


def test_the_boot_id_is_that_of_the_kernel_and_stays() -> None:
    clock = SystemClock()
    path = Path("/proc/sys/kernel/random/boot_id")

    assert clock.boot_id == clock.boot_id == SystemClock().boot_id
    assert not path.exists() or clock.boot_id == path.read_text("ascii").strip()


def test_the_kernel_says_whether_its_clock_is_right_or_nothing() -> None:
    assert SystemClock().is_synchronised() in (True, False, None)


def test_cpu_time_rises() -> None:
    before = cpu_s()
    sum(range(100_000))

    assert cpu_s() > before


def test_a_deadline_has_no_more_left_than_it_was_given() -> None:
    deadline = Deadline(30.0)

    first, second = deadline.left_s(), deadline.left_s()

    assert 0 < second <= first <= 30.0


@pytest.mark.parametrize("timeout_s", [0.0, -1.0])
def test_a_deadline_that_is_over_is_a_timeout(timeout_s: float) -> None:
    deadline = Deadline(timeout_s)

    with pytest.raises(TimeoutError, match=r"no answer within -?\d s"):
        deadline.left_s()


def test_the_fake_fits_the_contract_and_its_clocks_move_together() -> None:
    fake = FakeClock(1000, 5.0)
    clock: Clock = fake

    fake.advance(0.5)
    fake.set_wall(99)
    fake.advance(0.5)

    assert (clock.now_ms(), clock.monotonic(), clock.stamp().monotonic_ms) == (599, 6.0, 6000)
