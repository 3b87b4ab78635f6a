"""Memory of the machine, and whether the kernel had to end programs for want of it."""

from collections.abc import Iterator

from agent.console.table import size_text
from agent.doctor.case import Case
from agent.doctor.finding import Finding, note, ok, warning
from agent.doctor.machine import Machine

LITTLE_KB = 64 * 1024  # the agent needs less; so much keeps the system from reading programs anew


def check_memory(case: Case) -> Iterator[Finding]:
    """What is free now, and what happened since the machine started."""
    machine = case.machine
    total, available = _kb(machine, "MemTotal"), _kb(machine, "MemAvailable")
    if total is None or available is None:
        yield note("how much memory is free can't be seen")
    else:
        text = f"{size_text(available * 1024)} of {size_text(total * 1024)} available"
        if available < LITTLE_KB:
            yield warning(text, "see what needs it: ps aux --sort -rss | head")
        else:
            yield ok(f"{text}{_of_agent(case)}")
    killed = _killed(machine)
    if killed:
        text = f"the kernel ended {killed} program{'s' if killed > 1 else ''} for want of memory"
        yield warning(f"{text} since the machine started", "see: journalctl -k | grep -i oom")


def _of_agent(case: Case) -> str:
    pid = case.running.get("pid") if case.running is not None else None
    for line in case.machine.text(f"/proc/{pid}/status").splitlines() if pid else ():
        if line.startswith("VmRSS:"):
            return f"; the running agent has {size_text(int(line.split()[1]) * 1024)}"
    return ""


def _kb(machine: Machine, name: str) -> int | None:
    for line in machine.text("/proc/meminfo").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return None


def _killed(machine: Machine) -> int:
    for line in machine.text("/proc/vmstat").splitlines():
        if line.startswith("oom_kill "):
            return int(line.split()[1])
    return 0
