"""A user copies the one file, installs the service, and looks how it is."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent_process import wait_for
from tests.systemd.conftest import machine_in
from tests.systemd.figures import Figures
from tests.systemd.service import Service, fault, simulators

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(300)]

ANOTHER_HOST = re.compile(r'^(proc|sys) = "/.*\n', re.MULTILINE)
DEVICES = 7
EXPOSURE = 2.0
SERIAL, NETWORK = "board", "plc"


@pytest.fixture(scope="module")
def installed(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that polls one device of each kind, and the machine itself."""
    folder = tmp_path_factory.mktemp("service")
    with machine_in(tree, folder / "machine") as machine:
        service = Service(machine)
        service.copy()
        with simulators(machine) as configuration:
            # Of the kind "host" the machine itself is asked, through the sandbox.
            machine.write("/root/mine.toml", ANOTHER_HOST.sub("", configuration))
            machine.add_user("owner")
            service.install("--config", "/root/mine.toml", sudo_user="owner")
            yield service


def wait_until_all_are_well(service: Service) -> None:
    wait_for(lambda: all(each["is_well"] for each in service.devices().values()), what="all well")


@pytest.mark.parametrize("device", [SERIAL, NETWORK])
def test_samples_of_a_serial_and_of_a_network_device_are_stored(
    installed: Service, device: str
) -> None:
    def count() -> int:
        (found,) = installed.query(f'SELECT count(*) AS samples FROM "{device}"')
        return int(found["samples"])

    wait_until_all_are_well(installed)

    before = count()

    wait_for(lambda: count() > before + 1, what="more samples")


def test_all_devices_are_well(installed: Service) -> None:
    wait_until_all_are_well(installed)

    assert len(installed.devices()) == DEVICES


def test_the_status_of_systemd_says_how_many_devices_are_well(installed: Service) -> None:
    wait_until_all_are_well(installed)

    def text() -> str:
        return installed.machine.run("systemctl", "status", "agent").stdout

    status = wait_for(
        lambda: f"{DEVICES} of {DEVICES} devices well" in text() and text(), what="the status"
    )

    assert re.search(
        rf'Status: "{DEVICES} of {DEVICES} devices well; \d+ rows stored, \d+ waiting"', status
    )
    assert "active (running)" in status
    assert "Traceback" not in status


def test_the_service_is_one_process(installed: Service) -> None:
    group = "/sys/fs/cgroup/system.slice/agent.service/cgroup.procs"

    assert installed.machine.run("cat", group).stdout.split() == [str(installed.pid)]


def test_the_journal_has_a_level_for_each_entry_and_no_traceback(installed: Service) -> None:
    entries = installed.log()

    started = next(entry for entry in entries if f"polling {DEVICES} devices" in entry["MESSAGE"])
    assert started["PRIORITY"] == "6"
    assert started["SYSLOG_IDENTIFIER"] == "agent"
    assert not [entry for entry in entries if "Traceback" in entry["MESSAGE"]]
    assert not [entry for entry in entries if int(entry["PRIORITY"]) < 4]


def test_the_journal_can_be_asked_for_one_device(installed: Service) -> None:
    wait_until_all_are_well(installed)

    fault(installed.machine, NETWORK, "refuse")
    wait_for(lambda: not installed.devices()[NETWORK]["is_well"], what="an outage")
    fault(installed.machine, NETWORK, "none")
    wait_for(lambda: installed.devices()[NETWORK]["is_well"], what="its end")

    entries = installed.machine.journal(f"DEVICE={NETWORK}")
    assert [entry["PRIORITY"] for entry in entries] == ["4", "6"]
    assert all(entry["MESSAGE"].startswith(NETWORK) for entry in entries)


@pytest.mark.parametrize("user", ["", "owner"], ids=["root", "who called sudo"])
def test_root_and_who_installed_it_get_a_report(installed: Service, user: str) -> None:
    wait_until_all_are_well(installed)

    said = installed.machine.run("agent", "report", "--daily", user=user).stdout
    status = installed.machine.run("agent", "status", user=user).stdout

    paths = [line.split("  ")[0] for line in said.splitlines()]
    assert len(paths) == DEVICES
    lines = installed.machine.run("cat", paths[0], user=user).stdout.splitlines()
    assert len(lines) >= 2
    assert "running as process" in status


def test_who_is_not_in_the_group_is_told_so_in_one_line(installed: Service) -> None:
    installed.machine.add_user("stranger")

    done = installed.machine.run("agent", "report", "--daily", user="stranger", check=False)

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "/etc/agent/agent.toml" in done.stderr
    assert "sudo" in done.stderr or "group" in done.stderr


def test_the_host_has_the_same_metrics_inside_the_sandbox_as_outside(installed: Service) -> None:
    become = ["setpriv", "--reuid=agent", "--regid=agent", "--init-groups"]
    words = ["env", "--chdir=/", "HOME=/nonexistent", *become]
    outside = installed.machine.run(*words, "agent", "read", "host", "--json").stdout
    sql = "SELECT m.name FROM metric m JOIN device d ON d.id = m.device WHERE d.name = 'host'"

    inside = {row["name"] for row in installed.rows(sql)}

    assert inside == {each["name"] for each in json.loads(outside)["values"]}


def test_the_service_is_exposed_to_little(installed: Service, figures: Figures) -> None:
    words = ["systemd-analyze", "security", "--no-pager", "agent.service"]

    said = installed.machine.run(*words).stdout

    exposure = float(said.rpartition("agent.service: ")[2].split()[0])
    figures.note("exposure of the unit", exposure)
    assert exposure <= EXPOSURE


def test_systemd_finds_nothing_wrong_with_the_unit(installed: Service) -> None:
    done = installed.machine.run("systemd-analyze", "verify", "agent.service")

    assert (done.stdout, done.stderr) == ("", "")


def test_the_self_check_finds_no_problem_with_the_service(installed: Service) -> None:
    wait_until_all_are_well(installed)

    done = installed.machine.run("agent", "doctor")

    for part in ("configuration", "devices", "permissions", "serial ports", "service"):
        assert re.search(rf"^{part} +ok ", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.parametrize(
    ("major", "is_open"),
    [(188, True), (166, True), (204, True), (4, True), (10, False), (29, False)],
    ids=["ttyUSB", "ttyACM", "ttyAMA", "ttyS", "misc", "framebuffer"],
)
def test_the_service_may_open_serial_ports_and_nothing_else(
    installed: Service, major: int, is_open: bool
) -> None:
    if not confines_devices(installed):
        pytest.skip("the kernel lets no container keep services from devices (eBPF)")
    node = f"/dev/of-test-{major}"
    # 200: there is none, so that the kernel has nothing to do but to say whether it may be opened.
    script = f"""
        test -e {node} || mknod {node} c {major} 200 || exit 8
        echo $$ > /sys/fs/cgroup/system.slice/agent.service/cgroup.procs || exit 9
        head -c 1 {node}
    """

    done = installed.machine.run("sh", "-c", script, check=False)

    assert done.returncode == 1
    assert ("Operation not permitted" not in done.stderr) == is_open


def confines_devices(service: Service) -> bool:
    """Whether systemd can do that at all in there."""
    words = ["systemd-run", "--quiet", "--wait", "--property=DevicePolicy=strict", "mknod"]
    done = service.machine.run(*words, "/dev/never", "c", "10", "200", check=False)
    return done.returncode != 0


def test_the_service_starts_and_stops_soon(installed: Service, figures: Figures) -> None:
    installed.machine.run("systemctl", "restart", "agent")

    figures.note("seconds from start to READY", between_s(installed, "Starting ", "Started "))
    figures.note("seconds that it takes to stop", between_s(installed, "Stopping ", "Stopped "))
    assert installed.is_active


def between_s(service: Service, first: str, last: str) -> float:
    """Between the newest two entries of systemd that begin so."""
    entries = service.machine.journal("--unit=agent", "_PID=1")
    times = {
        word: max(int(entry["__MONOTONIC_TIMESTAMP"]) for entry in entries
                  if entry["MESSAGE"].startswith(word))
        for word in (first, last)
    }  # fmt: skip
    return (times[last] - times[first]) / 1e6
