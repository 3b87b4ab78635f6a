"""What the README says, done: its commands run, and its errors come from doing the wrong thing."""

import fcntl
import os
import re
import shlex
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hw_sim.benchlab import BenchlabSimulator
from hw_sim.s7 import S7Simulator
from tests.importing.loggers import pi_database
from tests.peers import free_port

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
WRONG = README[README.index("## When something is wrong") :]
TROUBLES = dict(re.findall(r"^\| `(.+?)` \| (.+) \|$", WRONG, re.MULTILINE))
LIMIT_S = 30


def agent(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the agent in a folder."""
    command = [sys.executable, "-m", "agent", *words]
    if "--subnet" in words:
        # In a network of its own, with nothing in it: tests search no network that is real.
        command = ["unshare", "--net", *command]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=LIMIT_S
    )


def configure(folder: Path, text: str) -> None:
    (folder / "agent.toml").write_text(f'[agent]\ndata_dir = "data"\n{text}', "utf-8")


def plc(port: int, address: str = "DB1.DBD6:REAL", more: str = "") -> str:
    return (
        f'[[device]]\nname = "plc"\nkind = "s7"\nhost = "127.0.0.1"\nport = {port}\n{more}\n'
        f'tag = [{{ name = "pressure", address = "{address}" }}]\n'
    )


def no_configuration(folder: Path) -> str:
    return agent(folder, "run").stderr


def unknown_key(folder: Path) -> str:
    configure(folder, plc(102, more="rak = 0"))
    return agent(folder, "check").stderr


def no_type(folder: Path) -> str:
    configure(folder, plc(102, "DB1.DBD6"))
    return agent(folder, "check").stderr


def nothing_listens(folder: Path) -> str:
    configure(folder, plc(free_port()))
    return agent(folder, "read", "plc").stderr


def no_way_there(folder: Path) -> str:
    # A listener whose queue is full takes no connection and refuses none, as a firewall does.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        queued = [socket.socket() for _ in range(4)]
        for each in queued:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        configure(folder, plc(port, more="timeout_s = 0.5"))
        text = agent(folder, "read", "plc").stderr
        for each in queued:
            each.close()
    return text


def read_from(folder: Path, simulator: S7Simulator, address: str = "DB1.DBD6:REAL") -> str:
    with simulator:
        configure(folder, plc(simulator.port, address))
        return agent(folder, "read", "plc").stderr


def wrong_slot(folder: Path) -> str:
    return read_from(folder, S7Simulator(tsaps=[0x0102]))


def put_get_off(folder: Path) -> str:
    simulator = S7Simulator()
    simulator.set_fault("put-get-off")
    return read_from(folder, simulator)


def no_such_block(folder: Path) -> str:
    return read_from(folder, S7Simulator(), "DB9.DBW0:INT")


def board(port: Path) -> str:
    return f'[[device]]\nname = "board"\nkind = "benchlab"\nport = "{port}"\n'


def no_serial_port(folder: Path) -> str:
    configure(folder, board(folder / "ttyACM0"))
    return agent(folder, "read", "board").stderr


def locked_port(folder: Path) -> str:
    configure(folder, board(folder / "ttyACM0"))
    held = "import serial, sys; p = serial.Serial(sys.argv[1], exclusive=True); print(); input()"
    with BenchlabSimulator(folder / "ttyACM0"):
        command = [sys.executable, "-c", held, str(folder / "ttyACM0")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            assert other.stdout is not None
            other.stdout.readline()
            said = agent(folder, "read", "board").stderr
            other.communicate(b"\n")
    return said


def no_heat_pump(folder: Path) -> str:
    heat_pump = '[[device]]\nname = "hp"\nkind = "luxtronik"\nhost = "127.0.0.1"\nport = {}\n'
    configure(folder, heat_pump.format(free_port()))
    return agent(folder, "read", "hp").stderr


def two_agents(folder: Path) -> str:
    configure(folder, "")
    (folder / "data").mkdir()
    with (folder / "data" / "agent.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return agent(folder, "run").stderr


def locked(folder: Path) -> str:
    configure(folder, '[[device]]\nname = "host"\nkind = "host"\n')
    agent(folder, "run", "--duration", "0.5")
    other = sqlite3.connect(folder / "data" / "telemetry.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        return agent(folder, "run", "--duration", "2").stderr
    finally:
        other.close()


def no_store(folder: Path) -> str:
    configure(folder, "")
    return agent(folder, "report", "--daily").stderr


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A file system of 64 kB on ``folder``, where this user may make one."""
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True
    )
    if made.returncode:
        pytest.skip("this user can't mount a small file system to fill it")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def full_disk(folder: Path) -> str:
    configure(folder, '[[device]]\nname = "host"\nkind = "host"\n')
    (folder / "data").mkdir()
    with small_disk(folder / "data"):
        return agent(folder, "run", "--duration", "2").stderr


WRONG_THINGS: list[Callable[[Path], str]] = [
    no_configuration,
    unknown_key,
    no_type,
    nothing_listens,
    no_way_there,
    wrong_slot,
    put_get_off,
    no_such_block,
    no_serial_port,
    locked_port,
    no_heat_pump,
    two_agents,
    full_disk,
    locked,
    no_store,
]


def fits(trouble: str, said: str) -> bool:
    """Whether a text of the README stands in what was said; N and DIR stand for anything."""
    pattern = re.escape(trouble).replace(r"\ \(process\ N\)", r"(?: \(process \d+\))?")
    return re.search(pattern.replace("DIR", r"\S+").replace("PROGRAM", r"\S+"), said) is not None


@pytest.mark.parametrize(
    ("trouble", "wrong_thing"),
    list(zip(TROUBLES, WRONG_THINGS, strict=True)),
    ids=[each.__name__ for each in WRONG_THINGS],
)
def test_an_error_of_the_readme_comes_from_doing_the_wrong_thing(
    trouble: str, wrong_thing: Callable[[Path], str], tmp_path: Path
) -> None:
    said = wrong_thing(tmp_path)

    assert fits(trouble, said), said
    assert "Traceback" not in said


def commands() -> list[list[str]]:
    """The words behind ``agent`` of each command line of the README."""
    lines = re.findall(r"^    \.venv/bin/agent (.+)$", README, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


OF_THE_DATA = ("query", "store", "import")


def test_the_commands_of_the_readme_run(tmp_path: Path) -> None:
    shutil.copy(ROOT / "agent.toml", tmp_path)
    runs = [words for words in commands() if words[0] == "run"]
    others = [words for words in commands() if words[0] not in ("run", *OF_THE_DATA)]
    if os.geteuid():  # searching needs a network of its own, which only root can make
        others = [words for words in others if "--subnet" not in words]

    results = [agent(tmp_path, *words, "--duration", "2") for words in runs]
    results += [agent(tmp_path, *words) for words in others]

    assert len(runs) == 1
    assert {words[0] for words in others} == {"discover", "init", "read", "status", "report"}
    assert [result.stderr for result in results if result.returncode] == []


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="sqlite3 is not installed")
def test_the_queries_of_the_readme_find_what_the_demo_stored(tmp_path: Path) -> None:
    shutil.copy(ROOT / "agent.toml", tmp_path)
    (tmp_path / "old").mkdir()
    pi_database(tmp_path / "old" / "telemetry.db", range(1_760_000_000, 1_760_000_050, 5))
    queries = re.findall(r"^    (sqlite3 .+)$", README, re.MULTILINE)
    of_the_data = [words for words in commands() if words[0] in OF_THE_DATA]
    demo = [sys.executable, "-m", "hw_sim", "demo", "--data", "data", "--duration", "6"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(demo, cwd=tmp_path, env=environ, capture_output=True, timeout=90, check=True)

    found = [
        subprocess.run(query, shell=True, cwd=tmp_path, capture_output=True, text=True)
        for query in queries
    ]
    results = [agent(tmp_path, *words) for words in of_the_data]

    assert len(queries) == 2
    assert [each.stderr for each in found] == [""] * len(queries)
    assert all(len(each.stdout.splitlines()) >= 3 for each in found)
    assert {words[0] for words in of_the_data} == set(OF_THE_DATA)
    assert [result.stderr for result in results if result.returncode] == []
    assert len(results[0].stdout.splitlines()) == 4
