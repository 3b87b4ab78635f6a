"""The text of the systemd unit, and what can be told from a unit that is there."""

import hashlib
import os
import re
from pathlib import Path

import attrs

MARK = "# Made by agent install-service. Changes belong into: systemctl"
CHECK = re.compile(r"^# check ([0-9a-f]{16})\n", re.MULTILINE)
UNESCAPED = re.compile(r"^\.|[^a-zA-Z0-9:_./]")
COMMAND = re.compile(
    r'^ExecStart="?(?P<program>/[^"\n]*?/lib/agent/current/agent)"? ', re.MULTILINE
)

UNIT = """\
[Unit]
Description=Edge telemetry agent: polls devices and keeps what they say
# It does not wait for the network: devices that are not there yet are tried again. time-set.target
# has the time of the last shutdown, on a board without a clock chip.
After=network.target time-set.target
{mounts}\
# It never gives up for good: whatever made it fail may be gone tomorrow.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={program} run --config {config}
# Variables for {{ env = "NAME" }} in the configuration; the file need not be there.
EnvironmentFile=-{environment}
{identity}\
SyslogIdentifier=agent

# READY=1 comes once the store is open, or after 5 s: a slow card does not hold up the boot.
TimeoutStartSec=60
TimeoutStopSec=20
# Fed while the schedule, the store and every device that is due make progress.
WatchdogSec=60
Restart=always
# Its start takes up to 1 s more: polls go on within 2 s of whatever ended it.
RestartSec=500ms
# A faulty configuration does not mend itself: correct it, then start the service.
RestartPreventExitStatus=2

{folders}\
# Members of the group may use every command, so they may write what the service writes.
UMask=0007

# Polls stay on time beside a browser or a build; the agent takes 1 % of a core.
CPUWeight=200
IOWeight=200
# A leak must not take the machine down with it. (Raspberry Pi OS does not count memory by default.)
MemoryMax=50%
LimitCORE=0

{sandbox}
[Install]
WantedBy={target}
"""
IDENTITY = """\
User=agent
Group=agent
"""
RUNTIME = """\
# In memory: what it says of itself, and samples that are not stored yet. These have to be there
# when it starts again, also after a stop that could not store them.
RuntimeDirectory=agent
RuntimeDirectoryMode=0750
RuntimeDirectoryPreserve=yes
"""
STATE = """\
StateDirectory=agent
StateDirectoryMode=2770
"""
LOGS = """\
LogsDirectory=agent
LogsDirectoryMode=0750
"""
# What a user's own systemd can do without rights that only root has.
CLOSED_FOR_ALL = """\
# What is closed without exception.
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
"""
CLOSED = """\
CapabilityBoundingSet=
AmbientCapabilities=
KeyringMode=private
RemoveIPC=yes
# Nothing of the agent lies in /tmp and /var/tmp. Folders of its own there would be made and
# removed with each start, 65 kB on the card; closed for it, they are not made.
PrivateTmp=yes
InaccessiblePaths=-/tmp -/var/tmp
Environment=TMPDIR=%t/agent
PrivateUsers=yes
PrivateMounts=yes
ProtectSystem=strict
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
"""
OPEN_FOR_ALL = """\

# What stays open, and what for.
# Devices, sinks and names over the network; AF_UNIX: systemd, the journal, names.
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
# Is the clock set? adjtimex tells, and is a call that could set it too, for which the rights are
# missing. ProtectClock=yes would forbid the question as well.
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallFilter=adjtimex clock_adjtime clock_adjtime64
SystemCallErrorNumber=EPERM
"""
OPEN = """\
# Serial ports and nothing else, so no PrivateDevices=yes. By number: the name of a driver counts
# only if it was loaded before the service started, and an adapter may be plugged in later.
DevicePolicy=closed
# ttyUSB: adapters with chips of FTDI, Prolific, Silicon Labs, WCH
DeviceAllow=char-188 rw
# ttyACM: boards that are USB devices themselves
DeviceAllow=char-166 rw
# ttyAMA: the serial port of a Raspberry Pi
DeviceAllow=char-204 rw
# ttyS, ttySC and other built-in ports
DeviceAllow=char-tty[A-Z]* rw
# The kind "host": the busiest processes are others', memory and disks stand in /proc, ...
ProtectProc=default
ProcSubset=all
# ... and the free space of /home, which yes would hide.
{homes}\
"""
HOMES = ("/home/", "/root/", "/run/user/")
MOUNTS = """\
# The disks with its folders, if they have some of their own. They are not required: without them
# samples wait in memory, and are stored once the folders are there.
"""
MOUNT = re.compile(r"^After=(?:\S+ )*(\S+)\.mount$", re.MULTILINE)
FORMER_MOUNT = re.compile(r'^RequiresMountsFor="?(.+?)"?$', re.MULTILINE)


@attrs.frozen
class UnitFacts:
    """What differs between two units."""

    program: Path
    config: Path
    environment: Path
    is_user: bool = False
    has_usual_data_dir: bool = True
    folders: tuple[Path, ...] = ()  # others that it writes to


def unit_text(facts: UnitFacts) -> str:
    """The whole unit, with a checksum that tells whether somebody edited it."""
    mounts = "".join([MOUNTS, *map(_mounts, facts.folders)]) if facts.folders else ""
    body = UNIT.format(
        mounts=mounts,
        program=quoted(facts.program, is_command=True),
        config=quoted(facts.config, is_command=True),
        environment=_escaped(facts.environment),
        identity="" if facts.is_user else IDENTITY,
        folders=_folders(facts),
        sandbox=_sandbox(facts),
        target="default.target" if facts.is_user else "multi-user.target",
    )
    edit = "--user edit agent" if facts.is_user else "edit agent"
    return f"{MARK} {edit}\n# check {_checksum(body)}\n{body}"


def _folders(facts: UnitFacts) -> str:
    if facts.is_user:
        return RUNTIME
    text = RUNTIME + (STATE if facts.has_usual_data_dir else "") + LOGS
    return text + "".join(_writable(each) for each in facts.folders if not _is_home(each))


def _writable(folder: Path) -> str:
    # With "-": where the folder is not there the service starts all the same. A disk that is
    # mounted later shows up in it, and can be written: it was not there to be made read-only.
    return f"ReadWritePaths={quoted(Path(f'-{folder}'))}\n"


def _mounts(folder: Path) -> str:
    units = [f"{escaped(each)}.mount" for each in reversed((folder, *folder.parents[:-1]))]
    return "".join(f"{key}={' '.join(units)}\n" for key in ("Wants", "After"))


def escaped(path: Path) -> str:
    r"""A path as systemd writes it in the name of a unit.

    >>> print(escaped(Path("/mnt/my-disk")))
    mnt-my\x2ddisk
    """

    def code(found: re.Match[str]) -> str:
        return "".join(f"\\x{byte:02x}" for byte in os.fsencode(found[0]))

    return UNESCAPED.sub(code, str(path).strip("/")).replace("/", "-")


def folders_of(text: str) -> list[Path]:
    """The folders outside of the usual place that a unit lets the service write to."""
    former = [Path(each.replace("%%", "%")) for each in FORMER_MOUNT.findall(text)]
    return former + [_unescaped(each) for each in MOUNT.findall(text)]


def _unescaped(name: str) -> Path:
    plain = os.fsencode(name.replace("-", "/"))
    whole = re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), plain)
    return Path(os.fsdecode(b"/" + whole))


def _sandbox(facts: UnitFacts) -> str:
    if facts.is_user:
        return CLOSED_FOR_ALL + OPEN_FOR_ALL
    inside = [folder for folder in facts.folders if _is_home(folder)]
    homes = "ProtectHome=read-only\n"
    if inside:  # a home is closed for others: only this folder of it is shown
        homes = "ProtectHome=tmpfs\n" + "".join(f"BindPaths={quoted(each)}\n" for each in inside)
    return CLOSED_FOR_ALL + CLOSED + OPEN_FOR_ALL + OPEN.format(homes=homes)


def _is_home(folder: Path) -> bool:
    return f"{folder}/".startswith(HOMES)


def quoted(path: Path, *, is_command: bool = False) -> str:
    r"""A path as one word of a unit.

    >>> quoted(Path("/srv/my data/100%"))
    '"/srv/my data/100%%"'
    """
    text = _escaped(path)
    text = text.replace("$", "$$") if is_command else text
    if re.fullmatch(r"[\w/.,@+~%$-]+", text):
        return text
    backslashed = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{backslashed}"'


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")


def is_ours(text: str) -> bool:
    """Whether install-service made this unit."""
    return text.startswith(MARK)


def is_edited(text: str) -> bool:
    """Whether somebody changed a unit that install-service made."""
    found = CHECK.search(text)
    return found is None or found[1] != _checksum(text[found.end() :])


def prefix_of(text: str) -> Path | None:
    """Below which folder the program of a unit is installed."""
    found = COMMAND.search(text)
    if found is None:
        return None
    return Path(found["program"].replace("%%", "%").replace("$$", "$")).parents[3]


def _checksum(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]
