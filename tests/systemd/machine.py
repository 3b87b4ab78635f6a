"""A machine with a real systemd: a Debian in a container, with a disk and a network of its own."""

import functools
import itertools
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.agent_process import wait_for

BOOT_S = 60.0
COMMAND_S = 120.0
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CGROUPS = Path("/sys/fs/cgroup")
ENDS_WITH_US = ("setpriv", "--pdeathsig", "TERM")  # as its power button does
# All in mount and control groups of its own, so that nothing is left behind when it is killed.
START = """
set -eu
for group in $GROUPS_OF_IT; do echo $$ > "$group/cgroup.procs"; done
{mount}
exec systemd-nspawn --quiet --directory="$FOLDER/root" --boot --register=no $KEEP_UNIT \
    --private-network --link-journal=no --resolv-conf=off --timezone=off --console=pipe \
    --machine=board --system-call-filter=bpf {options}
"""
OVERLAY = (
    'mount -t overlay -o "lowerdir=$TREE,upperdir=$FOLDER/upper,workdir=$FOLDER/work" '
    'overlay "$FOLDER/root"'
)
# As Raspberry Pi OS mounts its card.
LOOP = 'mount -o loop,noatime "$FOLDER/disk" "$FOLDER/root"'


class CommandFailedError(AssertionError):
    """A command inside said that it failed."""


class Machine:
    """Boots when told so; its disk outlives that, and is gone with its folder.

    Args:
        tree: The system that it begins with.
        folder: What it writes.
        disk_mb: The size of a disk of its own, with ext4; 0: it writes over the tree.
        options: More for systemd-nspawn.
    """

    def __init__(
        self, tree: Path, folder: Path, *, disk_mb: int = 0, options: Sequence[str] = ()
    ) -> None:
        self._tree = tree
        self._folder = folder
        self._has_disk = bool(disk_mb)
        self._options = tuple(options)
        self._process: subprocess.Popen[bytes] | None = None
        self._groups: list[Path] = []
        self._leader = 0
        self._numbers = itertools.count()
        for name in ("root", "upper", "work"):
            (folder / name).mkdir(parents=True)
        if disk_mb:
            _make_disk(tree, folder / "disk", disk_mb)

    @property
    def leader(self) -> int:
        """Its systemd, as a process of this machine."""
        return self._leader

    @property
    def root(self) -> Path:
        """Its files, while it runs; not for SQLite nor where links lead."""
        return Path(f"/proc/{self._leader}/root")

    def boot(self) -> None:
        """Start it, and wait until all is started."""
        self._groups = _control_groups()
        has_systemd = Path("/run/systemd/system").is_dir()
        script = START.format(
            mount=LOOP if self._has_disk else OVERLAY, options=" ".join(self._options)
        )
        environ = {
            **os.environ,
            "TREE": str(self._tree),
            "FOLDER": str(self._folder),
            "GROUPS_OF_IT": " ".join(map(str, self._groups)),
            "KEEP_UNIT": "" if has_systemd else "--keep-unit",
            "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
        }
        with (self._folder / "console.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *ENDS_WITH_US,
                    "unshare",
                    "--mount",
                    "--propagation",
                    "private",
                    "sh",
                    "-c",
                    script,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environ,
            )
        self._leader = wait_for(self._find_leader, BOOT_S, "a machine that boots")
        wait_for(self._has_started, BOOT_S, "a machine that has started")

    def _find_leader(self) -> int:
        assert self._process is not None
        if self._process.poll() is not None:
            said = (self._folder / "console.log").read_text("utf-8", "replace")
            raise RuntimeError(f"no machine starts here: {said[-1000:]}")
        pid = self._process.pid
        with suppress(OSError):
            for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
                if Path(f"/proc/{child}/comm").read_text() == "systemd\n":
                    return int(child)
        return 0

    def _has_started(self) -> bool:
        said = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return said in ("running", "degraded")

    def shut_down(self) -> None:
        """As somebody who says so; its disk stays."""
        if self._process is not None:
            os.kill(self._leader, signal.SIGRTMIN + 4)
            self._end()

    def cut_power(self) -> None:
        """All of it is gone at once; its disk stays. Twice is fine."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.kill(self._leader or self._process.pid, signal.SIGKILL)
            self._end()

    def _end(self) -> None:
        assert self._process is not None
        self._process.wait(BOOT_S)
        self._process, self._leader = None, 0
        for group in self._groups:
            # Bottom up; what was killed may take a moment to go.
            for path in sorted(group.glob("**/"), reverse=True):
                wait_for(functools.partial(_is_removed, path), what=f"{path} to be empty")

    def run(
        self,
        *words: str,
        user: str = "",
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        check: bool = True,
        timeout_s: float = COMMAND_S,
    ) -> subprocess.CompletedProcess[str]:
        """A command inside, as root or ``user``, as in a fresh login.

        Raises:
            CommandFailedError: It says so, unless ``check`` is off.
        """
        done = subprocess.run(
            self.words(*words, user=user, env=env),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
        if check and done.returncode:
            said = f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
            raise CommandFailedError(f"{' '.join(words)}: {said}")
        return done

    def words(self, *words: str, user: str = "", env: Mapping[str, str] | None = None) -> list[str]:
        """The whole command line of ``run()``."""
        home = f"/home/{user}" if user else "/root"
        variables = {"PATH": PATH, "HOME": home, "LC_ALL": "C.UTF-8", "USER": user or "root"}
        pairs = [f"{name}={value}" for name, value in {**variables, **(env or {})}.items()]
        enter = ["nsenter", "--target", str(self._leader), "--all", f"--wdns={home}", "--"]
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        return [*enter, "env", "-i", *pairs, *become, *words]

    def copy_in(self, source: Path, target: str) -> None:
        """A file of ours as one of root's in there."""
        shutil.copy(source, self.root / target.lstrip("/"))

    def write(self, path: str, text: str) -> None:
        """A file of root's in there."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")

    def start(self, unit: str, *words: str, properties: Sequence[str] = ()) -> None:
        """Have a program run as a service of its own."""
        options = [f"--property={each}" for each in properties]
        self.run("systemd-run", "--quiet", "--collect", f"--unit={unit}", *options, *words)

    def show(self, unit: str, name: str) -> str:
        """One property of a unit."""
        return self.run("systemctl", "show", "--value", f"--property={name}", unit).stdout.strip()

    def journal(self, *options: str) -> list[dict[str, Any]]:
        """The entries of its journal, the oldest first."""
        self.run("journalctl", "--sync")
        lines = self.run("journalctl", "--no-pager", "--output=json", *options).stdout
        return [json.loads(line) for line in lines.splitlines()]

    def written_bytes(self) -> int:
        """What its disk has written, metadata and the file system's journal included."""
        self.run("sync")
        for line in Path(f"/proc/{self._leader}/mountinfo").read_text().splitlines():
            fields = line.split()
            if fields[4] == "/":
                stat = Path(f"/sys/dev/block/{fields[2]}/stat").read_text().split()
                return int(stat[6]) * 512
        raise LookupError("it has no disk of its own")

    def drop_in(self, unit: str, text: str) -> None:
        """Have a unit changed, as ``systemctl edit`` does."""
        number = next(self._numbers)
        self.write(f"/etc/systemd/system/{unit}.service.d/{number}.conf", text)
        self.run("systemctl", "daemon-reload")

    def add_user(self, name: str, *groups: str) -> None:
        """Somebody who may log in."""
        if not self.run("id", name, check=False).stdout:
            self.run("useradd", "--create-home", *(f"--groups={each}" for each in groups), name)


def _control_groups() -> list[Path]:
    """Groups for one machine, where this one has no systemd that makes them."""
    if Path("/run/systemd/system").is_dir():
        return []
    roots = [CGROUPS / "unified", CGROUPS / "systemd"]
    roots = [root for root in roots if root.is_dir()] or [CGROUPS]
    number = next(n for n in itertools.count() if not _group(roots[0], n).exists())
    groups = [_group(root, number) for root in roots]
    for group in groups:
        group.mkdir()
    return groups


def _group(root: Path, number: int) -> Path:
    return root / f"agent-test-{os.getpid()}-{number}"


def _is_removed(group: Path) -> bool:
    with suppress(FileNotFoundError):
        try:
            group.rmdir()
        except OSError:
            return False
    return True


def _make_disk(tree: Path, path: Path, size_mb: int) -> None:
    """An ext4 as on a card, with the system on it; the kernel finds nothing to prepare there."""
    options = ["-b", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0"]
    command = ["mkfs.ext4", "-q", *options, "-d", str(tree), str(path), f"{size_mb}M"]
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def booted(machine: Machine) -> Iterator[Machine]:
    """A machine that runs until it is not needed any more."""
    try:
        machine.boot()
        yield machine
    finally:
        machine.cut_power()
