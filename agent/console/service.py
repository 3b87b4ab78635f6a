"""What ``install-service`` and ``uninstall-service`` do and print."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Any

import attrs

from agent import __version__
from agent.clock import Clock
from agent.console.first_config import config_text, named
from agent.console.table import printable, table
from agent.devices import KINDS
from agent.discovery import Search, Wish
from agent.errors import AgentError
from agent.files import own_as_folder
from agent.service import versions
from agent.service.accounts import NAME
from agent.service.install import Install, Plan
from agent.service.lock import alone
from agent.service.machine import Machine, sudo
from agent.service.paths import Places
from agent.service.program import Program
from agent.service.steps import Said, carry_out, planned
from agent.service.uninstall import Kept, Removal, Uninstall, remove_all

WIDTH = 10  # columns of the word before a step
WORDS = {"planned": "would", "log": "it said"}
Show = Callable[[str], None]


class Teller:
    """Shows each step as it is done, and keeps all for ``--json`` and for install.log."""

    def __init__(self, show: Show, clock: Clock, *, as_json: bool) -> None:
        self._show = show
        self._clock = clock
        self._as_json = as_json
        self.said: list[Said] = []
        self._said_ms: list[int] = []

    def say(self, said: Said) -> None:
        """Never fails: a step is not undone, nor left half undone, because nobody reads of it."""
        self.said.append(said)
        self._said_ms.append(self._clock.now_ms())
        if not self._as_json:
            with suppress(AgentError, OSError, ValueError):  # the last one of a closed stream
                self._show_said(said)

    def _show_said(self, said: Said) -> None:
        word = WORDS.get(said.outcome, said.outcome)
        self._show(printable(f"{word:{WIDTH}}{said.step}"))
        for line in said.note.splitlines():
            self._show(printable(f"{'':{WIDTH}}{'  ' if said.outcome == 'planned' else ''}{line}"))

    def log(self, command: str) -> str:
        """All that was said, a line each, with its time."""
        lines = []
        for ts_ms, said in zip(self._said_ms, self.said, strict=True):
            moment = datetime.fromtimestamp(ts_ms // 1000, UTC)
            text = " ".join(f"{said.outcome}: {said.step} {said.note}".split())
            start = f"{moment:%Y-%m-%dT%H:%M:%SZ} agent {__version__} {command}"
            lines.append(printable(f"{start}: {text}"))
        return "".join(f"{line}\n" for line in lines)

    def tell(self, *lines: str) -> None:
        """Lines for people."""
        if not self._as_json:
            for line in "\n".join(lines).splitlines():
                self._show(printable(line))

    def tell_json(self, facts: Mapping[str, Any]) -> None:
        """Facts for programs, with all steps."""
        if self._as_json:
            steps = [attrs.asdict(said) for said in self.said]
            self._show(json.dumps({**facts, "steps": steps}, indent=1, ensure_ascii=False))


@attrs.frozen
class InstallWish:
    """The options of ``install-service``."""

    config: Path | None
    prefix: str | None
    is_user: bool
    is_dry_run: bool


def install(
    wish: InstallWish, machine: Machine, program: Program, unpack: versions.Unpack, teller: Teller
) -> None:
    """Install the service, or say what would be done.

    Raises:
        AgentError: It can't be done; what was done of it is undone.
    """
    try:
        places = machine.places(wish.prefix, is_user=wish.is_user)
        hindrances = machine.hindrances(places, program.path, is_frozen=program.is_frozen)
        if hindrances and not wish.is_dry_run:
            raise AgentError("\n".join(hindrances))
        with nullcontext() if wish.is_dry_run else alone(places):
            # Asked again: another one may have just ended.
            places = machine.places(wish.prefix, is_user=wish.is_user)
            planner = Install(machine, places, program, unpack, teller.say)
            plan = planner.plan(wish.config, KINDS, lambda: first_text(search=not wish.is_dry_run))
            if wish.is_dry_run:
                _tell_plan(plan, hindrances, teller)
            else:
                _carry_out(plan, places, teller)
    except (AgentError, OSError) as exc:
        text = str(exc)
        if isinstance(exc, OSError):  # of a plan: nothing was done yet
            text = f"cannot read {exc.filename}: {exc.strerror}; put sudo before the command"
        teller.tell_json({"ok": False, "dry_run": wish.is_dry_run, "error": text})
        if isinstance(exc, OSError):
            raise AgentError(text) from exc
        raise


def _tell_plan(plan: Plan, hindrances: Sequence[str], teller: Teller) -> None:
    planned(plan.steps, teller.say)
    notes = [*plan.notes, *hindrances]
    teller.tell(*(f"note      {note}" for note in notes))
    facts = {"unit": plan.unit_text, "notes": notes}
    teller.tell_json({"ok": not hindrances, "dry_run": True, **facts})


def _carry_out(plan: Plan, places: Places, teller: Teller) -> None:
    try:
        carry_out(plan.steps, teller.say)
    finally:
        write_log(places, teller.log("install-service"))
    verdict = plan.start.verdict
    state = verdict.state if verdict else {}
    teller.tell(*(f"note      {note}" for note in plan.notes), "", *_result(plan, places, state))
    facts = {"version": __version__, "unit": str(places.unit), "notes": list(plan.notes)}
    devices = {each["name"]: each["is_well"] for each in state.get("devices", [])}
    teller.tell_json({"ok": True, "dry_run": False, **facts, "devices": devices})


def first_text(*, search: bool) -> str:
    """A first configuration: this machine, and the boards at its serial ports; no network."""
    wish = Wish() if search else Wish(kinds=("host",))
    result = Search(KINDS, wish).run()
    return config_text(named(result.findings, KINDS), KINDS)


def _result(plan: Plan, places: Places, state: Mapping[str, Any]) -> list[str]:
    """What runs now, and what the user does next."""
    scope = "--user " if places.is_user else ""
    of_user = f" --config {places.config}" if places.is_user else ""
    start = "when you log in" if places.is_user else "with the machine"
    lines = [f"agent {__version__} runs as a service and starts {start}."]
    lines += [f"{name} is not well: {error}" for name, error in _ill(state)]
    data_dir = plan.configured.config.data_dir
    lines += ["", f"configuration  {places.config}", f"data           {data_dir}"]
    log = f"{sudo(places)}journalctl {scope}--unit agent"
    restart = f"{sudo(places)}systemctl {scope}restart agent"
    steps = [
        (f"agent status{of_user}", "who is well, who is not"),
        (f"{sudo(places)}nano {places.config}", "devices and options"),
        (f"agent check{of_user}", "after every change of them, and then:"),
        (restart, "have them count"),
        (log, "what it has said"),
    ]
    lines += ["Next:", table(["", ""], [list(step) for step in steps]).strip("\n")]
    if plan.joins is not None:
        lines += ["", f"{plan.joins}: log in again first, or put sudo before the commands."]
    if places.is_user:
        lines += ["", "It ends when you log out, unless you once run: sudo loginctl enable-linger"]
    if str(places.command.parent) not in os.environ.get("PATH", "").split(":"):
        lines += ["", f"The command is {places.command}; its folder is not in your PATH."]
    return lines


def _ill(state: Mapping[str, Any]) -> list[tuple[str, str]]:
    devices = state.get("devices", [])
    return [(d["name"], d.get("error") or "no answer yet") for d in devices if not d["is_well"]]


def uninstall_plan(
    machine: Machine, *, prefix: str | None, is_user: bool
) -> tuple[Uninstall, Places]:
    """What would be removed.

    Raises:
        AgentError: It can't be done here.
    """
    places = machine.places(prefix, is_user=is_user)
    return Uninstall(machine, places, KINDS), places


def check_uninstall(machine: Machine, places: Places, program: Path) -> None:
    """Raises ``AgentError`` where nothing can be removed."""
    hindrances = machine.hindrances(places, program, is_frozen=True)
    if hindrances:
        raise AgentError("\n".join(hindrances).replace("install-service", "uninstall-service"))


def uninstall(
    planner: Uninstall,
    kept: Kept,
    places: Places,
    teller: Teller,
    *,
    is_purge: bool,
    is_dry_run: bool,
) -> None:
    """Remove the service; its configuration and data only with ``is_purge``.

    Raises:
        AgentError: Some of it can't be removed; the rest is.
    """
    if is_dry_run:
        for each in planner.removals(kept, is_purge=is_purge):
            if each.is_there():
                teller.say(Said(each.sentence, "planned"))
    else:
        with alone(places):
            _remove(planner.removals(kept, is_purge=is_purge), places, teller, is_purge=is_purge)
    if not teller.said:
        teller.tell("The service is not installed: nothing was removed.")
    left = [path for path in _left(kept, is_purge=is_purge) if os.path.lexists(path)]
    if not is_dry_run or not is_purge:
        teller.tell(*(f"kept      {path}" for path in left))
    if left and not is_purge:
        user = "" if places.is_user else f" && sudo userdel {NAME}"
        removed = " ".join(quote(str(path)) for path in left)
        teller.tell(f"To remove these too, and for good: {sudo(places)}rm -r {removed}{user}")
    teller.tell_json({"ok": True, "dry_run": is_dry_run, "kept": [str(path) for path in left]})


def _remove(removals: Sequence[Removal], places: Places, teller: Teller, *, is_purge: bool) -> None:
    try:
        remove_all(removals, teller.say)
    finally:
        if not is_purge and teller.said:
            write_log(places, teller.log("uninstall-service"))


def _left(kept: Kept, *, is_purge: bool) -> tuple[Path, ...]:
    # Folders that the user named stay where something of others is in them.
    return (
        (*kept.folders, *kept.outside)
        if is_purge
        else (kept.config, *kept.data, *kept.reports, *kept.outside)
    )


def write_log(places: Places, text: str) -> None:
    """Add to install.log what was done, and when. Without it the rest is as good."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        places.log.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        # The folder is the service's, so no link in it is followed.
        handle = os.open(places.log, flags, 0o640)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            own_as_folder(handle, places.log.parent)
            stream.write(text)
    except OSError:
        return
