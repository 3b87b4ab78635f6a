"""Memory of the machine, and whether the kernel had to end programs for want of it."""

import re
from collections.abc import Iterator

from agent.console.table import size_text
from agent.doctor.case import Case
from agent.doctor.finding import Finding, note, ok, warning
from agent.doctor.machine import Machine
from agent.words import counted

LITTLE_KB = 64 * 1024  # the agent needs less; so much keeps the system from reading programs anew


def check_memory(case: Case) -> Iterator[Finding]:
    """What is free now, and what happened since the machine started."""
    machine = case.machine
    names = ("MemTotal", "MemAvailable")
    total, available = (_number(machine, "/proc/meminfo", name) for name in names)
    if total is None or available is None:
        yield note("how much memory is free can't be seen")
    else:
        text = f"{size_text(available * 1024)} of {size_text(total * 1024)} available"
        if available < LITTLE_KB:
            yield warning(text, "see what needs it: ps aux --sort -rss | head")
        else:
            yield ok(f"{text}{_of_agent(case)}")
    killed = _number(machine, "/proc/vmstat", "oom_kill")
    if killed:
        text = f"the kernel ended {counted(killed, 'program')} for want of memory"
        yield warning(f"{text} since the machine started", "see: journalctl -k | grep -i oom")


def _of_agent(case: Case) -> str:
    pid = case.running.get("pid") if case.running is not None else None
    size_kb = _number(case.machine, f"/proc/{pid}/status", "VmRSS") if pid else None
    return f"; the running agent has {size_text(size_kb * 1024)}" if size_kb else ""


def _number(machine: Machine, path: str, name: str) -> int | None:
    """The number behind a name in a table of the kernel; sizes are in kB."""
    found = re.search(rf"^{name}:?\s+(\d+)", machine.text(path), re.MULTILINE | re.ASCII)
    return int(found[1]) if found else None
