"""Where the one file may find itself: odd paths, other users, no locale, no folder to unpack in."""

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import pytest

from agent import __version__
from tests.agent_process import wait_for
from tests.frozen.program import Done, Frozen
from tests.frozen.station import TlsStation

VERSION = f"agent {__version__}\n"
NOBODY = 65534
HOST = '[[device]]\nname = "host"\nkind = "host"\n'
ODD_NAMES = ["with two  blanks", "Wärmepumpe", 'it\'s "quoted"', "-dash", "温度"]


@pytest.fixture
def copied(agent: Frozen, tmp_path: Path) -> Iterator[Path]:
    """A copy of the one file that may be linked and moved."""
    path = tmp_path / "copy"
    shutil.copy2(agent.path, path)
    yield path
    path.unlink(missing_ok=True)


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("env", [{}, {"LC_ALL": "C"}, {"LC_ALL": "C.UTF-8"}], ids=str)
def test_a_path_may_have_any_name(
    name: str, env: dict[str, str], copied: Path, agent: Frozen, tmp_path: Path
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    path = copied.rename(folder / name)
    (folder / "agent.toml").write_text(f'[agent]\ndata_dir = "{folder.name[0]}"\n{HOST}')

    odd = Frozen([*agent.words[:-1], str(path)], folder, env)
    version = odd.run("version", "--json")
    checked = odd.run("check", "--config", str(folder / "agent.toml"))

    assert (version.returncode, version.stderr) == (0, "")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert str(folder / "agent.toml") in checked.stdout


def test_it_is_called_by_a_link(agent: Frozen) -> None:
    link = agent.folder / "linked"
    link.symlink_to(agent.path)

    result = agent.at(link).run("--version")

    assert (result.stdout, result.stderr) == (VERSION, "")


def test_it_is_found_by_its_name(agent: Frozen) -> None:
    if agent.is_emulated:
        pytest.skip("the emulator is called by its name, not the one file")
    link = agent.folder / "bin" / "agent"
    link.parent.mkdir()
    link.symlink_to(agent.path)

    result = subprocess.run(
        ["/usr/bin/env", "-i", f"PATH={link.parent}", "agent", "--version"],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=agent.patience_s,
    )

    assert (result.stdout, result.stderr) == (VERSION, "")


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONPATH": "{folder}", "PYTHONHOME": "{folder}", "PYTHONSTARTUP": "{folder}/click.py"},
        {"LD_LIBRARY_PATH": "{folder}"},
        {"LC_ALL": "de_DE.ISO-8859-1"},
        {"LANG": "no_SUCH"},
        {"TMPDIR": "/none"},
        {"TMPDIR": "relative"},
        {"HOME": "/none"},
        {"COLUMNS": "none"},
    ],
    ids=lambda env: " ".join(env) + " " + next(iter(env.values())),
)
def test_the_environment_of_others_is_no_matter(env: dict[str, str], agent: Frozen) -> None:
    (agent.folder / "click.py").write_text("raise SystemExit('this is not ours')\n")
    (agent.folder / "agent.toml").write_text(HOST)
    given = {name: text.format(folder=agent.folder) for name, text in env.items()}

    results = [agent.with_env(**given).run(*words) for words in (["check"], ["read", "host"])]

    assert [(each.returncode, each.stderr) for each in results] == [(0, "")] * 2


@pytest.fixture
def public(agent: Frozen) -> Iterator[Frozen]:
    """A copy of it, in a folder that everybody may enter."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="agent-test-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        yield attrs.evolve(
            agent.at(Path(shutil.copy2(agent.path, folder / "agent"))), folder=folder
        )


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes another user")
def test_a_user_without_home_and_rights_can_use_it(public: Frozen) -> None:
    (public.folder / "agent.toml").write_text(HOST)

    results = [
        public.run(*words, user=NOBODY, group=NOBODY, extra_groups=[])
        for words in (["version"], ["check"], ["read", "host"], ["discover"], ["status"])
    ]
    run = public.run("run", "--duration", "1", user=NOBODY, group=NOBODY, extra_groups=[])

    assert [(each.returncode, each.stderr) for each in results] == [(0, "")] * len(results)
    assert run.returncode == 4  # there is no place for what was polled
    assert "Permission denied" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("agent version --json | head -1; echo ${PIPESTATUS[0]}", 0),
        ("agent version | true; echo ${PIPESTATUS[0]}", 0),
        ("agent version >&-; echo $?", 0),
        ("agent version <&-; echo $?", 0),
        ("agent check >&- 2>&-; echo $?", 2),
        ("agent version > /dev/full 2>&-; echo $?", 1),
    ],
)
def test_closed_streams_are_no_reason_to_complain(script: str, code: int, agent: Frozen) -> None:
    result = agent.in_shell(script)

    assert result.stderr == ""
    assert result.stdout.splitlines()[-1] == str(code)


def test_several_start_at_once(agent: Frozen) -> None:
    script = "for n in 1 2 3 4 5 6; do agent version >out$n & done; wait; cat out* | wc -l"

    lines = int(agent.in_shell(script).stdout)

    assert lines == 6 * len(agent.run("version").stdout.splitlines())


def mounted(*commands: str) -> Sequence[str]:
    """Words that run the rest after commands whose mounts nobody else sees."""
    return ["unshare", "-m", "/bin/sh", "-ec", "; ".join([*commands, 'exec "$@"']), "sh"]


def tmpfs(*mounts: str) -> Sequence[str]:
    """Commands that mount memory; "PATH OPTIONS" each."""
    return [f"mount -t tmpfs -o {options} none {path}" for path, options in map(str.split, mounts)]


def can_mount() -> bool:
    """Whether this user may."""
    try:
        words = [*mounted(*tmpfs("/dev/shm size=1m")), "true"]
        return subprocess.run(words, capture_output=True).returncode == 0
    except OSError:
        return False


needs_mounts = pytest.mark.skipif(not can_mount(), reason="needs root, to mount in a namespace")


def among_mounts(agent: Frozen, *mounts: str, script: str = 'exec "$@"', cwd: str = "/") -> Done:
    """``agent version``, run by a script, where folders are memory with such options."""
    # The one file itself may lie in a folder that is covered.
    here = [*tmpfs("/mnt size=64m"), f"cp {shlex.quote(str(agent.path))} /mnt/agent"]
    before = mounted(*here, *tmpfs(*mounts), f"cd {cwd}")
    moved = agent.at(Path("/mnt/agent")).with_env(PATH="/usr/sbin:/usr/bin:/sbin:/bin")
    return moved.run("version", before=[*before, "/bin/sh", "-c", script, "sh"], cwd="/")


@needs_mounts
@pytest.mark.parametrize(
    "mounts",
    [
        ["/dev/shm size=100m", "/tmp noexec"],
        ["/dev/shm noexec", "/tmp size=100m"],
        ["/dev/shm size=4m", "/tmp size=100m"],
        ["/dev/shm noexec", "/tmp noexec", "/var/tmp size=100m"],
    ],
    ids=" ".join,
)
def test_it_unpacks_in_memory_wherever_that_runs_programs(mounts: list[str], agent: Frozen) -> None:
    script = '"$@" && ls -A /dev/shm /tmp /var/tmp | grep -c "^_MEI"'

    result = among_mounts(agent, *mounts, script=script)

    assert result.stderr == ""
    assert result.stdout.startswith(VERSION)
    assert result.stdout.splitlines()[-1] == "0"  # nothing is left


@needs_mounts
def test_on_a_disk_it_says_so_and_works(agent: Frozen) -> None:
    result = among_mounts(agent, "/dev/shm noexec", "/tmp noexec", "/run noexec")

    assert result.returncode == 0
    assert result.stdout.startswith(VERSION)
    assert "unpacking in /var/tmp, which is on a disk" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@needs_mounts
def test_where_nothing_runs_programs_it_says_what_to_do(agent: Frozen) -> None:
    nowhere = [f"{folder} noexec" for folder in ("/dev/shm", "/tmp", "/var/tmp", "/run", "/media")]

    result = among_mounts(agent, *nowhere, cwd="/media")

    assert result.returncode == 1
    assert result.stdout == ""
    assert "TMPDIR=" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@needs_mounts
def test_a_root_that_is_read_only_is_no_hindrance(agent: Frozen) -> None:
    result = among_mounts(agent, script='mount -o remount,ro,bind / && exec "$@"')

    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_new_file_in_its_place_does_not_disturb_the_one_that_runs(
    copied: Path, agent: Frozen, tmp_path: Path
) -> None:
    with TlsStation(tmp_path) as station:
        (agent.folder / "agent.toml").write_text(f"{HOST}{station.table}")
        trusting = agent.at(copied).with_env(SSL_CERT_FILE=str(station.certificate))
        with trusting.started("run") as running:
            wait_for(lambda: "refused" in running.log or not running.is_running, agent.patience_s)
            shutil.copy2("/bin/true", copied.with_name("new"))
            copied.with_name("new").rename(copied)
            station.listen()  # what TLS needs is loaded now, and not before
            wait_for(
                lambda: "station: well again" in running.log or not running.is_running,
                agent.patience_s,
            )
            running.signal(signal.SIGTERM, to_all=False)
            code = running.process.wait(agent.stop_s)

    assert code == 0, running.log
    assert "Traceback" not in running.log
