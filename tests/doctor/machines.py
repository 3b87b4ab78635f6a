"""Machines to examine: files below a folder of the test, and what systemd would say."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.clock import Clock
from agent.devices import KINDS
from agent.discovery.search import Kinds
from agent.doctor.case import Case, gather
from agent.doctor.finding import Finding, Level
from agent.doctor.machine import Machine, Output, Space
from tests.fakes import FakeClock

PASSWD = """\
root:x:0:0:root:/root:/bin/bash
agent:x:990:990::/nonexistent:/usr/sbin/nologin
pi:x:1000:1000::/home/pi:/bin/bash
"""
GROUP = "root:x:0:\ndialout:x:20:pi\nagent:x:990:\npi:x:1000:\n"
ROOT_MOUNT = "25 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw"
GB = 1_000_000_000
PLENTY = Space(32 * GB, 20 * GB)
UNIT = {
    "LoadState": "loaded", "ActiveState": "active", "SubState": "running",
    "UnitFileState": "enabled", "NRestarts": "0", "Result": "success", "MainPID": "1",
    "User": "root", "WatchdogUSec": "1min", "NeedDaemonReload": "no", "ExecMainStatus": "0",
}  # fmt: skip


class Tree:
    """The files of a machine that a check may look at."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("etc/passwd", PASSWD)
        self.write("etc/group", GROUP)
        self.write("proc/self/mountinfo", f"{ROOT_MOUNT}\n")

    def write(self, path: str, text: str) -> Path:
        """A file with its folders."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        return file

    def mount(self, point: Path, type_: str, source: str = "none", options: str = "rw") -> None:
        """One more mount."""
        path = self.root / "proc/self/mountinfo"
        line = f"90 25 0:50 / {str(point).replace(' ', chr(92) + '040')} {options} - {type_} "
        path.write_text(f"{path.read_text()}{line}{source} {options}\n")

    def boot_systemd(self) -> None:
        """From now on it has a systemd."""
        (self.root / "run/systemd/system").mkdir(parents=True, exist_ok=True)


class Programs:
    """Answers of programs by their first words; others are not installed."""

    def __init__(self, answers: Mapping[str, Output | str]) -> None:
        self.answers = dict(answers)
        self.asked: list[str] = []

    def __call__(self, words: Sequence[str], timeout_s: float) -> Output:
        line = " ".join(words)
        self.asked.append(line)
        for start, answer in self.answers.items():
            if line.startswith(start):
                return Output(0, answer) if isinstance(answer, str) else answer
        return Output(None, "", f"there is no program {words[0]}")


def shown(**facts: str) -> str:
    """What ``systemctl show`` says of the service."""
    return "".join(f"{key}={value}\n" for key, value in {**UNIT, **facts}.items())


def machine_of(tree: Tree, *, clock: Clock | None = None, **parts: Any) -> Machine:
    """A machine with the files of a tree, no variables, no programs, and a fake clock."""
    defaults: dict[str, Any] = {
        "environ": {},
        "run": Programs({}),
        "space": lambda _: PLENTY,
        "uid": 0,
        "gids": frozenset({0}),
        "unpacked": None,
    }
    return Machine(root=tree.root, clock=clock or FakeClock(), **{**defaults, **parts})


def case_of(tree: Tree, config: str | None = None, *, kinds: Kinds = KINDS, **parts: Any) -> Case:
    """What is examined on a machine with this configuration; with none, an empty folder."""
    file = tree.root.parent / "agent.toml"
    if config is not None:
        file.write_text(config, "utf-8")
    return gather(machine_of(tree, **parts), file, kinds)


def levels(findings: Iterator[Finding]) -> list[tuple[str, str]]:
    """Level and text of each."""
    return [(str(each.level), each.text) for each in findings]


def bad(findings: Iterator[Finding]) -> list[Finding]:
    """Those that are not well."""
    return [each for each in findings if each.level in (Level.WARNING, Level.PROBLEM)]


def never(*_: object) -> None:
    """No progress is shown."""
