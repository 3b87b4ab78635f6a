"""The Debian package: installed, upgraded, removed and purged on a machine with systemd."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.agent_process import wait_for
from tests.systemd.machine import CommandFailedError, Machine
from tests.systemd.programs import one_file
from tests.systemd.service import Service
from tests.systemd.test_uninstall import files

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
CONFIG = "/etc/agent/agent.toml"
MARK = "# changed by the user\n"
# Records of dpkg, and where the packages lie.
OF_DPKG = ("/var/lib/dpkg", "/var/log/dpkg.log", "/var/log/alternatives.log", "/var/tmp")
# As those do who make the image of a card: nothing runs there but what is called.
IMAGE = """
set -eu
cd "$FOLDER"
mount -t overlay -o "lowerdir=$TREE,upperdir=upper,workdir=work" overlay root
mount -t proc proc root/proc
cp "$PACKAGE" root/edge-agent.deb
exec chroot root sh -euc "$COMMANDS"
"""
IN_IMAGE = """
look() {
    find / -xdev -path /proc -prune -o -path /var/lib/dpkg -prune -o \\
        -type d -print -o -printf '%p %s\\n' |
        grep -v '^/var/log/dpkg.log \\|^/etc/[a-z]*- \\|^/var/cache/ldconfig' | sort
}
look > /var/lib/dpkg/before
dpkg --install /edge-agent.deb
agent version | head -n 1
setpriv --reuid=nobody --regid=nogroup --clear-groups agent version | head -n 1
agent check
test -L /etc/systemd/system/multi-user.target.wants/agent.service
dpkg --purge edge-agent
look > /var/lib/dpkg/after
diff /var/lib/dpkg/before /var/lib/dpkg/after
"""


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Path]:
    """The package of the one file, and the same as a later version."""
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg is not installed")
    if not one_file().with_name(f"{one_file().name}.cdx.json").exists():
        pytest.skip("the list of contents is not there: make build")
    folder = tmp_path_factory.mktemp("packages")
    environ = {**os.environ, "OUT": str(folder), "TREES": str(folder / "tree"), "LINTIAN": "no"}
    command = ["sh", "build/deb.sh", str(one_file())]
    subprocess.run(command, cwd=ROOT, env=environ, check=True, capture_output=True)
    first = next(folder.glob("*.deb"))
    tree = next((folder / "tree").iterdir())
    control = tree / "DEBIAN/control"
    control.write_text(control.read_text().replace("-1\n", "-2\n", 1))
    later = folder / "later.deb"
    build = ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", str(tree), str(later)]
    subprocess.run(build, check=True, capture_output=True)
    return [first, later]


class Package:
    """The package on a machine."""

    def __init__(self, machine: Machine, packages: Sequence[Path]) -> None:
        self._machine = machine
        for path in packages:
            machine.copy_in(path, f"/var/tmp/{path.name}")
        self._names = [f"/var/tmp/{path.name}" for path in packages]

    def install(self, number: int = 0, sudo_user: str = "") -> str:
        """What dpkg and the package say."""
        env = {"SUDO_USER": sudo_user, "DEBIAN_FRONTEND": "noninteractive"}
        done = self._machine.run("dpkg", "--install", self._names[number], env=env)
        return done.stdout + done.stderr

    def take_away(self, how: str) -> str:
        """``--remove`` or ``--purge``."""
        done = self._machine.run("dpkg", how, "edge-agent")
        return done.stdout + done.stderr


@pytest.fixture
def package(machine: Machine, packages: Sequence[Path]) -> Package:
    """The package, which is still to be installed."""
    return Package(machine, packages)


def stored(service: Service) -> list[int]:
    """The times of what is stored of the machine itself."""
    return [row["ts"] for row in service.rows("SELECT ts FROM host_row ORDER BY ts")]


def files_of_others(machine: Machine) -> set[str]:
    """Files that are not dpkg's."""
    return {line for line in files(machine) if not any(each in line for each in OF_DPKG)}


def owner(machine: Machine, path: str) -> str:
    return machine.run("stat", "--format=%U:%G %a", path).stdout.strip()


def test_the_service_runs_once_the_package_is_installed(
    machine: Machine, service: Service, package: Package
) -> None:
    machine.add_user("anna")
    machine.add_user("berta")

    said = package.install(sudo_user="anna")

    service.wait_until_active()
    wait_for(lambda: service.devices()["host"]["is_well"], what="samples of the machine")
    assert "anna is in the group agent" in said
    assert "agent discover" in said
    assert machine.run("systemctl", "is-enabled", "agent").stdout == "enabled\n"
    assert machine.run("readlink", "-f", "/usr/bin/agent").stdout == "/usr/lib/agent/agent\n"
    assert owner(machine, CONFIG) == "root:agent 640"
    assert owner(machine, "/etc/agent") == "root:agent 750"
    assert owner(machine, "/var/lib/agent") == "agent:agent 2770"
    assert "dialout" in machine.run("id", "agent").stdout
    assert machine.run("agent", "status", user="anna").stdout
    assert machine.run("agent", "version", user="berta").stdout.startswith("agent ")
    with pytest.raises(CommandFailedError, match="agent"):
        machine.run("agent", "status", user="berta")


def test_an_upgrade_starts_the_new_version_and_keeps_what_the_user_wrote(
    machine: Machine, service: Service, package: Package
) -> None:
    package.install()
    service.wait_until_active()
    wait_for(lambda: stored(service), what="a stored sample")
    config = machine.run("cat", CONFIG).stdout + MARK
    machine.write(CONFIG, config)
    before, pid = stored(service), service.pid

    package.install(1)

    service.wait_until_active()
    wait_for(lambda: len(stored(service)) > len(before), what="a sample of the new one")
    assert service.pid != pid
    assert stored(service)[: len(before)] == before
    assert machine.run("cat", CONFIG).stdout == config


def test_a_service_that_was_disabled_stays_so(
    machine: Machine, service: Service, package: Package
) -> None:
    package.install()
    machine.run("systemctl", "disable", "--now", "agent")

    package.install(1)

    assert machine.run("systemctl", "is-enabled", "agent", check=False).stdout == "disabled\n"
    assert not service.is_active


def test_a_package_that_is_removed_leaves_the_data_and_comes_back_to_them(
    machine: Machine, service: Service, package: Package
) -> None:
    package.install()
    service.wait_until_active()
    wait_for(lambda: stored(service), what="a stored sample")
    machine.write(CONFIG, machine.run("cat", CONFIG).stdout + MARK)

    package.take_away("--remove")

    before = stored(service)
    assert not service.is_active
    assert not machine.run("sh", "-c", "command -v agent", check=False).stdout
    package.install()
    service.wait_until_active()
    wait_for(lambda: len(stored(service)) > len(before), what="a sample of the second time")
    assert stored(service)[: len(before)] == before
    assert machine.run("cat", CONFIG).stdout.endswith(MARK)


def test_a_purge_leaves_nothing(machine: Machine, service: Service, package: Package) -> None:
    before = files_of_others(machine)
    package.install()
    service.wait_until_active()
    machine.run("agent", "report", "--daily")
    machine.drop_in("agent", "[Service]\nCPUWeight=300\n")

    package.take_away("--purge")

    assert files_of_others(machine) == before
    assert machine.show("agent", "LoadState") == "not-found"


def test_it_leaves_an_agent_alone_that_install_service_made(
    machine: Machine, service: Service, package: Package
) -> None:
    service.copy()
    service.install()
    pid = service.pid

    said = package.install()

    assert "uninstall-service" in said
    assert service.pid == pid
    said = package.take_away("--purge")
    assert "kept" in said
    assert service.pid == pid
    assert service.is_active
    assert owner(machine, CONFIG) == "root:agent 640"


def test_it_takes_over_from_an_agent_that_install_service_made(
    machine: Machine, service: Service, package: Package
) -> None:
    service.copy()
    service.install()
    wait_for(lambda: stored(service), what="a stored sample")
    package.install()

    machine.run("/usr/local/bin/agent", "uninstall-service")
    machine.run("systemctl", "enable", "--now", "agent")

    before = stored(service)
    wait_for(lambda: len(stored(service)) > len(before), what="a sample of the package")
    program = machine.run("readlink", f"/proc/{service.pid}/exe").stdout
    assert program == "/usr/lib/agent/agent\n"


def test_install_service_leaves_the_package_alone(
    machine: Machine, service: Service, package: Package
) -> None:
    package.install()
    service.wait_until_active()
    service.copy()
    pid = service.pid

    done = service.install(check=False)

    assert done.returncode != 0
    assert "package" in done.stderr
    assert service.pid == pid


def test_it_is_ready_in_an_image_where_nothing_runs(
    tree: Path, packages: Sequence[Path], tmp_path: Path
) -> None:
    for name in ("root", "upper", "work"):
        (tmp_path / name).mkdir()
    environ = {
        "PATH": os.environ["PATH"],
        "TREE": str(tree),
        "FOLDER": str(tmp_path),
        "PACKAGE": str(packages[0]),
        "COMMANDS": IN_IMAGE,
        "LC_ALL": "C.UTF-8",
    }

    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", IMAGE],
        env=environ,
        capture_output=True,
        text=True,
    )
    shutil.rmtree(tmp_path)  # some 30 MB

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stdout.count("\nagent 0.") == 2
