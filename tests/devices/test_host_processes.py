"""The busiest processes, from trees of files with known ticks and from real ones."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from agent.devices.host.processes import Processes, parse_pid_stat
from hw_sim.host import HostTree

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
HZ = os.sysconf("SC_CLK_TCK")
MEMORY_BYTES = 1_000_000 * PAGE_BYTES


@pytest.fixture
def tree(tmp_path: Path) -> HostTree:
    tree = HostTree(tmp_path, processes=0)
    for name in ("init", "python3", "top", "idle"):
        tree.spawn(name)
    tree.build()
    return tree


def test_slots_are_in_the_order_of_cpu_then_pid(tree: HostTree) -> None:
    part = Processes(str(tree.proc), 4, False)
    part.read(100.0, MEMORY_BYTES)
    tree.processes[3].ticks += 10 * HZ
    tree.processes[2].ticks += HZ
    tree.processes[2].rss_pages = 12_345
    tree.refresh()

    values = part.read(105.0, MEMORY_BYTES)

    assert values == {
        "process1_pid": 3,
        "process1_name": "top",
        "process1_cpu": 200.0,
        "process1_mem": 0.1,
        "process2_pid": 2,
        "process2_name": "python3",
        "process2_cpu": 20.0,
        "process2_mem": 1.23,
        "process3_pid": 1,
        "process3_name": "init",
        "process3_cpu": 0.0,
        "process3_mem": 0.1,
        "process4_pid": 4,
        "process4_name": "idle",
        "process4_cpu": 0.0,
        "process4_mem": 0.1,
    }


def test_slots_without_a_process_are_none(tree: HostTree) -> None:
    values = Processes(str(tree.proc), 6, True).read(100.0, MEMORY_BYTES)

    assert len(values) == 30
    assert values["process4_pid"] == 4
    assert {values[f"process{slot}_{key}"] for slot in (5, 6) for key in ("pid", "cmdline")} == {
        None
    }


def test_none_asked_for_are_none_looked_for() -> None:
    part = Processes("/nowhere", 0, False)

    assert part.read(1.0, 1) == {}
    assert list(part.metrics) == []


def test_a_process_that_has_started_since_is_counted_from_its_start(tree: HostTree) -> None:
    part = Processes(str(tree.proc), 1, False)
    part.read(100.0, MEMORY_BYTES)
    tree.spawn("new").ticks = HZ
    tree.refresh()

    values = part.read(110.0, MEMORY_BYTES)

    assert (values["process1_name"], values["process1_cpu"]) == ("new", 10.0)


def test_a_pid_that_was_given_again_is_another_process(tree: HostTree) -> None:
    tree.processes[4].ticks = 50 * HZ
    tree.refresh()
    part = Processes(str(tree.proc), 1, False)
    part.read(100.0, MEMORY_BYTES)
    tree.end(4)
    tree.uptime_s += 8
    successor = tree.spawn("next")
    successor.ticks = 51 * HZ
    tree.refresh()

    values = part.read(200.0, MEMORY_BYTES)

    assert (values["process1_pid"], values["process1_cpu"]) == (4, 51.0)


def test_a_process_that_has_ended_leaves_the_list(tree: HostTree) -> None:
    part = Processes(str(tree.proc), 4, False)
    part.read(100.0, MEMORY_BYTES)
    tree.end(2)

    values = part.read(105.0, MEMORY_BYTES)

    assert [values[f"process{slot}_pid"] for slot in range(1, 5)] == [1, 3, 4, None]


@pytest.mark.parametrize(("before", "now"), [(None, 5.0), (5.0, None), (5.0, 5.0), (5.0, 4.0)])
def test_without_time_between_two_reads_cpu_is_none(
    tree: HostTree, before: float | None, now: float | None
) -> None:
    part = Processes(str(tree.proc), 1, False)
    part.read(before, MEMORY_BYTES)

    values = part.read(now, MEMORY_BYTES)

    assert (values["process1_pid"], values["process1_cpu"]) == (1, None)


def test_without_the_size_of_memory_its_share_is_none(tree: HostTree) -> None:
    assert Processes(str(tree.proc), 1, False).read(1.0, None)["process1_mem"] is None


def test_command_lines_are_read_only_when_asked_for(tree: HostTree) -> None:
    tree.processes[1].command_line = ("/sbin/init", "--key", "a b")
    tree.processes[2].command_line = ()
    tree.refresh()
    tree.remove("proc/3/cmdline")

    without = Processes(str(tree.proc), 3, False).read(1.0, MEMORY_BYTES)
    values = Processes(str(tree.proc), 3, True).read(1.0, MEMORY_BYTES)

    assert not [name for name in without if name.endswith("cmdline")]
    assert values["process1_cmdline"] == "/sbin/init --key a b"
    assert values["process2_cmdline"] == ""
    assert values["process3_cmdline"] is None


def test_names_and_command_lines_have_no_control_characters(tree: HostTree) -> None:
    tree.processes[1].name = "\x1b[2J\ttop"
    tree.processes[1].command_line = ("\x1b]0;x\x07", "\n")
    tree.refresh()

    values = Processes(str(tree.proc), 1, True).read(1.0, MEMORY_BYTES)

    assert values["process1_name"] == "?[2J?top"
    assert values["process1_cmdline"] == "?]0;x? ?"


def test_what_is_not_a_process_is_passed_over(tree: HostTree) -> None:
    tree.write("proc/77", "a file")
    tree.write("proc/78/stat/inner", "a folder")
    tree.write("proc/79/other", "no stat")
    tree.write("proc/1234567890/stat", "1234567890 (long) " + "0 " * 30)
    tree.write("proc/\u0663x/stat", "3 (x) " + "0 " * 30)

    values = Processes(str(tree.proc), 6, False).read(1.0, MEMORY_BYTES)

    assert [values[f"process{slot}_pid"] for slot in range(1, 7)] == [1, 2, 3, 4, None, None]


@pytest.mark.parametrize("name", ["a b", "a) S 1 2", "(", ")", "()", "", "a\nb", "\xff"])
def test_a_name_may_hold_anything(name: str) -> None:
    content = f"7 ({name}) S 1 7 7 0 -1 0 0 0 0 0 5 3 0 0 20 0 1 0 99 4096 25 0".encode()

    stat = parse_pid_stat(content)

    assert stat == (name.encode(), 8, b"99", 25)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"7 (a", id="cut in the name"),
        pytest.param(b"7 (a) S 1 7 7 0 -1 0 0 0 0 0 5 3 0 0 20 0 1 0 99 4096", id="cut short"),
        pytest.param(b"7 a S 1 7 7 0 -1 0 0 0 0 0 5 3 0 0 20 0 1 0 99 4096 25 0 1 2", id="no name"),
        pytest.param(b"7 (a) S 1 7 7 0 -1 0 0 0 0 0 x 3 0 0 20 0 1 0 99 4096 25 0", id="letters"),
        pytest.param(b"7 (a) S 1 7 7 0 -1 0 0 0 0 0 -9 3 0 0 20 0 1 0 99 1 25 0", id="negative"),
        pytest.param(
            b"7 (a) S 1 7 7 0 -1 0 0 0 0 0 " + b"9" * 900 + b" 3 0 0 20 0 1 0 99 1 25 0", id="huge"
        ),
    ],
)
def test_what_is_no_stat_is_none(content: bytes) -> None:
    assert parse_pid_stat(content) is None


def test_pages_that_were_added_up_below_zero_are_none_at_all() -> None:
    stat = parse_pid_stat(b"7 (a) S 1 7 7 0 -1 0 0 0 0 0 5 3 0 0 20 0 1 0 99 4096 -3 0")

    assert stat is not None
    assert stat.rss_pages == 0


def test_a_child_is_seen_while_it_lives_and_its_file_is_closed_after() -> None:
    part = Processes("/proc", 100, False)
    part.read(1.0, MEMORY_BYTES)  # what comes after this counts from its start
    child = subprocess.Popen(
        [sys.executable, "-ISc", "x = sum(range(3000000)); print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()
        alive = part.read(2.0, MEMORY_BYTES)
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate()
    dead = part.read(3.0, MEMORY_BYTES)
    part.close()

    assert child.pid in alive.values()
    assert child.pid not in dead.values()


def test_beyond_a_quarter_of_the_files_allowed_none_is_kept_and_all_are_read() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are enough
    part = Processes("/proc", 100, False)
    earlier = set(psutil.pids())
    resource.setrlimit(resource.RLIMIT_NOFILE, (before + 40, hard))
    try:
        values = part.read(1.0, MEMORY_BYTES)
        kept = len(os.listdir("/proc/self/fd")) - before  # noqa: PTH208
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    part.close()

    there_all_the_time = earlier & set(psutil.pids())
    assert 0 < kept <= (before + 40) // 4
    # With fewer processes than slots some slots are empty; none of those there may be left out.
    named = sum(values[f"process{slot}_pid"] is not None for slot in range(1, 101))
    assert named >= min(100, len(there_all_the_time))


def test_files_of_a_real_proc_stay_open_and_ordinary_ones_do_not(tree: HostTree) -> None:
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are enough

    before = open_files()
    real, simulated = Processes("/proc", 1, False), Processes(str(tree.proc), 1, False)
    simulated.read(1.0, 1)
    after_simulated = open_files()
    real.read(1.0, 1)
    after_real = open_files()
    real.close()

    assert after_simulated == before
    assert after_real > before
    assert open_files() == before
