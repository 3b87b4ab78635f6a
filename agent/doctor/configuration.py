"""The configuration: where it was found, what acts on it, what is wrong with it."""

import os
from collections.abc import Iterator
from pathlib import Path

from agent.access import how_to_read
from agent.config import Config, FaultyConfigError
from agent.config.environment import DEVICE_PREFIX, PREFIX
from agent.config.schema import SECTIONS
from agent.config.source import default_files
from agent.doctor.case import Case
from agent.doctor.finding import Finding, listed, note, ok, problem, warning
from agent.words import counted

OURS = (DEVICE_PREFIX, *(f"{PREFIX}{name.upper()}_" for name in SECTIONS))


def check_configuration(case: Case) -> Iterator[Finding]:
    """What the agent is told to do."""
    if case.config is not None:
        yield from _sound(case, case.config)
    elif case.file is None:
        yield problem(
            "there is no agent.toml here and no /etc/agent/agent.toml",
            "agent init writes one; or name one with --config FILE",
        )
    else:
        yield from _faults(case, case.file)
    yield from _environment(case)
    yield from _others(case)


def _sound(case: Case, config: Config) -> Iterator[Finding]:
    where = config.source if case.file is None else str(case.file.absolute())
    yield ok(f"{where}: {counted(len(config.devices), 'device')}")
    for device in config.devices:
        if not device.enabled:
            yield note(f"{device.name} is not enabled: it is not polled")
    if not case.devices:
        fix = "agent discover finds devices, agent init writes a configuration with them"
        yield warning(f"{where}: no device is enabled, nothing will be polled", fix)


def _faults(case: Case, file: Path) -> Iterator[Finding]:
    if _is_closed(file):
        fix = how_to_read(file) or "sudo agent doctor"
        yield problem(f"{file}: this user may not read it", fix)
        return
    check = f"correct it, then: agent check{case.option}"
    faults = case.error.faults if isinstance(case.error, FaultyConfigError) else ()
    ours = case.unit.environment_file
    for fault in faults:
        if ours is None or "environment variable" not in fault.text:
            yield problem(str(fault), check)
        elif _is_closed(ours):
            fix = f"sudo agent doctor sees what stands in {ours}"
            yield warning(f"{fault}; the service may have it", fix)
        else:
            yield problem(str(fault), f"set it, or write it into {ours} for the service")
    if not faults:
        yield problem(str(case.error), check)


def _is_closed(file: Path) -> bool:
    """Whether a file is there and this user may not read it."""
    try:
        file.stat()
    except PermissionError:
        return True
    except OSError:
        return False
    return not os.access(file, os.R_OK)


def _environment(case: Case) -> Iterator[Finding]:
    environ = case.machine.environ
    names = sorted(name for name in environ if name.startswith(OURS) or name == "AGENT_CONFIG")
    if names:
        yield note(f"environment variables that act here: {listed(names)}")


def _others(case: Case) -> Iterator[Finding]:
    """A second configuration, or one that was changed under a running agent."""
    if case.file is None:
        return
    here = os.path.realpath(case.file)
    # Who names a file knows that there are others.
    usual = default_files(os.environ)
    usual = usual if case.file in usual else ()
    for other in (case.unit.config, *usual):
        if other is not None and os.path.realpath(other) != here and os.access(other, os.F_OK):
            named = f"the service uses {other}" if other == case.unit.config else f"{other} also"
            text = f"{named}; looked at here is {case.file}"
            text = text if other == case.unit.config else f"there is {text}"
            yield note(text, f"to look at that: agent doctor --config {other}")
            break
    if case.running is None:
        return
    source, started_ms = case.running.get("config"), case.running.get("started_ms")
    if isinstance(source, str) and source and os.path.realpath(source) != here:
        yield note(f"the running agent was started with {source}")
    elif isinstance(started_ms, int) and _changed_ms(case.file) > started_ms:
        yield warning(
            f"{case.file} was changed after the agent started, which does not know of that",
            case.restart,
        )


def _changed_ms(file: Path) -> float:
    try:
        return file.stat().st_mtime * 1000
    except OSError:
        return 0.0
