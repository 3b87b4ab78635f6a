"""The host driver over trees of files, and over this machine beside psutil."""

import os
from pathlib import Path

import psutil
import pytest

from agent.devices.host import KIND, Options
from agent.devices.host.driver import Host
from agent.errors import DeviceError
from agent.model import MetricType, Reason
from hw_sim.host import HostTree


def options(tree: HostTree, **changed: object) -> Options:
    """Options that read the tree."""
    return Options(**{"proc": str(tree.proc), "sys": str(tree.sys)} | changed)  # type: ignore[arg-type]


def host(tree: HostTree, **changed: object) -> Host:
    """A driver for the tree, in which 5 s pass in the first interval."""
    return Host(options(tree, **changed), 3.0, wait=lambda _: tree.step(5.0))


@pytest.fixture
def tree(tmp_path: Path) -> HostTree:
    tree = HostTree(tmp_path)
    tree.build()
    return tree


def test_the_names_that_users_know_come_first_and_in_order(tree: HostTree) -> None:
    driver = host(tree, processes=1)

    names = list(driver.read())

    assert names[:17] == [
        *("voltage", "current", "power", "battery_pct", "cpu_total", "cpu_freq"),
        *("load1", "load5", "load15"),
        *("core0_usage", "core1_usage", "core2_usage", "core3_usage"),
        *("process1_pid", "process1_name", "process1_cpu", "process1_mem"),
    ]


def test_what_is_read_is_what_metrics_announces(tree: HostTree) -> None:
    driver = host(tree, command_lines=True)

    values = driver.read()

    assert [metric.name for metric in driver.metrics] == list(values)


def test_values_have_the_types_that_metrics_announces(tree: HostTree) -> None:
    types = {
        MetricType.FLOAT: float,
        MetricType.INT: int,
        MetricType.BOOL: bool,
        MetricType.TEXT: str,
    }
    driver = host(tree, command_lines=True)

    values = driver.read()

    wrong = {
        metric.name: values[metric.name]
        for metric in driver.metrics
        if type(values[metric.name]) is not types[metric.type]
    }
    assert wrong == {}


def test_before_the_first_read_the_fixed_metrics_are_known_and_nothing_is_opened() -> None:
    driver = Host(Options(proc="/nowhere", sys="/nowhere", processes=1), 3.0)

    names = [metric.name for metric in driver.metrics]

    assert names[0] == "voltage"
    assert names[-1] == "process1_mem"
    assert driver.describe() == []


def test_the_first_sample_is_not_empty(tree: HostTree) -> None:
    values = host(tree).read()

    assert values["cpu_total"] is not None
    assert values["process1_cpu"] is not None


def test_the_rest_of_the_machine_is_found(tree: HostTree) -> None:
    values = host(tree, processes=0).read()

    rest = list(values)[13:]
    place = rest[6].removesuffix("_total_bytes")
    assert rest == [
        *("memory_total_bytes", "memory_available_bytes", "memory_used_pct"),
        *("swap_total_bytes", "swap_used_bytes", "uptime_s"),
        *(f"{place}_total_bytes", f"{place}_free_bytes", f"{place}_used_pct"),
        *("disk_mmcblk0_read_bytes", "disk_mmcblk0_written_bytes"),
        *("net_eth0_received_bytes", "net_eth0_sent_bytes"),
        *("temp_cpu_thermal_c", "temp_nvme_composite_c"),
        *("throttled", "throttled_under_voltage", "throttled_freq_capped"),
        *("throttled_now", "throttled_soft_temp_limit"),
        *("throttled_under_voltage_since_boot", "throttled_freq_capped_since_boot"),
        *("throttled_since_boot", "throttled_soft_temp_limit_since_boot"),
    ]


def test_what_is_turned_off_is_left_out(tree: HostTree) -> None:
    driver = host(tree, processes=0, disks=False, network=False, temperatures=False)

    values = driver.read()

    assert list(values)[-1] == "uptime_s"
    assert not [name for name in values if name.startswith("process")]


def test_describe_tells_what_was_found(tree: HostTree) -> None:
    driver = host(tree)
    driver.read()

    assert driver.describe() == [
        "battery BAT0",
        "4 cores online: 0, 1, 2, 3",
        "the 10 busiest processes",
        f"file systems {tree.root}",
        "disks mmcblk0",
        "network interfaces eth0; left out: lo, veth12ab",
        "temperatures temp_cpu_thermal_c, temp_nvme_composite_c",
        f"throttling from {tree.sys}/devices/platform/soc/soc:firmware/get_throttled",
    ]


def test_a_missing_proc_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    driver = Host(Options(proc=str(tmp_path), sys=str(tmp_path)), 3.0)

    with pytest.raises(DeviceError, match=f"reading {tmp_path}/stat: No such file") as caught:
        driver.read()

    assert caught.value.reason is Reason.UNREACHABLE


def test_a_read_that_takes_too_long_is_an_error(tree: HostTree) -> None:
    driver = Host(options(tree), 1e-9)

    with pytest.raises(DeviceError, match="reading this machine: no answer within") as caught:
        driver.read()

    assert caught.value.reason is Reason.TIMEOUT


def test_after_close_the_next_read_starts_afresh(tree: HostTree) -> None:
    driver = host(tree)
    driver.read()
    driver.close()
    driver.close()
    before = tree.uptime_s

    values = driver.read()

    assert values["uptime_s"] == before + 5.0
    assert values["cpu_total"] is not None


def test_after_close_sensors_are_looked_for_afresh(tree: HostTree) -> None:
    driver = host(tree)
    driver.read()
    tree.write("sys/class/hwmon/hwmon1/name", "other")

    driver.close()
    values = driver.read()

    assert "temp_other_composite_c" in values
    assert "temp_nvme_composite_c" not in [metric.name for metric in driver.metrics]


def test_close_leaves_no_file_open() -> None:
    before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are what is compared
    driver = Host(Options(), 3.0)
    driver.read()
    during = len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    driver.close()

    assert during > len(before)
    assert set(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


GARBAGE = pytest.mark.parametrize(
    "content", [b"", b"\xff\x00garbage \n" * 9, b"9" * 300_000, b"cpu nan\n"], ids=range(4)
)


@GARBAGE
def test_garbage_in_every_file_but_one_is_no_failure(tree: HostTree, content: bytes) -> None:
    driver = host(tree, command_lines=True)
    driver.read()
    for path in tree.root.rglob("*"):
        if path.is_file() and not path.is_symlink() and path != tree.proc / "stat":
            path.write_bytes(content)

    values = driver.read()

    assert values["voltage"] is None
    assert values["process1_pid"] is None
    assert "memory_total_bytes" not in values


@GARBAGE
def test_a_processor_that_can_not_be_read_is_a_failure(tree: HostTree, content: bytes) -> None:
    driver = host(tree)
    driver.read()
    (tree.proc / "stat").write_bytes(content)

    with pytest.raises(DeviceError, match="stat: wanted a line 'cpu' with counters, got"):
        driver.read()


def test_an_option_may_not_lead_out_of_its_folder() -> None:
    wrong = Options(power_supply="../BAT0", proc="proc")

    keys = [fault.key for fault in wrong.check()]

    assert keys == ["power_supply", "proc"]


def test_the_options_by_default_have_no_fault() -> None:
    assert list(Options().check()) == []
    assert (KIND.interval_s, KIND.min_interval_s, KIND.timeout_s) == (5.0, 1.0, 3.0)


def test_this_machine_is_read_as_psutil_reads_it() -> None:
    driver = Host(Options(processes=5), 3.0)

    values = driver.read()

    # The time of boot in /proc/stat is whole seconds, and moves when the clock is set.
    uptime_s = values["uptime_s"]
    cores = [name for name in values if name.startswith("core")]
    assert values["memory_total_bytes"] == psutil.virtual_memory().total
    assert values["swap_total_bytes"] == psutil.swap_memory().total
    assert len(cores) == psutil.cpu_count()
    assert isinstance(uptime_s, float)
    assert 0 <= float(Path("/proc/uptime").read_text().split()[0]) - uptime_s < 2
    driver.close()


def test_the_processes_of_this_machine_are_all_seen() -> None:
    before = set(psutil.pids())
    driver = Host(Options(processes=100), 3.0)

    values = driver.read()

    after = set(psutil.pids())
    slots = [values[f"process{slot}_pid"] for slot in range(1, 101)]
    found = {pid for pid in slots if pid is not None}
    assert len(found) == min(100, len(found | (before & after)))
    assert all(isinstance(pid, int) and pid > 0 for pid in found)
    driver.close()


def test_this_process_has_the_name_and_memory_that_psutil_gives_it() -> None:
    me = psutil.Process()
    # Uses CPU instead of waiting, so that it is among the 100 busiest.
    driver = Host(Options(processes=100), 3.0, wait=lambda _: sum(range(3_000_000)))

    values = driver.read()

    slots = {values[f"process{slot}_pid"]: slot for slot in range(1, 101)}
    slot = slots[me.pid]
    mem = values[f"process{slot}_mem"]
    assert str(values[f"process{slot}_name"]) == me.name()[:15]
    assert isinstance(mem, float)
    assert mem == pytest.approx(me.memory_percent(), abs=0.1)
    driver.close()
