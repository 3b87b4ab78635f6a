"""What an installation consists of: steps that can be done and undone, each with its sentence."""

import errno
from collections.abc import Callable, Mapping, Sequence
from signal import Signals
from typing import Any, Protocol

import attrs

from agent.errors import AgentError
from agent.service import signals


class Step(Protocol):
    """One thing that is done; handed the rest when it is made."""

    @property
    def sentence(self) -> str:
        """What it does, as an order: "make the folder /etc/agent"."""

    @property
    def is_action(self) -> bool:
        """Whether it is not worth a word where there is nothing to do, such as "stop"."""

    @property
    def detail(self) -> str:
        """The text of what it writes, for ``--dry-run``; empty for the other steps."""

    def is_done(self) -> bool:
        """Whether all is as it should be already. Changes nothing."""

    def do(self) -> str:
        """Do it; what else the user should know of it, mostly nothing.

        Raises:
            AgentError: It can't be done; what it did of it is undone by ``undo()``.
        """

    def undo(self) -> str:
        """Take back what ``do()`` did, also when that failed half-way; as ``do()``."""


@attrs.frozen
class Said:
    """What became of a step."""

    step: str
    outcome: str  # "done", "already", "planned", "failed", "undone" or "not undone"
    note: str = ""


Say = Callable[[Said], None]


def carry_out(steps: Sequence[Step], say: Say) -> None:
    """Do all steps; when one fails, undo it and those before it, the last one first.

    Undoing goes on to its end, whatever signal comes.

    Raises:
        AgentError: As it comes from the step that failed.
    """
    begun: list[Step] = []
    former: Mapping[Signals, Any] = {}
    try:
        try:
            for step in steps:
                _carry_out_one(step, begun, say)
        except BaseException:
            former = signals.ignore()
            raise
    except BaseException as exc:  # also a signal that came before they were ignored
        former = former or signals.ignore()
        _undo(begun, exc, say)
        raise
    finally:
        signals.restore(former)


def _undo(begun: Sequence[Step], exc: BaseException, say: Say) -> None:
    why = str(exc) if isinstance(exc, AgentError | OSError) else "interrupted"
    if begun:
        say(Said(begun[-1].sentence, "failed", why))
    undone = [_is_undone(step, say) for step in reversed(begun)]
    if not isinstance(exc, AgentError | OSError):
        return
    text = _os_text(exc) if isinstance(exc, OSError) else str(exc)
    end = "all that was done is undone" if all(undone) else "not all could be undone, see above"
    error = AgentError(f"{text}; {end}")
    error.exit_code = getattr(exc, "exit_code", AgentError.exit_code)
    raise error from exc


def _carry_out_one(step: Step, begun: list[Step], say: Say) -> None:
    if step.is_done():
        if not step.is_action:
            say(Said(step.sentence, "already"))
        return
    begun.append(step)
    note = step.do()
    say(Said(step.sentence, "done", note))


def _is_undone(step: Step, say: Say) -> bool:
    try:
        note = step.undo()
    except (AgentError, OSError) as exc:
        say(Said(step.sentence, "not undone", str(exc)))
        return False
    say(Said(step.sentence, "undone", note))
    return True


def planned(steps: Sequence[Step], say: Say) -> None:
    """Say what ``carry_out()`` would do, and do nothing."""
    for step in steps:
        if not step.is_done():
            say(Said(step.sentence, "planned", step.detail))
        elif not step.is_action:
            say(Said(step.sentence, "already"))


def _os_text(exc: OSError) -> str:
    """An error of the system as ours: what, where, and what to do where that is known."""
    where = exc.filename if isinstance(exc.filename, str) else ""
    text = f"cannot write {where}: {exc.strerror}" if where else str(exc)
    if exc.errno == errno.EROFS:
        return f"{text}, make it writable for the installation (sudo mount -o remount,rw /)"
    if exc.errno == errno.ENOSPC:
        return f"{text}, free some space and try again"
    return text
