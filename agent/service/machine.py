"""The machine that a service is installed on: who asks, what runs there, what is there already."""

import os
import pwd
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from shlex import quote

import attrs

from agent.clock import Clock
from agent.errors import AgentError
from agent.service import unit
from agent.service.commands import Runner
from agent.service.paths import PREFIX, Places, checked_prefix, system_places, user_places
from agent.service.place import link_target
from agent.service.watch import BUDGET_S, STEADY_S


@attrs.frozen
class Machine:
    """What an installation is handed in; tests hand in one that lies in a folder."""

    runner: Runner
    clock: Clock
    pause: Callable[[float], object]
    environ: Mapping[str, str]
    uid: int
    home: Path
    root: Path = Path("/")
    budget_s: float = BUDGET_S
    steady_s: float = STEADY_S

    @property
    def caller(self) -> str | None:
        """The person who called sudo."""
        name = self.environ.get("SUDO_USER", "")
        return None if name in ("", "root") else name

    def places(self, prefix: str | None, *, is_user: bool) -> Places:
        """Where a service goes: to the prefix that is named, or to the one it has.

        Raises:
            ConfigError: Nothing can be installed there.
            AgentError: It is installed below another one.
        """
        named = checked_prefix(prefix, is_user=is_user) if prefix is not None else None
        places = self._places(named, is_user=is_user)
        found = unit.prefix_of(read_unit(places) or "")
        if found is None or found == places.prefix:
            return places
        if named is not None:
            command = self.typed(attrs.evolve(places, prefix=found).command)
            raise AgentError(
                f"--prefix: the service is installed below {found}: leave the option out, or "
                f"first: {sudo(places)}{command} uninstall-service"
            )
        return attrs.evolve(places, prefix=found)

    def _places(self, prefix: Path | None, *, is_user: bool) -> Places:
        if is_user:
            default = f"/run/user/{self.uid}"
            runtime = Path(self.environ.get("XDG_RUNTIME_DIR", default))
            return user_places(self.home, runtime, prefix)
        return system_places(prefix or PREFIX, self.root)

    def typed(self, command: Path) -> str:
        """What a user types to call the program: its name, or its path where that is not found."""
        found = shutil.which(command.name, path=self.environ.get("PATH", ""))
        return command.name if found and Path(found) == command else quote(str(command))

    def hindrances(self, places: Places, program: Path, *, is_frozen: bool) -> list[str]:
        """Why nothing can be installed or removed here; empty when it can."""
        found = []
        if not is_frozen:
            found.append(
                "this runs from source and can't be installed: make the one file with "
                '"make build", or use ./install_service.sh, which does that'
            )
        if places.is_user and self.uid == 0:
            found.append("--user is for the service of an ordinary user: run it without sudo")
        if not places.is_user and self.uid != 0:
            typed = quote(str(program))
            found.append(f"this needs the rights of root: sudo {typed} install-service ...")
        running = self.root / "run/systemd/system"
        if places.is_user:
            running = places.runtime.with_name("systemd")
        if not running.is_dir():
            found.append(
                f"systemd is not running here (there is no {running}): start the agent with "
                '"agent run" from whatever starts programs on this machine'
            )
        return found


def this_machine(runner: Runner, clock: Clock, pause: Callable[[float], object]) -> Machine:
    """The one that this runs on."""
    uid = os.getuid()
    return Machine(runner, clock, pause, os.environ, uid, Path(pwd.getpwuid(uid).pw_dir))


def read_unit(places: Places) -> str | None:
    """The text of the unit that is there.

    Raises:
        AgentError: It can't be read.
    """
    try:
        return places.unit.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as exc:
        raise AgentError(f"cannot read {places.unit}: {exc}") from exc


def sudo(places: Places) -> str:
    """What commands that change the service begin with."""
    return "" if places.is_user else "sudo "


def check_foreign(places: Places) -> None:
    """Refuse to replace what somebody else put there.

    Raises:
        AgentError: With what to do.
    """
    if places.unit.is_symlink():
        raise AgentError(
            f"{places.unit} is a link (to {places.unit.readlink()}), the service is masked: "
            f"{sudo(places)}systemctl {'--user ' if places.is_user else ''}unmask agent"
        )
    for path in places.package_units:
        if path.exists():
            raise AgentError(
                f"{path} is there: the agent is installed as a package, which has its own "
                "service. Upgrade that with apt, or remove it first: sudo apt remove edge-agent"
            )
    text = read_unit(places)
    if text is not None and not unit.is_ours(text):
        raise AgentError(
            f"{places.unit} is another program's service of the same name: rename that first"
        )
    found = {
        places.command: os.path.lexists(places.command) and not is_our_command(places),
        places.current: places.current.exists() and not places.current.is_symlink(),
    }
    for path, is_foreign in found.items():
        if is_foreign:
            raise AgentError(
                f"{path} is there, and is not from here: move it away, or name another --prefix"
            )


def is_our_command(places: Places) -> bool:
    """Whether what users type is a link that install-service made, below whichever prefix."""
    return (link_target(places.command) or "").endswith("lib/agent/current/agent")
