"""How this program and the agent are called, for texts to be pasted and for children."""

import os
import shlex
import shutil
import sys
from pathlib import Path

import click

CALLED = "hw_sim.called"  # where ``agent simulate`` leaves how it was called
FROM_SOURCE = "python -m hw_sim"


def called() -> str:
    """How the simulators were called, for texts: ``python -m hw_sim`` or ``agent simulate``."""
    context = click.get_current_context(silent=True)
    name: str = context.meta.get(CALLED, FROM_SOURCE) if context else FROM_SOURCE
    return name


def is_command_of_agent() -> bool:
    """Whether they run as ``agent simulate``."""
    return called() != FROM_SOURCE


def simulators() -> list[str]:
    """The words that call them from the folder that this program was started in."""
    if is_command_of_agent():
        return [agent(), "simulate"]
    return [os.path.relpath(sys.executable), "-m", "hw_sim"]


def agent() -> str:
    """How the agent is called from the folder that this program was started in."""
    if is_frozen():
        return _as_typed(sys.argv[0])
    beside = Path(sys.executable).parent / "agent"
    return os.path.relpath(beside) if beside.exists() else "agent"


def agent_command() -> list[str]:
    """The words that start the agent as a program of its own."""
    if is_frozen():
        return [sys.executable]
    return [sys.executable, "-m", "agent"]


def is_frozen() -> bool:
    """Whether this is the one file that has everything in it: ``-m`` means nothing to it."""
    return bool(getattr(sys, "frozen", False))


def shell_line(*words: str | Path) -> str:
    """A command to be pasted into a shell."""
    return shlex.join(map(str, words))


def _as_typed(name: str) -> str:
    """What was typed; the whole path where that is a name which no shell would find."""
    if os.sep in name or shutil.which(name):
        return name
    return sys.executable
