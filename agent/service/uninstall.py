"""Takes the service away: all of it but configuration and data, or these too."""

import os
import shutil
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs

from agent.config import load
from agent.config.devices import Kinds
from agent.config.source import read_table
from agent.errors import AgentError, ConfigError
from agent.service import accounts, unit
from agent.service.accounts import Accounts
from agent.service.configuration import outermost, report_folders, service_environ
from agent.service.machine import Machine, is_our_command, read_unit
from agent.service.own import data_files, has_reports, remove_reports
from agent.service.paths import Places, checked_data_folder
from agent.service.steps import Said, Say
from agent.service.systemd import Systemd


@attrs.frozen
class Removal:
    """One thing that goes; ``is_there`` and ``remove`` may be asked twice."""

    sentence: str
    is_there: Callable[[], bool]
    remove: Callable[[], None]


@attrs.frozen
class Kept:
    """What a service leaves behind, or what ``--purge`` removes as well."""

    config: Path
    data: tuple[Path, ...]  # folders and files, whole
    reports: tuple[Path, ...]  # folders, of which only the reports go
    folders: tuple[Path, ...]  # removed where they are empty then
    outside: tuple[Path, ...]  # of others too: left in any case


class Uninstall:
    """Plans what goes; what is not there any more is no error."""

    def __init__(self, machine: Machine, places: Places, kinds: Kinds) -> None:
        self._machine = machine
        self._places = places
        self._kinds = kinds
        self._accounts = Accounts(machine.runner)
        self._systemd = Systemd(machine.runner, is_user=places.is_user)

    def kept(self) -> Kept:
        """Configuration and data; found also where the configuration is faulty."""
        places = self._places
        data_dir, reports = self._configured()
        if data_dir == places.data_dir:
            data: list[Path] = [data_dir]
        else:
            # A folder that the user named may have other things in it: only the agent's go.
            data = data_files(data_dir) if data_dir.is_dir() else []
            # Where the data were before: install-service made that one, and it is the agent's.
            data.append(places.data_dir)
        inside = [path for path in reports if path.is_relative_to(data_dir)]
        inside = [path for path in outermost(inside, *data) if has_reports(path)]
        outside = [path for path in outermost(reports, data_dir) if path.exists()]
        own = tuple(path for path in data if os.path.lexists(path))
        folders = tuple({data_dir} - set(data))
        return Kept(places.config.parent, own, tuple(inside), folders, tuple(outside))

    def removals(self, kept: Kept, *, is_purge: bool) -> Sequence[Removal]:
        """What goes, in this order.

        Raises:
            AgentError: The service is not of install-service.
        """
        places = self._places
        if not places.unit.exists():  # else there are both, and this one is ours to remove
            for path in places.package_units:
                if path.exists():
                    raise AgentError(
                        f"the agent is installed as a package ({path}): sudo apt remove edge-agent"
                    )
        text = read_unit(places) if not places.unit.is_symlink() else None
        if text is not None and not unit.is_ours(text):
            raise AgentError(f"{places.unit} is another program's service: nothing was removed")
        return [
            *self._service(has_unit=text is not None, is_purge=is_purge),
            *(self._all_else(kept) if is_purge else ()),
            # The last: this may be the program that runs here, and it loads parts of itself late.
            *self._program(),
        ]

    def _service(self, *, has_unit: bool, is_purge: bool) -> list[Removal]:
        systemd, places = self._systemd, self._places

        def is_running() -> bool:
            try:
                return systemd.service().is_running
            except AgentError:  # a dry run where systemd is not there
                return has_unit

        def remove_unit() -> None:
            places.unit.unlink(missing_ok=True)
            systemd.reload()
            systemd.forget_failures()

        return [
            Removal("stop the service", is_running, systemd.stop),
            Removal("start it at boot no more", lambda: has_unit, systemd.disable),
            Removal(f"remove {places.unit}", places.unit.exists, remove_unit),
            # Without a service it may be that of an agent which root runs by hand.
            _tree(places.runtime) if has_unit or is_purge else _empty(places.runtime),
        ]

    def _program(self) -> list[Removal]:
        places = self._places
        command = places.command
        return [
            Removal(f"remove {command}", lambda: is_our_command(places), command.unlink),
            _tree(places.versions),
            Removal(f"remove {places.current}", places.current.is_symlink, places.current.unlink),
            _empty(places.lib),
        ]

    def _all_else(self, kept: Kept) -> list[Removal]:
        places = self._places
        found = [_tree(kept.config), *map(_tree, kept.data), *map(_reports, kept.reports)]
        found += map(_empty, kept.folders)
        found += [_tree(places.log.parent), _tree(places.drop_ins)]
        if places.sysusers is None:
            return found
        # Debian has no such folder of its own: it is there since the installation.
        found += [_tree(places.sysusers), _empty(places.sysusers.parent)]
        user = self._accounts.user(accounts.NAME)
        if user is None or not user.is_person:
            found.append(
                Removal(f"remove the user and the group {accounts.NAME!r}", self._has_user,
                        self._accounts.remove)
            )  # fmt: skip
        return found

    def _has_user(self) -> bool:
        names = self._accounts.user(accounts.NAME), self._accounts.group(accounts.NAME)
        return any(each is not None for each in names)

    def _configured(self) -> tuple[Path, list[Path]]:
        """The data folder and those of the reports."""
        places = self._places
        try:
            config = load(places.config, self._kinds, service_environ(places))
            data_dir, reports = config.data_dir, report_folders(config)
        except (ConfigError, OSError):
            data_dir, reports = self._data_dir_of_faulty(), []
        data_dir = Path(os.path.normpath(data_dir))
        try:
            return checked_data_folder(data_dir, str(places.config), places), reports
        except ConfigError:  # nothing of ours: install-service would have refused it
            is_usual = data_dir.is_relative_to(places.data_dir)
            return (data_dir if is_usual else places.data_dir), []

    def _data_dir_of_faulty(self) -> Path:
        places = self._places
        try:
            found = read_table(places.config).get("agent", {}).get("data_dir")
        except (ConfigError, tomllib.TOMLDecodeError, AttributeError):
            found = None
        return places.config.parent / found if isinstance(found, str) else places.data_dir


def remove_all(removals: Sequence[Removal], say: Say) -> None:
    """Remove what is there; what can't be removed does not keep the rest.

    Raises:
        AgentError: Something could not be removed.
    """
    failed = []
    for each in removals:
        try:
            if not each.is_there():
                continue
            each.remove()
        except (AgentError, OSError) as exc:
            failed.append(str(exc))
            say(Said(each.sentence, "failed", str(exc)))
        else:
            say(Said(each.sentence, "done"))
    if failed:
        raise AgentError(
            "not all of it could be removed, see above: put that right and run it again"
        )


def _tree(path: Path) -> Removal:
    """A file, or a folder with all that is in it; of a link only the link."""

    def remove() -> None:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)  # never follows links inside
        else:
            path.unlink()

    return Removal(f"remove {path}", lambda: os.path.lexists(path), remove)


def _reports(path: Path) -> Removal:
    return Removal(
        f"remove the reports in {path}", lambda: has_reports(path), lambda: remove_reports(path)
    )


def _empty(path: Path) -> Removal:
    def is_there() -> bool:
        return path.is_dir() and not path.is_symlink() and not any(path.iterdir())

    return Removal(f"remove {path}", is_there, path.rmdir)
