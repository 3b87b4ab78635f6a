"""What systemd is told, over sockets of the test."""

import logging
import os
import secrets
import socket
from pathlib import Path

import pytest

from agent.service.notify import Notify
from tests.service.listener import Listener


@pytest.mark.parametrize("is_abstract", [False, True])
def test_each_message_arrives_as_systemd_reads_it(tmp_path: Path, *, is_abstract: bool) -> None:
    address = f"@agent-{secrets.token_hex(8)}" if is_abstract else tmp_path / "notify"

    with Listener(address) as systemd:
        notify = Notify({"NOTIFY_SOCKET": systemd.address})
        notify.ready()
        notify.status("5 of 6 devices well\n(plc: no answer)")
        notify.alive()
        notify.stopping("stopping", 12.5)
        notify.close()

        assert systemd.messages == [
            b"READY=1",
            b"STATUS=5 of 6 devices well (plc: no answer)",
            b"WATCHDOG=1",
            b"STOPPING=1\nSTATUS=stopping\nEXTEND_TIMEOUT_USEC=12500000",
        ]


def test_a_child_of_the_agent_inherits_nothing_to_speak_with() -> None:
    environ = {
        "NOTIFY_SOCKET": "/run/systemd/notify",
        "WATCHDOG_USEC": "60000000",
        "WATCHDOG_PID": "1",
        "HOME": "/",
    }

    Notify(environ)

    assert environ == {"HOME": "/"}


def test_without_systemd_nothing_is_told_and_nothing_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    notify = Notify({"WATCHDOG_USEC": "60000000"})

    notify.ready()
    notify.stopping("stopping", 1)

    assert not notify.is_heard
    assert notify.watchdog_s is None
    assert caplog.records == []


@pytest.mark.parametrize(
    ("pid", "watchdog_s"), [("", 60.0), ("own", 60.0), ("1", None), ("x", None)]
)
def test_the_watchdog_of_another_process_is_not_ours(pid: str, watchdog_s: float | None) -> None:
    environ = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": pid}
    if pid == "own":
        environ["WATCHDOG_PID"] = str(os.getpid())

    assert Notify(environ).watchdog_s == watchdog_s


@pytest.mark.parametrize("period", ["0", "-1", "1.5", "x", "1e9", "9" * 5000, "²", " 1"])
def test_a_watchdog_of_no_sense_is_named_and_not_fed(
    period: str, caplog: pytest.LogCaptureFixture
) -> None:
    notify = Notify({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": period})

    assert notify.watchdog_s is None
    (record,) = caplog.records
    assert "WATCHDOG_USEC" in record.getMessage()


@pytest.mark.parametrize("name", ["notify", "vsock:2:1234", "/" + "x" * 200, "/", "@", "/a\0b"])
def test_an_address_of_no_sense_is_named_and_not_used(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    notify = Notify({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "60000000"})

    notify.ready()

    assert not notify.is_heard
    assert notify.watchdog_s is None
    (record,) = caplog.records
    assert "NOTIFY_SOCKET" in record.getMessage()


def test_a_socket_that_is_gone_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notify = Notify({"NOTIFY_SOCKET": str(tmp_path / "gone")})

    notify.ready()
    notify.alive()
    notify.close()
    notify.close()

    warnings = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert warnings == ["cannot tell systemd how the agent is: No such file or directory"]


def test_a_systemd_that_reads_nothing_holds_nobody_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "deaf"))
        notify = Notify({"NOTIFY_SOCKET": str(tmp_path / "deaf")})

        for _ in range(5000):  # more than any queue takes
            notify.alive()
        notify.close()


def test_a_status_is_one_line_of_sound_length(tmp_path: Path) -> None:
    with Listener(tmp_path / "notify") as systemd:
        notify = Notify({"NOTIFY_SOCKET": systemd.address})

        notify.status("x\nREADY=1\r\n" * 1000)
        notify.close()

        (message,) = systemd.messages
        assert b"\n" not in message
        assert len(message) < 400
