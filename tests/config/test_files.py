"""Files that are no configuration are one fault, which says why."""

import socket
from pathlib import Path

import pytest

from agent.config import FaultyConfigError, load
from agent.config.source import find
from tests.config.kinds import KINDS, faults


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"[agent", "line 1: not TOML: Expected ']' at the end of a table declaration"),
        (b"data_dir", "line 1: not TOML: Expected '=' after a key in a key/value pair"),
        (b'[agent]\ndata_dir = "a"\ndata_dir = "b"', "line 3: not TOML: 'data_dir' has a value"),
        (b"agent = 1\0", "line 1: not TOML: "),
        (b'[agent]\n\ndata_dir = "M\xfcller"', "line 3: not UTF-8, save it with that encoding"),
        ("[agent]".encode("utf-16"), "line 1: not UTF-8, save it with that encoding"),
        (b"a = 1" + b"0" * 5000, "not TOML: a number has too many digits"),
        (b"a = " + b"[" * 5000 + b"]" * 5000, "not TOML: too many brackets in brackets"),
        (b"#" * (4 * 1024 * 1024 + 1), "larger than 4194304 bytes"),
    ],
)
def test_a_text_that_is_no_toml_is_one_fault(tmp_path: Path, text: bytes, fault: str) -> None:
    (found,) = faults(tmp_path, text)

    assert found.startswith(f"agent.toml: {fault}")


def test_tables_in_tables_without_end_are_no_crash(tmp_path: Path) -> None:
    (found,) = faults(tmp_path, "[" + ".".join("a" * 3000) + "]")

    assert found == "agent.toml: unknown section 'a', allowed: agent, device, reports, store"


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "none.toml"

    with pytest.raises(FaultyConfigError) as caught:
        load(file, KINDS, {})

    assert str(caught.value) == f"{file}: cannot be read: No such file or directory"


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(FaultyConfigError) as caught:
        load(tmp_path, KINDS, {})

    assert str(caught.value) == f"{tmp_path}: cannot be read: Is a directory"


def test_a_link_in_a_circle_is_a_fault(tmp_path: Path) -> None:
    link = tmp_path / "agent.toml"
    link.symlink_to(link)

    with pytest.raises(FaultyConfigError) as caught:
        load(link, KINDS, {})

    assert str(caught.value) == f"{link}: cannot be read: Too many levels of symbolic links"


def test_what_cannot_be_opened_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket may have 107 characters
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("agent.toml")

        with pytest.raises(FaultyConfigError) as caught:
            load(Path("agent.toml"), KINDS, {})

    assert str(caught.value) == "agent.toml: cannot be read: No such device or address"


def test_the_first_file_that_is_there_is_found(tmp_path: Path) -> None:
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    second.touch()

    assert find([first, second]) == second
    assert find([second / "below.toml", second]) == second
    assert find([first]) is None


def test_a_file_that_cannot_be_looked_at_is_found_all_the_same(tmp_path: Path) -> None:
    link = tmp_path / "agent.toml"
    link.symlink_to(link)

    assert find([link]) == link
