"""What hangs is told apart: a scheduler is worth restarts, a device one, a fault of it none."""

import pytest

from tests.agent_process import wait_for
from tests.one_thread import stopped
from tests.systemd.counting import CountingDevice, table
from tests.systemd.figures import Figures
from tests.systemd.service import Service, fault, simulators

pytestmark = [pytest.mark.systemd, pytest.mark.slow, pytest.mark.timeout(600)]

WATCHDOG_S = 6
SHORT = f"[Service]\nWatchdogSec={WATCHDOG_S}\n"
HOST = '[[device]]\nname = "host"\nkind = "host"\ninterval_s = 1.0\ndisks = false\n'
TWICE_S = 2 * WATCHDOG_S + 4  # systemd would have acted by then


def install(service: Service, *devices: str) -> None:
    """With a watchdog that is as impatient as a test."""
    service.install_with(devices, flush_s=2.0)
    service.machine.drop_in("agent", SHORT)
    service.machine.run("systemctl", "restart", "agent")
    service.wait_until_active()


def wait_for_polls(service: Service, device: str, count: int) -> None:
    wanted = service.devices()[device]["polls"] + count
    wait_for(lambda: service.devices()[device]["polls"] >= wanted, 120, f"{count} polls")


def test_a_hung_scheduler_is_named_and_the_service_started_again(
    service: Service, counting: CountingDevice, figures: Figures
) -> None:
    install(service, table())
    counting.wait_for(10)

    with stopped(service.outside_pid(), "scheduler"):
        last = counting.answered
        wait_for(lambda: service.restarts == 1, 120, "a restart")
    service.wait_until_active()
    counting.wait_for(5)
    service.machine.run("systemctl", "stop", "agent")

    said, systemd = service.messages(), service.machine.journal("--unit=agent", "_PID=1")
    assert "the scheduler hangs: for" in said
    assert "a poll has not ended" not in said
    assert any("Watchdog timeout" in entry["MESSAGE"] for entry in systemd)
    assert set(range(1, last + 1)) <= set(service.numbers())
    figures.note("scheduler hangs, WatchdogSec=6: named after", hang_s(service), "s")


def hang_s(service: Service) -> float:
    """How long the first hang had lasted when it was logged, as the log says."""
    entry = next(entry for entry in service.log() if "hangs: for" in entry["MESSAGE"])
    return float(str(entry["MESSAGE"]).partition("hangs: for ")[2].split()[0])


def test_a_hung_device_is_worth_one_restart_and_then_costs_only_itself(
    service: Service, counting: CountingDevice
) -> None:
    install(service, table(), HOST)
    counting.wait_for(10)

    with stopped(service.outside_pid(), "poll counting"):
        wait_for(lambda: service.restarts == 1, 120, "a restart")
    service.wait_until_active()
    counting.wait_for(5)
    with stopped(service.outside_pid(), "poll counting"):
        wait_for(lambda: "a restart did not help" in service.messages(), what="the second hang")
        wait_for_polls(service, "host", TWICE_S)
        status = service.machine.show("agent", "StatusText")
    counting.wait_for(5)

    assert service.restarts == 1
    assert status.startswith("counting HANGS; ")
    entries = service.machine.journal("DEVICE=counting", "PRIORITY=3")
    assert len(entries) == 2
    assert all("counting: a poll has not ended for" in entry["MESSAGE"] for entry in entries)
    assert "the scheduler hangs" not in service.messages()
    wait_for(lambda: "counting goes on again" in service.messages(), what="its end")


def test_a_device_that_is_unplugged_or_gone_restarts_nothing(service: Service) -> None:
    service.copy()
    with simulators(service.machine) as configuration:
        service.machine.write("/root/mine.toml", configuration)
        service.install("--config", "/root/mine.toml")
        service.machine.drop_in("agent", SHORT)
        service.machine.run("systemctl", "restart", "agent")
        service.wait_until_active()
        pid = service.pid
        fault(service.machine, "board", "unplug")
        fault(service.machine, "thermostat", "silent")
        wait_for_polls(service, "plc", TWICE_S)
        devices = service.devices()
        service.machine.run("systemctl", "kill", "--signal=KILL", "simulators")

        wait_for(lambda: not service.devices()["plc"]["is_well"], what="an outage")
        wait_for_polls(service, "host", TWICE_S // 2)

        assert service.pid == pid
        assert service.restarts == 0
        assert not devices["board"]["is_well"]
        assert not devices["thermostat"]["is_well"]


def test_a_full_disk_restarts_nothing_and_loses_nothing(
    service: Service, counting: CountingDevice
) -> None:
    install(service, table())
    machine = service.machine
    machine.run("systemctl", "stop", "agent")
    options = "size=4m,mode=2770,uid=agent,gid=agent"
    machine.run("mount", "-t", "tmpfs", "-o", options, "tmpfs", "/var/lib/agent")
    first = counting.answered
    machine.run("systemctl", "start", "agent")
    counting.wait_for(10)
    pid = service.pid

    machine.run("sh", "-c", "cat /dev/zero > /var/lib/agent/ballast 2>/dev/null || true")
    wait_for(lambda: service.state()["store"]["error"], what="a full disk")
    counting.wait_for(TWICE_S * 5)
    status = machine.show("agent", "StatusText")
    machine.run("rm", "/var/lib/agent/ballast")
    wait_for(lambda: not service.state()["store"]["error"], what="room again")
    same = service.pid == pid
    machine.run("systemctl", "stop", "agent")

    assert same
    assert "NOT STORED" in status
    assert service.numbers() == list(range(first + 1, counting.answered + 1))
