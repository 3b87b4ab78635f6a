"""A small Debian with systemd, made once from the packages that this machine gets its own from."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MADE = Path(__file__).parents[2] / "build" / "made"
SUITE = "bookworm"
# What a Raspberry Pi OS has of this anyway; sqlite3 is for looking into the store.
PACKAGES = "systemd,systemd-sysv,dbus,udev,libpam-systemd,sqlite3,util-linux"
# The machine's name in its journal, and nothing that works by itself meanwhile.
HOOKS = (
    'echo board > "$1/etc/hostname"',
    'chroot "$1" systemctl --quiet mask console-getty.service apt-daily.timer '
    "apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer",
    'rm -rf "$1/var/cache/apt" "$1/usr/share/doc" "$1/usr/share/locale" "$1/usr/share/man"',
    'mkdir -p "$1/var/cache/apt/archives/partial"',
)
TOOLS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "nsenter": "util-linux",
    "unshare": "util-linux",
}
LIMIT_S = 900.0
SOURCES = "$(REPO_URI) $(CODENAME) $(COMPONENT) $(ORIGIN)"


def missing_host() -> str:
    """Why no machine can be started here; empty when one can."""
    if os.getuid() != 0:
        return "only root can start a machine in a container: run the tests with sudo"
    for tool, package in TOOLS.items():
        if shutil.which(tool) is None:
            return f"{tool} is not installed (apt install {package})"
    if "overlay" not in Path("/proc/filesystems").read_text():
        return "the kernel has no overlay file system (modprobe overlay)"
    return ""


def debian_tree() -> Path:
    """The folder with the system; made when it is not there.

    Raises:
        RuntimeError: It can't be made, with what was said.
    """
    key = hashlib.sha256("\n".join([SUITE, PACKAGES, *HOOKS]).encode()).hexdigest()[:8]
    tree = MADE / f"debian-{SUITE}-{key}"
    with only_one(MADE / "debian.lock"):
        if not tree.is_dir():
            _make(tree)
    return tree


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Others wait here until this is done."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _make(tree: Path) -> None:
    part = tree.with_name(f"{tree.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    hooks = [f"--customize-hook={hook}" for hook in HOOKS]
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", *hooks]
    done = subprocess.run(
        [*command, SUITE, str(part), *_sources()],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    if done.returncode:
        shutil.rmtree(part, ignore_errors=True)
        raise RuntimeError(f"no Debian could be made: {done.stderr.strip()[-500:]}")
    part.rename(tree)


def _sources() -> list[str]:
    """Lines for apt, as this machine has them; none: mmdebstrap knows where Debian is."""
    if shutil.which("apt-get") is None:
        return []
    done = subprocess.run(
        ["apt-get", "indextargets", "--format", SOURCES, "Created-By: Packages"],
        capture_output=True,
        text=True,
    )
    lines = []
    for line in done.stdout.splitlines():
        address, _, rest = line.partition(" ")
        codename, component, origin = (*rest.split(), "", "", "")[:3]
        if origin == "Debian" and component == "main" and codename.startswith(SUITE):
            lines.append(f"deb {address} {codename} {component}")
    return sorted(set(lines))
