"""Serial ports of configured devices: there, and open to the user who runs the agent."""

import glob
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.devices.links.usb import is_serial_port
from agent.doctor.accounts import READ, WRITE, Account, group_id, group_name, members, user_name
from agent.doctor.case import Case
from agent.doctor.finding import Finding, note, ok, problem
from agent.doctor.permissions import runner
from agent.service.accounts import DEVICE_GROUPS


def check_serial_ports(case: Case) -> Iterator[Finding]:
    """Every port that a device names, each once."""
    account = runner(case)
    ports: dict[str, str] = {}
    for device in case.devices:
        for path in ports_of(device.options):
            ports.setdefault(path, device.name)
    for path, name in ports.items():
        yield from _port(case, account, path, name)
    if not ports and account.uid != 0:
        yield from _groups(case, account)


def _groups(case: Case, account: Account) -> Iterator[Finding]:
    """Of use only once a device has a serial port."""
    for group in DEVICE_GROUPS:
        number = group_id(case.machine, group)
        if number is None or number in account.gids:
            continue
        if account.name not in members(case.machine, number):
            yield note(
                f"{account.name} is not in the group {group}: serial ports would be closed to it",
                f"only if a device has a serial port: sudo usermod -aG {group} {account.name}",
            )


def ports_of(options: Any) -> list[str]:
    """The serial ports that the options of a device name, patterns replaced by what is there."""
    found = []
    serial, port = getattr(options, "serial", None), getattr(options, "port", None)
    found += [serial] if isinstance(serial, str) and serial else []
    if isinstance(port, str) and port:
        found.append(port)
    elif isinstance(search := getattr(options, "search", None), str):
        found += sorted(glob.glob(search))  # noqa: PTH207 - takes any path
    return found


def _port(case: Case, account: Account, path: str, device: str) -> Iterator[Finding]:
    try:
        status = os.stat(path)  # noqa: PTH116 - of what the path leads to
    except OSError as exc:
        # A note: that the device can't be read is the problem, and told already.
        text = f"{path} of {device}: {(exc.strerror or str(exc)).lower()}; is it plugged in?"
        yield note(text, "agent discover shows the ports that are there")
        return
    if not is_serial_port(path):
        yield problem(
            f"{path} of {device} is no serial port", "agent discover shows those there are"
        )
        return
    try:
        is_open = account.may(Path(path), READ | WRITE)
    except OSError:
        is_open = False
    if is_open:
        yield ok(f"{path} of {device} is open to {account.name}")
        return
    yield _closed(case, account, f"{path} of {device}", status)


def _closed(case: Case, account: Account, port: str, status: os.stat_result) -> Finding:
    group = group_name(case.machine, status.st_gid)
    shares = stat.S_IMODE(status.st_mode) >> 3 & (READ | WRITE) == READ | WRITE
    if not shares or status.st_gid == 0:
        owner = user_name(case.machine, status.st_uid)
        return problem(
            f"{port}: only {owner} may use it",
            "give it to the group dialout with a udev rule: "
            'SUBSYSTEM=="tty", GROUP="dialout", MODE="0660"',
        )
    if account.name in members(case.machine, status.st_gid):
        again = "log out and in again; it counts from the next login on"
        if not account.is_here:
            again = "sudo systemctl restart agent"
        return problem(f"{port}: {account.name} is in the group {group}, but not yet here", again)
    fix = f"sudo usermod -aG {group} {account.name}, then log in again"
    if not account.is_here:
        fix = f"sudo usermod -aG {group} {account.name} && sudo systemctl restart agent"
    return problem(f"{port}: {account.name} is not in the group {group}, which owns it", fix)
