"""Who runs the agent, and whether that user may read the configuration and write the data."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import Any

import attrs

from agent.access import how_to_read
from agent.config.source import REFERENCES
from agent.doctor.accounts import (
    ENTER,
    READ,
    WRITE,
    Account,
    group_id,
    group_name,
    named_account,
    this_account,
)
from agent.doctor.case import Case
from agent.doctor.finding import Finding, note, ok, problem, warning
from agent.doctor.sandbox import check_sandbox, closed_folders
from agent.service.own import STORE, STORE_PARTS
from agent.state import LOCK_NAME


def runner(case: Case) -> Account:
    """Who runs the agent: the user of the service, where there is one, else who asks."""
    machine = case.machine
    if not case.unit.is_installed or case.unit.is_user:
        return this_account(machine)
    facts = case.unit.facts
    name = facts.get("User") or "root"
    groups = f"{facts.get('SupplementaryGroups', '')} {facts.get('Group', '')}"
    found = named_account(machine, name, groups)
    here = this_account(machine)
    if found is None or found.uid == here.uid:
        return here
    own = group_id(machine, facts.get("Group") or "")
    return found if own is None else attrs.evolve(found, gid=own)


def check_permissions(case: Case) -> Iterator[Finding]:
    """Files and folders; the serial ports have a check of their own."""
    account = runner(case)
    why = "the service runs as it" if case.unit.is_installed else "who runs this command"
    yield ok(f"the user {account.name}, {why}")
    if case.unit.is_installed and not case.unit.is_user:
        name = case.unit.facts.get("User") or "root"
        if name not in (account.name, str(account.uid)):
            yield problem(
                f"the service runs as the user {name!r}, which this machine does not know",
                f"sudo systemctl show agent -p User; or: sudo useradd --system {quote(name)}",
            )
    if case.file is not None:
        yield from _configuration(account, case.file)
        yield from _secret_files(case, case.file)
    if case.config is not None:
        yield from _data(case, account, case.config.data_dir)
        yield from _store_files(account, case.config.data_dir)
        yield from check_sandbox(case)


def _configuration(account: Account, file: Path) -> Iterator[Finding]:
    try:
        is_readable = account.may(file, READ)
    except OSError:
        return  # the check of the configuration says so
    if is_readable:
        yield ok(f"{file} can be read by {account.name}")
    else:
        fix = f"sudo chgrp {account.name} {quote(str(file))} && sudo chmod 640 {quote(str(file))}"
        yield problem(f"{file} can't be read by {account.name}, who runs the agent", fix)


def _secret_files(case: Case, file: Path) -> Iterator[Finding]:
    """Files with secrets, that the configuration refers to, are nobody else's business."""
    folder = Path(os.path.realpath(file)).parent
    for named in sorted(set(_referenced(case.raw))):
        try:
            path = folder / Path(named).expanduser()
            mode = stat.S_IMODE(path.stat().st_mode)
        except (OSError, ValueError, RuntimeError):
            continue  # a fault of the configuration, which tells more
        if mode & stat.S_IROTH:
            text = f"{path}: everybody on this machine may read what stands in it"
            yield warning(text, f"chmod o= {quote(str(path))}")


def _referenced(value: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(value, dict) and depth < 32:
        if list(value) == [REFERENCES[1]] and isinstance(value[REFERENCES[1]], str):
            yield value[REFERENCES[1]]
        for each in value.values():
            yield from _referenced(each, depth + 1)
    elif isinstance(value, list) and depth < 32:
        for each in value:
            yield from _referenced(each, depth + 1)


def _data(case: Case, account: Account, data_dir: Path) -> Iterator[Finding]:
    folder = data_dir
    while not _is_there(folder) and folder != folder.parent:
        folder = folder.parent
    try:
        is_writable = account.may(folder, WRITE | ENTER)
    except PermissionError:
        # Closed to who asks: of another user, who runs the agent, that says nothing.
        level = problem if account.is_here else note
        text = f"{folder}: this user may not look there"
        yield level(text, how_to_read(folder) or "sudo agent doctor")
        return
    except OSError as exc:
        yield problem(f"{folder}: {exc.strerror}", f"look with: sudo ls -ld {quote(str(folder))}")
        return
    if not folder.is_dir():
        yield problem(f"{folder} is no folder", "name another data_dir in [agent]")
    elif not is_writable:
        text = f"{folder} can't be written by {account.name}, who runs the agent"
        text += "" if folder == data_dir else f", so {data_dir} can't be made"
        group = account.name if account.gid is None else group_name(case.machine, account.gid)
        owner = f"-o {account.name} -g {group}"
        fix = f"sudo install -d {owner} -m 2770 {quote(str(data_dir))}"
        yield problem(text, fix)
    elif Path(os.path.normpath(data_dir)) in closed_folders(case):
        pass  # it may by its rights, the sandbox says no: told below
    elif folder == data_dir:
        yield ok(f"{data_dir} can be written by {account.name}")
    else:
        yield note(f"{data_dir} is not there yet, the agent makes it at its first start")


def _store_files(account: Account, data_dir: Path) -> Iterator[Finding]:
    """One file that root made is enough, and nothing is stored any more."""
    closed = []
    for file in (*(data_dir / f"{STORE}{end}" for end in STORE_PARTS), data_dir / LOCK_NAME):
        try:
            if not account.may(file, READ | WRITE):
                closed.append(file)
        except OSError:  # it comes and goes, or the check of the folder has said so
            continue
    if closed:
        names = ", ".join(file.name for file in closed)
        words = " ".join(quote(str(file)) for file in closed)
        text = f"{data_dir}: {account.name} may not write {names}; did root run the agent once?"
        yield problem(text, f"sudo chown {account.name}: {words}; sudo chmod ug+rw {words}")


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True
