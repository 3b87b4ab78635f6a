"""The texts that a kernel shows in ``/proc``, as proc(5) has them."""

from collections.abc import Iterable, Mapping, Sequence


def stat_text(cores: Mapping[int, Sequence[int]]) -> str:
    """``/proc/stat`` from the ten counters of each core that is online."""
    total = [sum(column) for column in zip(*cores.values(), strict=True)]
    lines = ["cpu  " + " ".join(map(str, total))]
    lines += [f"cpu{core} " + " ".join(map(str, counters)) for core, counters in cores.items()]
    return "\n".join([*lines, "intr 119934 0 0 7", "ctxt 234139", "btime 1700000000", ""])


def pid_stat_text(pid: int, name: str, ticks: int, start: int, rss_pages: int) -> str:
    """``/proc/PID/stat``; a quarter of the ticks are the kernel's."""
    before = f"S 1 {pid} {pid} 0 -1 4194560 900 0 0 0"
    after = f"0 0 20 0 1 0 {start} 9854976 {rss_pages} 18446744073709551615"
    tail = " ".join(["0"] * 27)
    return f"{pid} ({name}) {before} {ticks - ticks // 4} {ticks // 4} {after} {tail}\n"


def meminfo_text(total_kb: int, available_kb: int) -> str:
    """``/proc/meminfo`` with 100 MiB of swap, a quarter of it in use."""
    sizes = {
        "MemTotal": total_kb,
        "MemFree": available_kb // 2,
        "MemAvailable": available_kb,
        "Buffers": 28_000,
        "Cached": available_kb // 3,
        "SwapCached": 0,
        "SwapTotal": 102_400,
        "SwapFree": 76_800,
    }
    lines = [f"{name}:".ljust(16) + f"{size:8} kB\n" for name, size in sizes.items()]
    return "".join([*lines, "HugePages_Total:       0\n"])


def net_dev_text(traffic: Mapping[str, tuple[int, int]]) -> str:
    """``/proc/net/dev`` from bytes received and sent."""
    head = "Inter-|   Receive  |  Transmit\n face |bytes packets errs |bytes packets errs\n"
    lines = [
        f"{name:>6}: {r} 3 0 0 0 0 0 0 {s} 2 0 0 0 0 0 0\n" for name, (r, s) in traffic.items()
    ]
    return head + "".join(lines)


def diskstats_text(sectors: Mapping[str, tuple[int, int]]) -> str:
    """``/proc/diskstats`` from sectors read and written."""
    return "".join(
        f" 179 {minor:7} {name} 295 79 {read} 71 228 17 {written} 15 0 33 88 0 0 0 0 4 2\n"
        for minor, (name, (read, written)) in enumerate(sectors.items())
    )


def mounts_text(mounts: Iterable[tuple[str, str, str]]) -> str:
    """``/proc/mounts`` from device, path and type."""
    lines = []
    for device, path, kind in mounts:
        escaped = path.replace("\\", "\\134").replace(" ", "\\040").replace("\t", "\\011")
        lines.append(f"{device} {escaped} {kind} rw,relatime 0 0\n")
    return "".join(lines)
