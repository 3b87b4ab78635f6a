"""Memory, supply, network, versions and the start of the one file in the check-up."""

import os
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.clock import SystemClock
from agent.doctor.finding import Level
from agent.doctor.machine import Machine, run_program
from agent.doctor.memory import check_memory
from agent.doctor.network import check_network, host_of
from agent.doctor.power import check_power
from agent.doctor.temporary import check_temporary
from agent.doctor.versions import check_versions
from agent.service.build import BUILD_FILE
from tests.doctor.machines import Tree, bad, case_of, levels

HOST = '[[device]]\nname = "host"\nkind = "host"\n'
ROUTE = (
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    "eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
)
ROUTE6 = (
    f"{'0' * 32} 00 {'0' * 32} 00 fe80{'0' * 27}1 00000064 00000001 00000000 00000003 wlan0\n"
    f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 00000001 00000000 00200200 lo\n"
)
GET_THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"


def json_device(name: str, host: str) -> str:
    """A device in the network."""
    return f'[[device]]\nname = "{name}"\nkind = "json"\nurl = "http://{host}/x"\n'


def meminfo(total: int, available: int) -> str:
    return f"MemTotal: {total} kB\nMemFree: 1 kB\nMemAvailable: {available} kB\n"


def test_memory_is_judged_by_what_is_available(tree: Tree) -> None:
    tree.write("proc/meminfo", meminfo(1_000_000, 700_000))
    plenty = levels(check_memory(case_of(tree, HOST)))
    tree.write("proc/meminfo", meminfo(500_000, 30_000))
    little = levels(check_memory(case_of(tree, HOST)))

    assert plenty == [("ok", "717 MB of 1.0 GB available")]
    assert little == [("warning", "30.7 MB of 512 MB available")]


def test_programs_that_the_kernel_ended_are_counted(tree: Tree) -> None:
    tree.write("proc/vmstat", "nr_free_pages 5\noom_kill 2\n")

    (finding,) = bad(check_memory(case_of(tree, HOST)))

    assert finding.text.startswith("the kernel ended 2 programs for want of memory")


def test_memory_that_can_not_be_seen_is_a_note(tree: Tree) -> None:
    assert [level for level, _ in levels(check_memory(case_of(tree, HOST)))] == ["note"]


@pytest.mark.parametrize(
    ("bits", "found"),
    [
        ("0", [("ok", "the supply voltage is right")]),
        ("50005", [("warning", "the supply voltage is too low now"), ("warning", "the processor")]),
        ("0x50000", [("warning", "the supply voltage was too low since the last start")]),
        ("80008", [("ok", "the supply voltage is right"), ("warning", "the processor")]),
        ("what?", []),
    ],
)
def test_the_firmware_of_a_raspberry_pi_tells_of_its_supply(
    tree: Tree, bits: str, found: list[tuple[str, str]]
) -> None:
    tree.write(GET_THROTTLED, f"{bits}\n")

    told = levels(check_power(case_of(tree, HOST)))

    pairs = zip(told, found, strict=True)
    assert [(level, text[: len(part)]) for (level, text), (_, part) in pairs] == found


@pytest.mark.parametrize(("alarm", "level"), [("0", "ok"), ("1", "warning")])
def test_the_sensor_of_the_kernel_tells_of_it_too(tree: Tree, alarm: str, level: str) -> None:
    tree.write("sys/class/hwmon/hwmon0/name", "cpu_thermal\n")
    tree.write("sys/class/hwmon/hwmon1/name", "rpi_volt\n")
    tree.write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", f"{alarm}\n")

    assert [each for each, _ in levels(check_power(case_of(tree, HOST)))] == [level]


def test_a_machine_without_such_a_sensor_has_no_line_for_it(tree: Tree) -> None:
    assert levels(check_power(case_of(tree, HOST))) == []


def test_the_way_out_is_named(tree: Tree) -> None:
    tree.write("proc/net/route", ROUTE)
    tree.write("proc/net/ipv6_route", ROUTE6)

    assert levels(check_network(case_of(tree, HOST))) == [
        ("ok", "the default route leads through eth0, wlan0")
    ]


def test_a_network_that_is_down_is_a_problem_for_who_needs_it(tree: Tree) -> None:
    tree.write("sys/class/net/eth0/operstate", "down\n")
    tree.write("sys/class/net/lo/operstate", "unknown\n")

    needed = levels(check_network(case_of(tree, json_device("a", "10.0.0.7"))))
    not_needed = levels(check_network(case_of(tree, HOST + json_device("a", "127.0.0.1"))))
    tree.write("sys/class/net/eth0/operstate", "up\n")
    own_only = levels(check_network(case_of(tree, json_device("a", "10.0.0.7"))))

    assert needed == [("problem", "of eth0 none is up")]
    assert not_needed == [("note", "no network is up; no configured device needs one")]
    assert [level for level, _ in own_only] == ["note"]


def test_names_of_devices_are_looked_up(tree: Tree) -> None:
    def resolve(name: str) -> Sequence[str]:
        if name == "plc.local":
            return ["10.0.0.7", "fd00::7"]
        raise OSError(-2, "Name or service not known")

    tree.write("proc/net/route", ROUTE)
    config = json_device("a", "plc.local") + json_device("b", "gone")

    found = levels(check_network(case_of(tree, config, resolve=resolve, clock=SystemClock())))

    assert found[1:] == [
        ("note", "the name gone is not known: [Errno -2] Name or service not known"),
        ("ok", "plc.local is 10.0.0.7, fd00::7"),
    ]


def test_hosts_come_from_host_and_url() -> None:
    options = [
        SimpleNamespace(host="plc"),
        SimpleNamespace(url="http://u:p@a.b:80/x"),
        SimpleNamespace(url="http://[x"),
        SimpleNamespace(host=5),
    ]

    assert [host_of(each) for each in options] == ["plc", "a.b", "", ""]


def test_versions_and_the_system_are_told(tree: Tree) -> None:
    tree.write("etc/os-release", 'PRETTY_NAME="Raspberry Pi OS 12"\nID=raspbian\n')
    tree.write("proc/device-tree/model", "Raspberry Pi 3\0")

    found = levels(check_versions(case_of(tree, HOST)))

    assert found[0][1].startswith("agent ")
    assert found[1][1].startswith("Raspberry Pi OS 12, kernel ")
    assert found[1][1].endswith("Raspberry Pi 3")


def test_a_program_of_32_bits_on_a_kernel_of_64_is_a_note(
    tree: Tree,
) -> None:
    found = levels(check_versions(case_of(tree, HOST, word_bits=32)))

    is_wide = os.uname().machine in ("x86_64", "aarch64")
    assert any("32 bits" in text for _, text in found) == is_wide


def test_a_program_that_unpacked_itself_onto_the_card_is_a_warning(
    tree: Tree, tmp_path: Path
) -> None:
    unpacked = tmp_path / "_MEI1"
    unpacked.mkdir()

    (on_card,) = levels(check_temporary(case_of(tree, HOST, unpacked=unpacked)))
    tree.mount(tmp_path, "tmpfs")
    (in_memory,) = levels(check_temporary(case_of(tree, HOST, unpacked=unpacked)))
    (installed,) = levels(check_temporary(case_of(tree, HOST, unpacked=Path("/x/_internal"))))

    assert on_card[0] == "warning"
    assert "on ext4 at /" in on_card[1]
    assert in_memory[0] == "ok"
    assert installed == ("ok", "this program runs from /x: it unpacks nothing")


def leave(tree: Tree, pid: int, file: str = BUILD_FILE) -> Path:
    """What a killed program of one file leaves."""
    return tree.write(f"tmp/_MEI{pid:08x}abcdef/{file}", "x").parent


def test_what_killed_agents_left_behind_is_told(tree: Tree) -> None:
    left, used, runs = (leave(tree, pid) for pid in (4711, 4712, 4713))
    leave(tree, 4714, "of_another_program")
    tree.write("tmp/_MEI1/lib.so", "no name that it gives")
    tree.write("proc/7/maps", f"7f00 r--p 00 fe:00 1   {used}/lib.so\n")
    tree.write("proc/4713/comm", "agent")

    found = list(check_temporary(case_of(tree, HOST, uid=os.getuid())))

    assert runs.is_dir()
    assert (found[-1].level, found[-1].text) == (
        Level.NOTE, f"a folder of killed agents, 1 B: {left}"
    )  # fmt: skip
    assert found[-1].fix.endswith(f"or by hand: rm -r {left}")


def test_of_many_folders_only_the_first_are_named_and_that_is_said(tree: Tree) -> None:
    folders = [leave(tree, pid) for pid in range(4711, 4738)]

    found = list(check_temporary(case_of(tree, HOST, uid=os.getuid())))

    assert found[-1].text.startswith("27 folders of killed agents, ")
    first = " ".join(map(str, folders[:3]))
    assert found[-1].fix.endswith(f"or by hand, the first 3: rm -r {first}")


def test_a_program_that_is_not_there_does_not_end_anything() -> None:
    assert run_program(["no-such-program-anywhere"], 1.0).code is None
    assert run_program(["/no/such/program"], 1.0).code is None
    assert run_program(["sleep", "60"], 0.05).code is None
    assert run_program(["true"], 10.0).code == 0


def test_the_machine_itself_can_be_looked_at() -> None:
    machine = Machine()

    assert machine.text("/proc/self/mountinfo")
    assert machine.text("/nonexistent") == ""
    assert machine.number("/proc/sys/kernel/pid_max") is not None
    assert machine.number("/proc/version") is None
