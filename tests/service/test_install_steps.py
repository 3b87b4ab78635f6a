"""What the steps of an installation promise: done in order, undone in reverse, through no link."""

import errno
import os
import signal
import stat
from pathlib import Path

import pytest

from agent.console.service import Teller
from agent.errors import AgentError, ConfigError
from agent.service.commands import SystemRunner, must
from agent.service.folders import GiveFiles, MakeFolder, myself
from agent.service.own import is_data
from agent.service.place import Link, WriteFile
from agent.service.steps import Said, carry_out
from tests.fakes import FakeClock


class Noted:
    """A step that notes what is done with it."""

    is_action = False
    detail = ""

    def __init__(self, name: str, notes: list[str], error: BaseException | None = None) -> None:
        self.sentence = name
        self._notes = notes
        self._error = error

    def is_done(self) -> bool:
        return self.sentence == "already"

    def do(self) -> str:
        self._notes.append(f"do {self.sentence}")
        if self._error is not None and self.sentence != "stubborn":
            raise self._error
        return ""

    def undo(self) -> str:
        self._notes.append(f"undo {self.sentence}")
        if self._error is not None and self.sentence == "stubborn":
            raise self._error
        return ""


def test_steps_are_undone_from_the_one_that_failed_back_to_the_first() -> None:
    notes: list[str] = []
    steps = [Noted(name, notes) for name in ("one", "already", "two")]
    failing = Noted("three", notes, ConfigError("no"))

    with pytest.raises(AgentError, match="no; all that was done is undone") as caught:
        carry_out([*steps, failing, Noted("four", notes)], lambda _: None)

    assert notes == ["do one", "do two", "do three", "undo three", "undo two", "undo one"]
    assert caught.value.exit_code == ConfigError.exit_code


def test_a_step_that_cannot_be_undone_does_not_keep_the_others() -> None:
    notes: list[str] = []
    said: list[Said] = []
    steps = [
        Noted("one", notes),
        Noted("stubborn", notes, AgentError("stuck")),
        Noted("two", notes, AgentError("no")),
    ]

    with pytest.raises(AgentError, match="not all could be undone"):
        carry_out(steps, said.append)

    assert notes[-1] == "undo one"
    assert Said("stubborn", "not undone", "stuck") in said


def test_an_interruption_undoes_everything_and_goes_on() -> None:
    notes: list[str] = []

    with pytest.raises(KeyboardInterrupt):
        carry_out([Noted("one", notes), Noted("two", notes, KeyboardInterrupt())], lambda _: None)

    assert notes[-2:] == ["undo two", "undo one"]


@pytest.mark.parametrize(
    ("number", "text"), [(errno.EROFS, "remount,rw"), (errno.ENOSPC, "free some space")]
)
def test_an_error_of_the_system_says_where_and_what_to_do(number: int, text: str) -> None:
    error = OSError(number, os.strerror(number), "/usr/local/bin")

    with pytest.raises(AgentError, match=f"cannot write /usr/local/bin: .*{text}"):
        carry_out([Noted("one", [], error)], lambda _: None)


def test_files_are_shared_with_the_group_and_no_link_is_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    outside.chmod(0o600)
    data = tmp_path / "data"
    (data / "reports").mkdir(parents=True)
    (data / "reports/2026-11-20_daily.csv").touch(mode=0o600)
    (data / "reports/link").symlink_to(outside)
    (data / "reports").chmod(0o755)
    os.mkfifo(data / "reports/pipe")
    step = GiveFiles([data / "reports", data / "missing"], myself)

    step.do()

    assert stat.S_IMODE((data / "reports/2026-11-20_daily.csv").stat().st_mode) == 0o660
    assert stat.S_IMODE((data / "reports").stat().st_mode) == 0o2775
    assert stat.S_IMODE(outside.stat().st_mode) == 0o600
    assert step.is_done()
    step.undo()
    assert stat.S_IMODE((data / "reports/2026-11-20_daily.csv").stat().st_mode) == 0o600
    assert stat.S_IMODE((data / "reports").stat().st_mode) == 0o755


def test_a_folder_that_was_there_gets_its_mode_back(tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir(mode=0o700)
    (folder / "mine").touch()
    step = MakeFolder(folder, 0o2770, myself, why="for a test")

    step.do()
    made = stat.S_IMODE(folder.stat().st_mode)
    step.undo()

    assert (made, stat.S_IMODE(folder.stat().st_mode)) == (0o2770, 0o700)
    assert (folder / "mine").exists()


def test_a_folder_that_was_made_goes_with_those_made_above_it(tmp_path: Path) -> None:
    step = MakeFolder(tmp_path / "a/b/c", 0o750, myself, why="for a test", is_ours=is_data)

    step.do()
    (tmp_path / "a/b/c/telemetry.db-wal").touch()
    step.undo()

    assert list(tmp_path.iterdir()) == []


def test_what_somebody_else_put_into_a_folder_that_was_made_is_kept(tmp_path: Path) -> None:
    step = MakeFolder(tmp_path / "a", 0o750, myself, why="for a test", is_ours=is_data)

    step.do()
    (tmp_path / "a/agent.lock").touch()
    (tmp_path / "a/mine").touch()
    with pytest.raises(AgentError, match="is kept, somebody put something into it: mine"):
        step.undo()

    assert [path.name for path in (tmp_path / "a").iterdir()] == ["mine"]


@pytest.mark.parametrize("is_made", [True, False])
def test_a_folder_that_is_gone_counts_as_undone(tmp_path: Path, is_made: bool) -> None:
    folder = tmp_path / "folder"
    if not is_made:
        folder.mkdir(mode=0o700)
    step = MakeFolder(folder, 0o2770, myself, why="for a test")

    step.do()
    folder.rmdir()

    assert step.undo() == ""


def test_of_a_folder_that_was_there_only_reports_are_given(tmp_path: Path) -> None:
    for name in ("photos/a.jpg", "old/2026-11-20T0700_daily.csv", "b.jpg"):
        (tmp_path / "share" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "share" / name).touch(mode=0o600)
    (tmp_path / "share/photos").chmod(0o755)
    step = GiveFiles([tmp_path / "share"], myself)

    step.do()

    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "share").rglob("*")
    }
    assert modes["2026-11-20T0700_daily.csv"] == 0o660
    assert (modes["a.jpg"], modes["b.jpg"], modes["photos"]) == (0o600, 0o600, 0o755)
    assert step.is_done()


def test_undoing_goes_on_whatever_signal_comes() -> None:
    notes: list[str] = []

    class Interrupted(Noted):
        def undo(self) -> str:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(os.getpid(), number)
            return super().undo()

    former = signal.getsignal(signal.SIGINT)
    steps = [Noted("one", notes), Interrupted("two", notes), Noted("three", notes, AgentError())]

    with pytest.raises(AgentError, match="all that was done is undone"):
        carry_out(steps, lambda _: None)

    assert notes[-3:] == ["undo three", "undo two", "undo one"]
    assert signal.getsignal(signal.SIGINT) == former


def test_what_cannot_be_shown_stops_neither_doing_nor_undoing() -> None:
    def show(_: str) -> None:
        raise AgentError("cannot write what was asked for: Input/output error")

    notes: list[str] = []
    teller = Teller(show, FakeClock(), as_json=False)

    with pytest.raises(AgentError, match="bad; all that was done is undone"):
        carry_out([Noted("one", notes), Noted("two", notes, AgentError("bad"))], teller.say)

    assert notes == ["do one", "do two", "undo two", "undo one"]
    assert "failed: two bad" in teller.log("install-service")


def test_programs_are_not_ended_by_the_keys_of_the_terminal() -> None:
    said = must(SystemRunner({}), "sh", "-c", "cut -d' ' -f6 /proc/$$/stat").out

    assert int(said) != os.getsid(0)


def test_a_file_in_the_way_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(AgentError, match="is no folder"):
        MakeFolder(tmp_path / "file", 0o750, myself, why="for a test").do()


def test_a_replaced_file_and_link_come_back(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("former")
    link.symlink_to("former")
    writing = WriteFile(file, "new", 0o644, myself, sentence="write")
    linking = Link(link, "new", sentence="link")

    writing.do()
    linking.do()
    assert (file.read_text(), str(link.readlink())) == ("new", "new")
    linking.undo()
    writing.undo()

    assert (file.read_text(), str(link.readlink())) == ("former", "former")


def test_what_a_step_never_did_is_not_undone(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")

    WriteFile(file, "new", 0o644, myself, sentence="write").undo()
    Link(tmp_path / "link", "new", sentence="link").undo()

    assert file.read_text() == "mine"


def test_programs_run_without_the_library_path_of_the_one_file() -> None:
    runner = SystemRunner({"LD_LIBRARY_PATH": "/tmp/_MEI1", "HOME": "/root"})

    said = must(runner, "env").out

    assert "LD_LIBRARY_PATH" not in said
    assert "HOME=/root" in said


def test_a_program_that_fails_is_quoted() -> None:
    with pytest.raises(AgentError, match=r"ls /no/such/folder: .*No such file"):
        must(SystemRunner({}), "ls", "/no/such/folder")


def test_a_program_that_is_missing_is_named() -> None:
    with pytest.raises(AgentError, match="no-such-program is missing"):
        must(SystemRunner({}), "no-such-program")


def test_a_program_that_hangs_is_ended() -> None:
    with pytest.raises(AgentError, match="did not end within"):
        must(SystemRunner({}), "sleep", "60", timeout_s=0.05)
