"""The service: installed, running, of this version, and what it said last when it failed."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from agent import __version__
from agent.doctor.case import Case
from agent.doctor.disk import is_container
from agent.doctor.finding import Finding, note, ok, problem, warning
from agent.doctor.systemd import INSTALL, NAME, Unit
from agent.service.build import this_build
from agent.service.unit import UnitFacts, folders_of, is_edited, is_ours, prefix_of
from agent.service.unit import unit_text as made_unit

VERSION_S: Final = 15.0  # a one-file program on a slow card has to unpack itself first
ERRORS: Final = 3  # last errors of the journal that are shown, each once
ERRORS_READ: Final = 50
NO_NAMESPACE: Final = "226"  # systemd.exec(5): a path of the sandbox is missing
MANY_RESTARTS: Final = 3


def check_service(case: Case) -> Iterator[Finding]:
    """What systemd knows of the agent."""
    unit = case.unit
    if not unit.has_systemd:
        yield _without(case)
    elif unit.error:
        yield note(f"systemd can't be asked: {unit.error}", f"systemctl{unit.option} status agent")
    elif not unit.is_installed:
        yield note("the service is not installed, the agent does not start by itself", INSTALL)
    else:
        yield from _state(unit)
        yield from _start(unit)
        yield from _program(case, unit)
        yield from check_unit_file(unit)
        yield from _journal(case, unit)
    yield from _run_by_hand(case)


def _without(case: Case) -> Finding:
    runs = "an agent runs" if case.is_running else "no agent runs"
    if is_container(case.machine):
        return note(f"a container without systemd; {runs}", "its start is up to the container")
    return note(f"no systemd here; {runs}", f"start it by hand: agent run{case.option}")


def _state(unit: Unit) -> Iterator[Finding]:
    facts, kind = unit.facts, f"{NAME}{' of this user' if unit.is_user else ''}"
    logs = f"{unit.sudo}journalctl{unit.option} -u agent -n 50"
    state = f"{facts.get('ActiveState')} ({facts.get('SubState')})"
    since = facts.get("ActiveEnterTimestamp", "")
    if facts.get("LoadState") != "loaded":
        text = f"{kind}: systemd can't load it, it says {facts.get('LoadState')}"
        yield problem(text, f"systemd-analyze verify {facts.get('FragmentPath')}; or: {unit.renew}")
    elif unit.is_active:
        yield ok(
            f"{kind} is {state}{f' since {since}' if since else ''}", facts.get("StatusText", "")
        )
    elif facts.get("ExecMainStatus") == NO_NAMESPACE:
        text = f"{kind} can't start (226/NAMESPACE): a folder that its unit names is not there"
        yield problem(text, f"renew the unit: {unit.renew}")
    elif facts.get("ActiveState") == "failed":
        why = f"{facts.get('Result')}, exit code {facts.get('ExecMainStatus')}"
        yield problem(f"{kind} has failed: {why}", f"see why: {logs}")
    else:
        fix = f"{unit.sudo}systemctl{unit.option} start agent"
        yield problem(f"{kind} is {state}: nothing is polled by it", fix)


def _start(unit: Unit) -> Iterator[Finding]:
    facts = unit.facts
    if facts.get("UnitFileState") not in ("enabled", "enabled-runtime", "static", "linked"):
        fix = f"{unit.sudo}systemctl{unit.option} enable agent"
        yield warning(
            f"it is {facts.get('UnitFileState')}: it does not start with the machine", fix
        )
    restarts = facts.get("NRestarts", "0")
    if restarts.isdecimal() and int(restarts) >= MANY_RESTARTS:
        fix = f"see why: {unit.sudo}journalctl{unit.option} -u agent -p warning"
        yield warning(f"systemd has restarted it {restarts} times", fix)
    if facts.get("WatchdogUSec") in (None, "", "0", "infinity"):
        yield warning("it has no watchdog: if it hangs, nobody notices", f"renew it: {unit.renew}")


def _program(case: Case, unit: Unit) -> Iterator[Finding]:
    program = unit.program
    if program is None:
        return
    if not os.access(program, os.X_OK):
        yield problem(f"{program}, which the service starts, can't be run here", unit.renew)
        return
    if program.name.startswith("python"):
        return  # from source; which version that is only it knows
    said = case.machine.run([str(program), "version", "--json"], VERSION_S)
    installed = _version(said.text)
    if installed is None:
        words = " ".join((said.error or said.text).strip().splitlines()[-1:])[:80]
        yield warning(f"{program} does not say its version: {words or 'nothing'}", unit.renew)
        return
    here: dict[str, Any] = {"agent": __version__, "build": this_build()}
    theirs = f"{installed['agent']}{_short(installed['build'])}"
    if installed["agent"] != here["agent"] or (
        None not in (installed["build"], here["build"]) and (installed["build"] != here["build"])
    ):
        text = f"the service has version {theirs}, this is {here['agent']}{_short(here['build'])}"
        yield note(text, f"to bring this one into service: {unit.renew}")
    else:
        yield ok(f"the service has version {theirs}, as this program")
    ran = case.running.get("version") if case.running is not None else None
    if isinstance(ran, str) and ran != installed["agent"]:
        text = f"version {ran} still runs, {installed['agent']} is installed"
        yield warning(text, f"{unit.sudo}systemctl{unit.option} restart agent")


def _version(text: str) -> dict[str, Any] | None:
    try:
        facts = json.loads(text)
    except ValueError:
        return None
    if not isinstance(facts, dict) or not isinstance(facts.get("agent"), str):
        return None
    return {"agent": facts["agent"], "build": facts.get("build")}


def _short(build: object) -> str:
    return f" (build {build[:8]})" if isinstance(build, str) else ""


def check_unit_file(unit: Unit) -> Iterator[Finding]:
    """Whether it is as this version makes it, and as systemd has it."""
    text = unit_text(unit)
    newer = renewed(text, unit)
    if newer is None or newer == text:
        pass  # not made by install-service, as that of a package; or as this version makes it
    elif is_edited(text):
        fix = f"{unit.sudo}systemctl{unit.option} edit agent keeps changes beside it"
        yield note(f"{unit.facts.get('FragmentPath')} was changed by hand", fix)
    else:
        yield note("the unit was made by another version of the agent", f"renew it: {unit.renew}")
    if unit.facts.get("NeedDaemonReload") == "yes":
        fix = f"{unit.sudo}systemctl{unit.option} daemon-reload"
        yield warning("the unit was changed on the disk, systemd has the old one", fix)


def _journal(case: Case, unit: Unit) -> Iterator[Finding]:
    """The last errors; what they mean now the other lines say."""
    words = ["journalctl", *(["--user"] if unit.is_user else []), "-u", "agent", "-b", "-p", "err"]
    said = case.machine.run(
        [*words, "-n", str(ERRORS_READ), "-o", "short-iso", "-q", "--no-pager"], 5.0
    )
    lines = [line for line in said.text.splitlines() if line and not line.startswith("--")]
    if said.code != 0:
        fix = "sudo agent doctor; or: sudo usermod -aG systemd-journal $USER, then log in again"
        why = next(iter(said.error.splitlines()), "no answer")
        yield note(f"the journal can't be read: {why}", fix)
    last = {line.partition("]: ")[2] or line: line for line in lines}
    errors = [line for line in dict.fromkeys(lines) if line in last.values()][-ERRORS:]
    for line in errors:
        fix = f"{unit.sudo}journalctl{unit.option} -u agent -n 50" if line == errors[-1] else ""
        yield note(f"an error in the journal: {line}", fix)


def _run_by_hand(case: Case) -> Iterator[Finding]:
    pid = case.running.get("pid") if case.running is not None else None
    main = case.unit.facts.get("MainPID")
    if not isinstance(pid, int):
        return
    if case.unit.is_active and str(pid) != main and not _is_child(case, pid, main or ""):
        text = f"the agent on these data (process {pid}) is not the one of the service"
        yield note(text, "the service may use another configuration: systemctl cat agent")
    elif not case.unit.is_active:
        yield ok(f"an agent runs as process {pid}, started by hand or by another program")


def _is_child(case: Case, pid: int, parent: str) -> bool:
    """The one file is two processes: one that unpacks and waits, and the agent."""
    text = case.machine.text(f"/proc/{pid}/status")
    return any(line.split() == ["PPid:", parent] for line in text.splitlines())


def renewed(text: str, unit: Unit) -> str | None:
    """The unit as this version of the agent makes it; ``None`` where install-service made none."""
    prefix = prefix_of(text)
    if not is_ours(text) or prefix is None or unit.config is None:
        return None
    facts = UnitFacts(
        program=prefix / "lib/agent/current/agent",
        config=unit.config,
        environment=unit.environment_file or unit.config.with_name("agent.env"),
        is_user=unit.is_user,
        has_usual_data_dir="\nStateDirectory=" in text or unit.is_user,
        folders=tuple(folders_of(text)),
    )
    return made_unit(facts)


def unit_text(unit: Unit) -> str:
    """The unit as it lies on the disk."""
    path = unit.facts.get("FragmentPath")
    try:
        return Path(path).read_text("utf-8", "replace") if path else ""
    except OSError as exc:
        return f"{path}: {exc.strerror}"
