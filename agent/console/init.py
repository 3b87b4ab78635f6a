"""What ``init`` does: find devices, write a first ``agent.toml``, keep the one that was there."""

import contextlib
import errno
import os
import shutil
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from agent.config import Config, from_tables
from agent.config.source import OF_THE_MACHINE, default_files
from agent.console.discover import looked_at, searched
from agent.console.first_config import Named, config_text, named
from agent.console.table import printable, table
from agent.devices import KINDS
from agent.discovery import Surroundings, Wish
from agent.discovery.search import Kinds
from agent.errors import AgentError, ConfigError
from agent.files import sync_folder, whole_file

DATA_OF_THE_MACHINE = "/var/lib/agent"  # of a configuration in /etc: no data belong there
CANNOT_LINK = (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS)


class Output:
    """The file that is to be written; what a link leads to, and not the link.

    Raises:
        ConfigError: It can't be a file.
    """

    def __init__(self, path: Path) -> None:
        self.shown = path
        self.path = Path(os.path.realpath(path))
        found = f"--output: found {str(path)!r}"
        if str(path) == "-" or (self.path.exists() and not self.path.is_file()):
            raise ConfigError(f"{found}, allowed: a file")
        folder = self.path.parent
        if not folder.is_dir():
            raise ConfigError(f"{found}, but there is no folder {str(folder)!r}, make it first")
        if not os.access(folder, os.W_OK):
            raise ConfigError(f"{found}, but this user may not write in {str(folder)!r}")

    @property
    def is_there(self) -> bool:
        """Whether something would be replaced."""
        return self.path.exists()

    @property
    def question(self) -> str:
        """What to ask before that."""
        return f"{self.shown} is there already. Write a new one, and keep it as {self._kept()}?"

    def write(self, text: str) -> Path | None:
        """Put the text in place, whole or not at all; where the former file is now.

        Raises:
            AgentError: It can't be written; the former file is where it was.
        """
        kept = None
        try:
            former = self.path.stat() if self.path.exists() else None
            if former is not None:
                kept = self._keep()
            with whole_file(self.path) as stream:
                if former is not None:
                    _own_as(former, stream.fileno())
                stream.write(text.encode())
        except OSError as exc:
            if kept is not None:
                kept.unlink(missing_ok=True)
            raise AgentError(f"cannot write {self.shown}: {exc.strerror or exc}") from exc
        return kept

    def _kept(self) -> Path:
        """The first name for the former file that is free."""
        number, path = 1, self.path.with_name(f"{self.path.name}.bak")
        while path.exists() or path.is_symlink():
            number += 1
            path = self.path.with_name(f"{self.path.name}.bak{number}")
        return path

    def _keep(self) -> Path:
        """A second name for the file, so that there is no moment without it."""
        kept = self._kept()
        try:
            kept.hardlink_to(self.path)
        except OSError as exc:
            if exc.errno not in CANNOT_LINK:
                raise
            shutil.copy2(self.path, kept)  # a memory stick, perhaps
            sync_folder(kept.parent)
        return kept


def _own_as(former: os.stat_result, handle: int) -> None:
    """Give a file the owner and the rights of the former one: whoever read that goes on."""
    for owner in (former.st_uid, -1):  # the group alone, where only root may give files away
        with contextlib.suppress(PermissionError):
            os.fchown(handle, owner, former.st_gid)
            break
    os.fchmod(handle, former.st_mode & 0o777)


def init_report(
    wish: Wish,
    output: Output,
    *,
    kinds: Kinds = KINDS,
    surroundings: Surroundings | None = None,
) -> tuple[str, bool]:
    """What was written, and whether the search came to its end; else nothing is written.

    Raises:
        AgentError: It can't be written.
        ConfigError: The wish is none that can be granted.
    """
    surroundings = surroundings or Surroundings()
    former = output.path if output.is_there else None
    result, config = searched(wish, former, kinds, surroundings)
    if not result.searched.is_complete:
        return f"Interrupted, {output.shown} was not written.", False
    devices = named(result.findings, kinds)
    is_machines = os.path.realpath(output.path) == os.path.realpath(OF_THE_MACHINE)
    text = config_text(devices, kinds, DATA_OF_THE_MACHINE if is_machines else "")
    # The same checks as at every start: what could not be loaded is not written.
    from_tables(tomllib.loads(text), str(output.shown), output.path.parent, kinds, {})
    kept = output.write(text)
    lines = [*_written(output, devices, kept), *_missing(config if former else None, devices)]
    lines += [printable(f"warning: {each}") for each in result.warnings]
    lines += [looked_at(result.searched)]
    if not wish.is_networked:
        lines += ["The network was not searched; for that: agent init --subnet"]
    return "\n".join([*lines, "", *_next_steps(output, devices)]), True


def _written(output: Output, devices: Sequence[Named], kept: Path | None) -> Iterator[str]:
    good = [each for each in devices if not each.fault]
    many = "1 device" if len(good) == 1 else f"{len(good)} devices"
    yield f"{output.shown} was written with {many}."
    if kept is not None:
        is_beside = os.path.realpath(output.shown.parent) == str(kept.parent)
        yield f"The former file is {output.shown.parent / kept.name if is_beside else kept}."
    if good:
        yield ""
        rows = [[each.name, each.finding.kind, each.finding.found.where] for each in good]
        yield table(["device", "kind", "where"], rows)
        yield ""
    for each in devices:
        if each.fault:
            where = each.finding.found.where
            yield printable(
                f"warning: {where}: left out, it stands there as a comment: {each.fault}"
            )
        elif each.finding.found.note:
            yield printable(f"{each.name}: {each.finding.found.note}")


def _missing(former: Config | None, devices: Sequence[Named]) -> Iterator[str]:
    """What the former file has and the new one has not."""
    found = {each.finding.device for each in devices}
    lost = [each.name for each in former.devices if each.name not in found] if former else []
    if lost:
        yield f"Not found this time, so only in the former file: {', '.join(lost)}."


def _next_steps(output: Output, devices: Sequence[Named]) -> Iterator[str]:
    defaults = [os.path.realpath(file) for file in default_files(os.environ)]
    option = "" if str(output.path) == defaults[0] else f" --config {output.shown}"
    yield "Next:"
    good = [each for each in devices if not each.fault]
    others = [each for each in good if each.finding.way != "local"]
    steps = [(f"agent read {each.name}", "what does it say now?") for each in (others or good)[:1]]
    steps = [("agent check", "after every change of the file"), *steps]
    steps += [("agent run", "poll everything, until Ctrl+C")]
    yield table(["", ""], [[f"{command}{option}", why] for command, why in steps]).strip("\n")
