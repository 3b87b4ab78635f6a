"""What is removed with the service, and what is not."""

import pytest

from tests.agent_process import wait_for
from tests.systemd.counting import CountingDevice, table
from tests.systemd.machine import Machine
from tests.systemd.service import STORE, Service

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(300)]

KEPT = ("/etc/agent/agent.toml", STORE)
# What other programs write meanwhile: the journal, copies that useradd keeps.
SKIPPED = ("/var/log/journal", "/var/log/wtmp", "/var/lib/systemd", "/root", "/var/cache")
OF_OTHERS = tuple(f"/etc/{name}-" for name in ("passwd", "group", "shadow", "gshadow"))


def test_uninstall_leaves_data_and_configuration(
    service: Service, counting: CountingDevice
) -> None:
    service.install_with([table()])
    counting.wait_for(10)

    said = service.machine.run("agent", "uninstall-service").stdout

    sums = service.machine.run("sha256sum", *KEPT).stdout
    numbers = service.numbers()
    assert "/var/lib/agent" in said
    assert numbers == list(range(1, counting.answered + 1))
    assert not service.machine.run("sh", "-c", "command -v agent", check=False).stdout
    assert service.machine.show("agent", "LoadState") == "not-found"
    service.install()
    wait_for(lambda: service.numbers()[-1] > numbers[-1], what="a sample of the next installation")
    assert service.machine.run("sha256sum", KEPT[0]).stdout in sums
    assert service.numbers()[: len(numbers)] == numbers


def test_purge_leaves_nothing(service: Service, counting: CountingDevice) -> None:
    before = files(service.machine)
    service.install_with([table()])
    service.machine.run("agent", "report", "--daily")
    service.machine.write("/etc/agent/agent.env", "STATION_PASSWORD=secret\n")
    service.machine.drop_in("agent", "[Service]\nCPUWeight=300\n")

    service.machine.run("agent", "uninstall-service", "--purge", "--yes")

    after = files(service.machine)
    assert after ^ before == set()
    assert service.machine.show("agent", "LoadState") == "not-found"


def test_purge_asks_first(service: Service, counting: CountingDevice) -> None:
    service.install_with([table()])

    done = service.machine.run("agent", "uninstall-service", "--purge", check=False)

    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert service.is_active


def files(machine: Machine) -> set[str]:
    """All files of the machine that somebody made on purpose, and what the small ones say."""
    skipped = " ".join(f"-path {path} -prune -o" for path in SKIPPED)
    listed = machine.run(
        "sh", "-c", f"find / -xdev {skipped} ! -type d -printf '%p %y %m %u %g %s\\n' | sort;"
        f"find / -xdev {skipped} -type d -printf '%p %m %u %g\\n' | sort;"
        "find /etc -xdev -type f -exec sha256sum {} + | sort",
    ).stdout.splitlines()  # fmt: skip
    return {line for line in listed if not any(each in line for each in OF_OTHERS)}
