"""Versions of the agent, of what it is made of, and of the system below it."""

import platform
from collections.abc import Iterator, Mapping

from agent import __version__
from agent.doctor.case import Case
from agent.doctor.finding import Finding, note, ok
from agent.doctor.machine import Machine
from agent.store import sqlite_version

WIDE = ("x86_64", "aarch64", "arm64", "riscv64", "ppc64le", "s390x")


def check_versions(case: Case) -> Iterator[Finding]:
    """What a report of a fault has to say first."""
    system = os_release(case.machine).get("PRETTY_NAME", platform.system())
    yield ok(f"agent {__version__}, Python {platform.python_version()}, SQLite {sqlite_version()}")
    machine = platform.machine()
    yield ok(f"{system}, kernel {platform.release()} on {machine}{_model(case.machine)}")
    if machine in WIDE and case.machine.word_bits == 32:
        yield note(
            f"this is a program of 32 bits on a kernel of 64 ({machine})",
            "nothing to do; the 64-bit system is a little faster",
        )


def os_release(machine: Machine) -> Mapping[str, str]:
    """The facts of ``/etc/os-release``."""
    text = machine.text("/etc/os-release") or machine.text("/usr/lib/os-release")
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key: value.strip("\"'") for key, _, value in pairs}


def _model(machine: Machine) -> str:
    model = machine.text("/proc/device-tree/model") or machine.text(
        "/sys/class/dmi/id/product_name"
    )
    return f", {model}" if model else ""
