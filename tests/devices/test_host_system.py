"""Memory, file systems, disks and network from texts and trees that are known."""

import os
from pathlib import Path

import pytest

from agent.devices.host.disks import (
    Disks,
    mount_word,
    parse_diskstats,
    parse_mounts,
    space_of,
)
from agent.devices.host.files import Files
from agent.devices.host.system import Memory, Network, parse_meminfo, parse_net_dev, parse_uptime
from hw_sim.host import HostTree


@pytest.fixture
def tree(tmp_path: Path) -> HostTree:
    tree = HostTree(tmp_path, processes=0)
    tree.build()
    return tree


def disks(tree: HostTree) -> Disks:
    """The part that reads the disks of the tree."""
    return Disks(Files(), str(tree.proc), str(tree.sys))


def network(tree: HostTree, virtual: bool = False) -> Network:
    """The part that reads the network of the tree."""
    return Network(Files(), str(tree.proc), str(tree.sys), virtual)


def test_memory_is_what_the_kernel_says(tree: HostTree) -> None:
    assert Memory(Files(), str(tree.proc)).read() == {
        "memory_total_bytes": 3_884_000 * 1024,
        "memory_available_bytes": 3_000_000 * 1024,
        "memory_used_pct": 22.8,
        "swap_total_bytes": 102_400 * 1024,
        "swap_used_bytes": 25_600 * 1024,
        "uptime_s": 1000.0,
    }


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"", []),
        (b"MemTotal: 100 kB\n", ["memory_total_bytes"]),
        (b"MemTotal: 0 kB\nMemAvailable: 0 kB\n", ["memory_total_bytes", "memory_available_bytes"]),
        (b"MemTotal: " + b"9" * 99 + b" kB\n", []),
        (b"MemTotal: -4 kB\nSwapTotal: 4 kB\n", []),
    ],
)
def test_memory_that_is_not_known_is_left_out(content: bytes, names: list[str]) -> None:
    assert list(parse_meminfo(content)) == names


@pytest.mark.parametrize("content", [b"", b"\n", b"nan 1", b"inf", b"-1 1", b"x", b"9" * 900])
def test_an_uptime_is_finite_or_none(content: bytes) -> None:
    uptime_s = parse_uptime(content)

    assert uptime_s is None or uptime_s < 1e65


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ("/", "root"),
        ("/boot", "boot"),
        ("/boot/firmware", "boot_firmware"),
        ("/srv/data1/x", "srv_data1_x"),
    ],
)
def test_a_plain_mount_point_is_its_path(point: str, expected: str) -> None:
    assert mount_word(point) == expected


def test_every_mount_point_has_a_name_of_its_own() -> None:
    points = [
        *("/", "/root", "/a/b", "/a_b", "/a-b", "/a b", "/a__b", "/A/b", "/a/b_", "/_a/b", "/ä"),
        *("/mnt/disk", "/mnt/Disk", "/mnt/disk.1", "/mnt/disk/1", "/-", "/ ", "/\udcff"),
    ]

    names = [mount_word(point) for point in points]

    assert len(set(names)) == len(points)
    assert all(name.isascii() and name.replace("_", "a").isalnum() for name in names)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"/dev/sda1 / ext4 rw 0 0\n", ["/"], id="local"),
        pytest.param(b"/dev/sda1 /my\\040disk ext4 rw 0 0\n", ["/my disk"], id="escaped"),
        pytest.param(b"srv:/x /mnt nfs4 rw 0 0\n//srv/x /cifs cifs rw 0 0\n", [], id="network"),
        pytest.param(b"tmpfs /run tmpfs rw 0 0\nproc /proc proc rw 0 0\n", [], id="no device"),
        pytest.param(b"/dev/sdb1 /usb fuseblk rw 0 0\n", [], id="FUSE may hang"),
        pytest.param(b"/dev/loop3 /snap/x squashfs ro 0 0\n", [], id="image"),
        pytest.param(
            b"/dev/sda1 /srv/long ext4 rw 0 0\n/dev/sda1 / ext4 rw 0 0\n", ["/"], id="mounted twice"
        ),
        pytest.param(
            b"/dev/sda1 /mnt ext4 rw 0 0\nsrv:/x /mnt nfs4 rw 0 0\n", [], id="hidden by another"
        ),
        pytest.param(b"garbage\n\xff\xfe\n/dev/sda1 relative ext4 rw\n", [], id="garbage"),
        pytest.param(b"/dev/sda1 /a\\000b ext4 rw 0 0\n", [], id="no path"),
    ],
)
def test_file_systems_are_local_and_each_counts_once(content: bytes, expected: list[str]) -> None:
    assert parse_mounts(content) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ((4096, 1000, 500, 500), (4_096_000, 2_048_000, 50.0)),
        ((4096, 1000, 0, 0), (4_096_000, 0, 100.0)),
        ((4096, 0, 0, 0), None),
        ((2**40, 2**40, 1, 1), None),
    ],
)
def test_space_is_as_df_has_it(
    state: tuple[int, int, int, int], expected: tuple[int, int, float] | None
) -> None:
    assert space_of(*state) == expected


def test_a_file_system_is_measured_where_it_is_mounted(tree: HostTree) -> None:
    root = os.statvfs("/")
    tree.mounts = (("/dev/mmcblk0p2", "/", "ext4"), ("/dev/sdx", "/nowhere/at/all", "ext4"))
    tree.refresh()

    values = disks(tree).read()

    assert [name for name in values if name.startswith("disk_root")] == [
        *("disk_root_total_bytes", "disk_root_free_bytes", "disk_root_used_pct")
    ]
    assert values["disk_root_total_bytes"] == root.f_blocks * root.f_frsize
    assert not [name for name in values if "nowhere" in name]


def test_a_single_file_that_is_mounted_is_no_file_system(tree: HostTree) -> None:
    tree.mounts = (("/dev/sdx", str(tree.proc / "stat"), "ext4"),)
    tree.refresh()

    assert not [name for name in disks(tree).read() if name.endswith("total_bytes")]


def test_what_is_unmounted_is_absent_from_the_next_read_on(tree: HostTree) -> None:
    part = disks(tree)
    before = part.read()
    tree.mounts = ()
    tree.refresh()

    after = part.read()

    assert [name for name in before if name.endswith("used_pct")]
    assert not [name for name in after if name.endswith("used_pct")]


def test_only_whole_disks_with_hardware_are_counted(tree: HostTree) -> None:
    tree.mounts = ()
    tree.refresh()

    assert disks(tree).read() == {
        "disk_mmcblk0_read_bytes": 20_000 * 512,
        "disk_mmcblk0_written_bytes": 8_000 * 512,
    }


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"8 0 sda 1 2 3\n",
        b"8 0 sda 1 2 x 4 5 6 7 8\n",
        b"8 0 sda 1 2 " + b"9" * 18 + b" 4 5 6 7 8\n",
    ],
)
def test_what_is_no_disk_is_left_out(content: bytes) -> None:
    assert list(parse_diskstats(content)) == []


def test_only_interfaces_with_hardware_are_counted(tree: HostTree) -> None:
    assert network(tree).read() == {
        "net_eth0_received_bytes": 5_000_000,
        "net_eth0_sent_bytes": 700_000,
    }


def test_virtual_interfaces_are_counted_when_asked_for_but_never_lo(tree: HostTree) -> None:
    names = list(network(tree, virtual=True).read())

    assert [name for name in names if name.endswith("sent_bytes")] == [
        *("net_eth0_sent_bytes", "net_veth12ab_sent_bytes")
    ]


def test_an_interface_that_goes_is_absent_and_still_announced(tree: HostTree) -> None:
    part = network(tree)
    part.read()
    del tree.traffic["eth0"]
    tree.refresh()

    assert part.read() == {}
    assert [metric.name for metric in part.metrics] == [
        *("net_eth0_received_bytes", "net_eth0_sent_bytes")
    ]


def test_interfaces_whose_names_read_alike_are_told_apart(tree: HostTree) -> None:
    tree.traffic = {"eth0.1": (1, 2), "eth0_1": (3, 4)}
    tree.refresh()

    values = network(tree, virtual=True).read()

    assert sorted(values.values(), key=str) == [1, 2, 3, 4]
    assert values["net_eth0_1_received_bytes"] == 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"eth0: 1 2 3\n",
        b": 1 2 3 4 5 6 7 8 9\n",
        b"eth0: x 2 3 4 5 6 7 8 9\n",
        b"eth0: " + b"9" * 30 + b" 2 3 4 5 6 7 8 9\n",
    ],
)
def test_what_is_no_interface_is_left_out(content: bytes) -> None:
    assert list(parse_net_dev(content)) == []
