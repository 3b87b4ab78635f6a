"""Where everything of an installed service lies."""

import re
from pathlib import Path

import attrs

from agent.errors import ConfigError

UNIT_NAME = "agent.service"
PREFIX = Path("/usr/local")
ALLOWED = re.compile(r"[\w/.,@+~ -]+")
# What belongs to the system, and to its packages; /usr/local does not.
FOREIGN = frozenset(
    (
        "bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "lost+found", "proc", "run",
        "sbin", "sys", "usr", "var",
    )
)  # fmt: skip
# /tmp is closed for the service, and homes are for its user.
HIDDEN = ("home", "root", "tmp")


@attrs.frozen
class Places:
    """The paths of one installation: of the whole system, or of one user."""

    is_user: bool
    prefix: Path
    unit: Path
    config: Path
    data_dir: Path
    runtime: Path
    log: Path  # install.log
    root: Path = Path("/")  # tests have all of it below a folder of theirs
    sysusers: Path | None = None
    package_units: tuple[Path, ...] = ()  # where a Debian package has its unit

    @property
    def lib(self) -> Path:
        """The folder of the program."""
        return self.prefix / "lib" / "agent"

    @property
    def versions(self) -> Path:
        """A folder for each version that is installed."""
        return self.lib / "versions"

    @property
    def current(self) -> Path:
        """The link to the version that runs."""
        return self.lib / "current"

    @property
    def executable(self) -> Path:
        """What the unit starts."""
        return self.current / "agent"

    @property
    def command(self) -> Path:
        """What users type."""
        return self.prefix / "bin" / "agent"

    @property
    def environment(self) -> Path:
        """Variables for the service, where its user wants some."""
        return self.config.with_name("agent.env")

    @property
    def drop_ins(self) -> Path:
        """Where ``systemctl edit`` keeps what the user added to the unit."""
        return self.unit.with_name(f"{UNIT_NAME}.d")


def system_places(prefix: Path = PREFIX, root: Path = Path("/")) -> Places:
    """Of the whole system; tests have it below a folder of theirs."""
    return Places(
        is_user=False,
        prefix=root / prefix.relative_to("/"),
        unit=root / "etc/systemd/system" / UNIT_NAME,
        config=root / "etc/agent/agent.toml",
        data_dir=root / "var/lib/agent",
        runtime=root / "run/agent",
        log=root / "var/log/agent/install.log",
        root=root,
        sysusers=root / "etc/sysusers.d/agent.conf",
        package_units=tuple(
            root / folder / "systemd/system" / UNIT_NAME for folder in ("usr/lib", "lib")
        ),
    )


def user_places(home: Path, runtime: Path, prefix: Path | None = None) -> Places:
    """Of one user, for ``systemctl --user``."""
    return Places(
        is_user=True,
        prefix=prefix or home / ".local",
        unit=home / ".config/systemd/user" / UNIT_NAME,
        config=home / ".config/agent/agent.toml",
        data_dir=home / ".local/share/agent",
        runtime=runtime / "agent",
        log=home / ".local/state/agent/install.log",
    )


def checked_prefix(text: str, *, is_user: bool) -> Path:
    """The folder below which the program may be installed.

    Raises:
        ConfigError: It is none for that.
    """
    path = Path(text)
    allowed = "a folder such as /usr/local or /opt/agent"
    parts = path.parts[1:]
    if not text or not path.is_absolute() or ".." in parts or not ALLOWED.fullmatch(text):
        raise ConfigError(f"--prefix: found {text!r}, allowed: {allowed}")
    if not parts or (parts[0] in FOREIGN and parts[:2] != ("usr", "local")):
        raise ConfigError(f"--prefix: found {text!r}, which belongs to the system, {allowed}")
    if not is_user and (parts[0] in HIDDEN or parts[:2] == ("var", "tmp")):
        raise ConfigError(
            f"--prefix: found {text!r}, where the service's user can't look, {allowed}"
        )
    return path


def checked_data_folder(folder: Path, source: str, places: Places) -> Path:
    """A folder that can be given to the service.

    Raises:
        ConfigError: It is the system's, or somebody's home.
    """
    hint = "name a folder of its own, such as /var/lib/agent or /srv/agent"
    if not str(folder).isprintable():
        raise ConfigError(f"{source}: found the folder {str(folder)!r}, {hint}")
    is_below = folder.is_relative_to(places.root)
    parts = folder.relative_to(places.root).parts if is_below else folder.parts[1:]
    if not places.is_user and _is_system(parts):
        raise ConfigError(f"{source}: the service can't have the folder {str(folder)!r}, {hint}")
    return folder


def _is_system(parts: tuple[str, ...]) -> bool:
    if len(parts) < 2 or parts[0] in FOREIGN - {"etc", "usr", "var"} or parts[0] == "tmp":
        return True
    if parts[0] == "etc":
        return parts[1] != "agent" or len(parts) < 3
    # /home/pi is somebody's, /var/lib and /usr/local are the system's
    return (parts[0] in ("usr", "var", "home") and len(parts) < 3) or (
        parts[:2] in (("var", "tmp"), ("var", "run"))
    )
