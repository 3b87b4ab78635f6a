"""Where the journal may lie, and what is used of what lies there: only what is ours."""

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.store.journaled import (
    Journaled,
    has_device,
    inherit,
    leave,
    needs_memory,
    put,
    samples,
)
from tests.store.test_failures import messages

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")

pytestmark = needs_memory


def test_files_and_folders_are_for_their_owner_alone(journaled: Journaled) -> None:
    old_mask = os.umask(0)
    store = journaled.store()
    put(store, journaled.clock, level=1)
    os.umask(old_mask)

    [part] = journaled.parts()

    assert stat.S_IMODE(part.stat().st_mode) == 0o600
    assert stat.S_IMODE(part.parent.stat().st_mode) == 0o700
    store.close()


def test_a_folder_that_others_could_read_is_closed_to_them(journaled: Journaled) -> None:
    leave(journaled)
    [part] = journaled.parts()
    part.parent.chmod(0o777)

    store = journaled.store()

    assert stat.S_IMODE(part.parent.stat().st_mode) == 0o700
    store.close()


def by_a_link(journaled: Journaled) -> None:
    target = journaled.memory / "elsewhere"
    target.mkdir()
    (journaled.memory / "first").symlink_to(target)


def open_to_anybody(journaled: Journaled) -> None:
    (journaled.memory / "first").mkdir()
    (journaled.memory / "first").chmod(0o777)


def of_somebody_else(journaled: Journaled) -> None:
    (journaled.memory / "first").mkdir()
    os.chown(journaled.memory / "first", 12345, -1)


@pytest.mark.parametrize(
    "made",
    [by_a_link, open_to_anybody, pytest.param(of_somebody_else, marks=as_root)],
    ids=lambda made: made.__name__,
)
def test_the_next_folder_is_taken_when_the_first_is_not_ours_alone(
    journaled: Journaled, made: Callable[[Journaled], None]
) -> None:
    made(journaled)
    second = journaled.memory / "second"

    store = journaled.store(folders=[journaled.memory / "first", second])
    place = store.state().journal
    store.close()

    assert place is not None
    assert Path(place).parent == second


def test_a_folder_that_is_not_in_memory_is_not_taken(journaled: Journaled) -> None:
    store = journaled.store(folders=[Path("/proc/self"), journaled.memory])

    place = store.state().journal
    store.close()

    assert place is not None
    assert Path(place).parent == journaled.memory


def test_what_was_left_in_another_of_the_folders_is_found(journaled: Journaled) -> None:
    left = leave(journaled)

    store = journaled.store(folders=[journaled.memory / "first", journaled.memory])
    new = put(store, journaled.clock, number=3)
    store.close()

    assert samples(journaled) == [*left, new]
    assert [path.name for path in journaled.memory.iterdir()] == ["first"]


def test_a_second_agent_does_not_read_the_journal_of_the_first(journaled: Journaled) -> None:
    first = journaled.store()
    put(first, journaled.clock, level=1)

    second = journaled.store()
    state = second.state()
    second.close()
    first.close()

    assert state.journal is None
    assert len(samples(journaled)) == 1


def test_what_waited_before_the_machine_started_anew_is_not_used(
    journaled: Journaled, caplog: pytest.LogCaptureFixture
) -> None:
    leave(journaled)
    [part] = journaled.parts()
    journaled.clock.reboot("boot 2")
    caplog.clear()

    inherit(journaled)

    assert not has_device(journaled)
    assert messages(caplog) == [
        f"{part} is of another start of the machine or another file, removed"
    ]
    assert list(journaled.memory.iterdir()) == []


def test_what_waited_for_another_file_is_not_used(journaled: Journaled, tmp_path: Path) -> None:
    leave(journaled)
    [part] = journaled.parts()
    other = Journaled(tmp_path / "other.db", journaled.memory, journaled.clock)
    other.mute().close()
    leave(other)
    [others] = set(journaled.parts()) - {part}
    shutil.copy(part, others)

    inherit(other)

    assert not has_device(other)


def foreign_link(part: Path) -> None:
    copy = part.with_name("copy")
    part.rename(copy)
    part.symlink_to(copy)


def foreign_hard_link(part: Path) -> None:
    part.with_name("copy").hardlink_to(part)


def foreign_pipe(part: Path) -> None:
    part.unlink()
    os.mkfifo(part)


def foreign_owner(part: Path) -> None:
    os.chown(part, 12345, -1)


def foreign_text(part: Path) -> None:
    part.write_text("no journal")


def foreign_size(part: Path) -> None:
    os.truncate(part, 1 << 40)


@pytest.mark.parametrize(
    "change",
    [
        foreign_link,
        foreign_hard_link,
        foreign_pipe,
        foreign_text,
        foreign_size,
        pytest.param(foreign_owner, marks=as_root),
    ],
    ids=lambda change: change.__name__,
)
def test_a_part_that_is_not_ours_is_set_aside_and_said(
    journaled: Journaled, change: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    leave(journaled)
    [part] = journaled.parts()
    change(part)
    caplog.clear()

    inherit(journaled)

    [message] = messages(caplog)
    assert not has_device(journaled)
    assert str(part) in message
    assert message.endswith("what waited there is not used")
    assert part.with_name("damaged") in part.parent.iterdir()
