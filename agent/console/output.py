"""Where ``report --output`` may write: never over what the agent needs, or a file of others."""

import os
from pathlib import Path

from agent.config import Config
from agent.errors import ConfigError
from agent.state import LOCK_NAME

REPLACEABLE = (".csv", ".txt")


def checked_output(output: Path, config: Config) -> Path:
    """The file that a report is to become: what a link leads to, and not the link.

    Raises:
        ConfigError: Something else is there, or the folder is missing.
    """
    found = f"--output: found {str(output)!r}"
    if str(output) == "-":
        raise ConfigError(f"{found}, allowed: a file, standard output takes no report")
    if output.exists() and not output.is_file():
        # The report would take the place of the terminal, pipe or device.
        raise ConfigError(f"{found}, allowed: a file, which is replaced")
    # A link may be /dev/stdout: replacing it would hurt every other program.
    target = Path(os.path.realpath(output)) if output.is_symlink() else output
    for path, what in _own_files(config):
        if _is_same(target, path):
            raise ConfigError(f"{found}, which is {what}, allowed: another file")
    if target.exists() and target.suffix.lower() not in REPLACEABLE:
        allowed = f"a new file, or one to replace that ends in {' or '.join(REPLACEABLE)}"
        raise ConfigError(f"{found}, which is there already, allowed: {allowed}")
    if not target.parent.is_dir():
        raise ConfigError(f"{found}, but there is no folder {str(target.parent)!r}, make it first")
    return target


def _own_files(config: Config) -> list[tuple[Path, str]]:
    store = config.store_path
    files = [(Path(config.source), "the configuration"), (store, "the store")]
    files += [(Path(f"{store}{end}"), "a part of the store") for end in ("-wal", "-shm")]
    return [*files, (config.data_dir / LOCK_NAME, "the lock of the agent")]


def _is_same(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, which need not be there yet."""
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    try:
        return one.samefile(other)
    except OSError:
        return False
