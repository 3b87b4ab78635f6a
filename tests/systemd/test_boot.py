"""The machine starts, and so does the service: after a reboot, a power cut, without network."""

import random
import shutil
from pathlib import Path

import pytest

from tests.agent_process import wait_for
from tests.systemd.counting import counting_device, table
from tests.systemd.figures import Figures
from tests.systemd.machine import Machine
from tests.systemd.service import STORE, Service

pytestmark = [pytest.mark.systemd, pytest.mark.slow, pytest.mark.timeout(900)]

FLUSH_S = 1.0
INTERVAL_S = 0.2
HOST = '[[device]]\nname = "host"\nkind = "host"\ninterval_s = 1.0\n'
FAR_AWAY = '[[device]]\nname = "plc"\nkind = "s7"\nhost = "192.0.2.7"\ninterval_s = 1.0\n' + (
    '[[device.tag]]\nname = "counter"\naddress = "DB1.DBD0:DINT"\n'
)
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


def install(machine: Machine, *devices: str) -> Service:
    service = Service(machine)
    service.install_with(devices, flush_s=FLUSH_S)
    return service


def test_after_a_reboot_the_service_runs_by_itself_and_goes_on(
    machine: Machine, tmp_path: Path
) -> None:
    with counting_device(machine, tmp_path) as counting:
        service = install(machine, table(interval_s=INTERVAL_S))
        counting.wait_for(5)

        machine.shut_down()
        before = counting.answered
    machine.boot()

    with counting_device(machine, tmp_path) as counting:
        counting.wait_for(5)
        machine.run("systemctl", "stop", "agent")
        assert counting.answered >= before + 5
        assert service.numbers() == list(range(1, counting.answered + 1))


@pytest.mark.parametrize("cuts", [8])
def test_after_a_power_cut_the_service_runs_again_and_has_lost_a_few_seconds(
    cuts: int, machine: Machine, tmp_path: Path, figures: Figures
) -> None:
    service, chance = None, random.Random(cuts)
    ends = []
    for _ in range(cuts):
        with counting_device(machine, tmp_path) as counting:
            service = service or install(machine, table(interval_s=INTERVAL_S))
            counting.wait_for(chance.randrange(5, 25))
            machine.cut_power()
            ends.append(counting.answered)
        machine.boot()

    assert service is not None
    with counting_device(machine, tmp_path) as counting:
        counting.wait_for(5)
        machine.run("systemctl", "stop", "agent")
        missing = set(range(1, counting.answered + 1)) - set(service.numbers())
    sound = machine.run("sqlite3", STORE, "PRAGMA integrity_check").stdout
    figures.note(f"samples lost in {cuts} power cuts, at 5 a second", len(missing))
    assert sound == "ok\n"
    bound = round((FLUSH_S + 1) / INTERVAL_S)  # the commit itself takes a moment
    lost = {number for end in ends for number in range(end - bound, end + 1)}
    assert missing <= lost


def test_the_service_starts_without_network_and_without_its_devices(machine: Machine) -> None:
    service = install(machine, HOST, FAR_AWAY)

    machine.shut_down()
    machine.boot()

    service.wait_until_active()
    wait_for(lambda: service.devices()["plc"]["is_well"] is False, what="a device that is away")
    assert service.devices()["host"]["is_well"]
    assert "192.0.2.7" in service.messages("--boot")


@pytest.mark.skipif(
    not FAKETIME.exists(), reason="libfaketime is missing (apt install libfaketime)"
)
def test_the_service_starts_on_a_machine_that_does_not_know_the_time(
    machine: Machine, tmp_path: Path
) -> None:
    with counting_device(machine, tmp_path) as counting:
        service = install(machine, table(interval_s=INTERVAL_S))
        counting.wait_for(5)
        shutil.copy(FAKETIME, machine.root / "usr/lib/faketime.so")
        machine.run("systemctl", "stop", "agent")
        before = service.numbers()
        early = 'LD_PRELOAD=/usr/lib/faketime.so FAKETIME_DONT_FAKE_MONOTONIC=1 "FAKETIME=%s"'
        machine.drop_in("agent", f"[Service]\nEnvironment={early % '@1970-01-01 00:01:00'}\n")

        machine.run("systemctl", "start", "agent")

        counting.wait_for(10)
        machine.run("systemctl", "stop", "agent")
        stored = service.numbers()
        machine.run("sh", "-c", "rm -r /etc/systemd/system/agent.service.d")
        machine.run("systemctl", "daemon-reload")
        machine.run("systemctl", "start", "agent")
        counting.wait_for(5)
        machine.run("systemctl", "stop", "agent")
        assert len(stored) >= len(before) + 10
        assert sorted(service.numbers()) == list(range(1, counting.answered + 1))
