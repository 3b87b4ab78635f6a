"""CPU figures from counters that are known."""

from pathlib import Path

import pytest

from agent.devices.host.cpu import Cpu, parse_loadavg, parse_stat, usage_pct
from agent.devices.host.files import Files
from agent.errors import DeviceError
from hw_sim.host import HostTree

#          user nice system idle iowait irq softirq steal
START = (1000, 100, 500, 9000, 400, 10, 20, 30)


def cpu(tree: HostTree) -> Cpu:
    """The part that reads the CPU of the tree."""
    return Cpu(Files(), str(tree.proc), str(tree.sys))


@pytest.fixture
def tree(tmp_path: Path) -> HostTree:
    tree = HostTree(tmp_path, processes=0, cores=2)
    tree.build()
    return tree


@pytest.mark.parametrize(
    ("passed", "expected"),
    [
        pytest.param((0, 0, 0, 500, 0, 0, 0, 0), 0.0, id="idle"),
        pytest.param((500, 0, 0, 0, 0, 0, 0, 0), 100.0, id="busy"),
        pytest.param((0, 0, 0, 0, 500, 0, 0, 0), 0.0, id="waiting for I/O is idle"),
        pytest.param((50, 25, 25, 300, 100, 0, 0, 0), 20.0, id="nice counts"),
        pytest.param((0, 0, 0, 75, 0, 5, 10, 10), 25.0, id="interrupts and steal count"),
        pytest.param((1, 0, 0, 2, 0, 0, 0, 0), 33.3, id="to a tenth"),
        pytest.param((100, 0, 0, 100, -50, 0, 0, 0), 50.0, id="iowait ran backwards"),
        pytest.param((0, 0, 0, 0, 0, 0, 0, 0), None, id="no time has passed"),
        pytest.param((-9, 0, 0, -9, 0, 0, 0, 0), None, id="all ran backwards"),
    ],
)
def test_usage_is_the_share_that_was_not_idle(
    passed: tuple[int, ...], expected: float | None
) -> None:
    now = tuple(a + b for a, b in zip(START, passed, strict=True))

    assert usage_pct(START, now) == expected


def test_time_of_guests_is_not_counted_twice() -> None:
    before = parse_stat(b"cpu 100 0 0 100 0 0 0 0 50 0\n")["cpu"]
    now = parse_stat(b"cpu 200 0 0 200 0 0 0 0 150 0\n")["cpu"]

    assert usage_pct(before, now) == 50.0


def test_all_cores_and_each_are_measured_since_the_previous_read(tree: HostTree) -> None:
    part = cpu(tree)
    part.read()
    tree.cores[0][0] += 30
    tree.cores[0][3] += 70
    tree.cores[1][2] += 10
    tree.cores[1][3] += 90
    tree.refresh()

    values = part.read()

    assert (values["cpu_total"], values["core0_usage"], values["core1_usage"]) == (20.0, 30.0, 10.0)


def test_the_first_read_has_no_usage(tree: HostTree) -> None:
    values = cpu(tree).read()

    assert (values["cpu_total"], values["core0_usage"]) == (None, None)


def test_a_core_that_is_offline_is_absent_and_keeps_its_number(tree: HostTree) -> None:
    part = cpu(tree)
    part.read()
    core = tree.cores.pop(0)
    tree.step()

    without = part.read()
    tree.cores = {0: core, 1: tree.cores[1]}
    tree.step()
    again = part.read()

    assert "core0_usage" not in without
    assert without["core1_usage"] is not None
    assert again["core0_usage"] is None
    assert [metric.name for metric in part.metrics][5:] == ["core0_usage", "core1_usage"]


def test_the_frequency_is_the_mean_of_the_cores_in_mhz(tree: HostTree) -> None:
    folder = "sys/devices/system/cpu"
    tree.remove(f"{folder}/cpu1/cpufreq")
    tree.write(f"{folder}/cpu1/cpufreq/scaling_cur_freq", "600000\n")

    assert cpu(tree).read()["cpu_freq"] == 1050.0


def test_the_frequency_follows_the_machine(tree: HostTree) -> None:
    part = cpu(tree)
    part.read()
    tree.write("sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", "600000\n")

    assert part.read()["cpu_freq"] == 600.0


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        ("processor : 0\ncpu MHz\t\t: 2000.5\nprocessor : 1\ncpu MHz\t\t: 1000.5\n", 1500.5),
        ("processor : 0\nBogoMIPS : 108.00\n", None),
        ("cpu MHz : 1.2.3\n", None),
    ],
)
def test_without_cpufreq_the_frequency_is_that_of_cpuinfo(
    tree: HostTree, cpuinfo: str, expected: float | None
) -> None:
    for core in (0, 1):
        tree.remove(f"sys/devices/system/cpu/cpu{core}/cpufreq")
    tree.write("proc/cpuinfo", cpuinfo)

    assert cpu(tree).read()["cpu_freq"] == expected


def test_without_the_file_it_is_an_error(tree: HostTree) -> None:
    tree.remove("proc/stat")

    with pytest.raises(DeviceError, match="proc/stat: No such file"):
        cpu(tree).read()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"", {}, id="empty"),
        pytest.param(b"garbage", {}, id="garbage"),
        pytest.param(b"cpu 1 2 3\n", {}, id="too short"),
        pytest.param(b"cpu 1 2 3 x\n", {}, id="not a number"),
        pytest.param(b"cpu 1 2 3 -4\n", {}, id="negative"),
        pytest.param(b"cpu 1 2 3 " + b"9" * 5000, {}, id="huge number"),
        pytest.param(b"cpu99999 1 2 3 4\n", {}, id="impossible core"),
        pytest.param(b"cpu\xb2 1 2 3 4\n", {}, id="not a core"),
        pytest.param(b"cpu 1 2 3 4\n", {"cpu": (1, 2, 3, 4, 0, 0, 0, 0)}, id="old kernel"),
        pytest.param(b"intr 1\ncpu 1 2 3 4\n", {}, id="after the cores"),
    ],
)
def test_what_is_not_a_counter_is_left_out(
    content: bytes, expected: dict[str, tuple[int, ...]]
) -> None:
    assert parse_stat(content) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"0.10 0.20 0.30 1/2 3\n", [0.1, 0.2, 0.3]),
        (b"1e999 nan -1 1/2 3\n", [None, None, None]),
        (b"0.5", [0.5, None, None]),
        (b"", [None, None, None]),
        (b"\xff " * 500, [None, None, None]),
    ],
)
def test_a_load_is_finite_or_none(content: bytes, expected: list[float | None]) -> None:
    assert list(parse_loadavg(content).values()) == expected
