"""How files of the kernel are read, and which of them stay open."""

from pathlib import Path

import pytest

from agent.devices.host.files import (
    MAX_BYTES,
    Files,
    distinct_word,
    is_there,
    names_in,
    read_attribute,
    read_number,
    whole,
)


def test_an_ordinary_file_that_is_replaced_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "stat"
    path.write_bytes(b"old")
    files = Files()
    first = files.read(str(path))
    (tmp_path / "new").write_bytes(b"new")
    (tmp_path / "new").replace(path)

    assert (first, files.read(str(path))) == (b"old", b"new")


def test_a_file_of_procfs_is_read_whole_each_time() -> None:
    files = Files()

    first = files.read("/proc/self/maps")
    second = files.read("/proc/self/maps")

    assert len(first) > 4096
    assert first.endswith(b"\n")
    assert second.endswith(b"\n")
    files.close()


def test_a_file_without_end_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    path.write_bytes(b"x" * (MAX_BYTES + 100_000))

    assert MAX_BYTES <= len(Files().read(str(path))) < MAX_BYTES + 20_000


def test_a_missing_file_is_an_error_or_empty_as_asked_for(tmp_path: Path) -> None:
    path = str(tmp_path / "missing")

    with pytest.raises(FileNotFoundError):
        Files().read(path)
    assert Files().try_read(path) == b""
    assert read_attribute(path) is None
    assert read_number(path) is None
    assert names_in(path) == []
    assert not is_there(path)


def test_a_folder_in_place_of_a_file_has_no_value(tmp_path: Path) -> None:
    assert Files().try_read(str(tmp_path)) == b""
    assert read_attribute(str(tmp_path)) is None


def test_a_whole_number_has_an_optional_sign_and_nothing_else() -> None:
    texts = [b"0", b"-7\n", b" 12 ", b"+1", b"1_0", b"1.0", b"", b"9" * 18, b"9" * 19, b"\xd9\xa3"]

    assert [whole(text) for text in texts] == [
        *(0, -7, 12, None, None, None, None, 10**18 - 1, None, None)
    ]


def test_names_that_read_alike_are_distinct() -> None:
    names = ["eth0", "eth0.7", "eth0_7", "eth0-7", "ETH0"]

    assert distinct_word("eth0_7") == "eth0_7"
    assert len({distinct_word(name) for name in names}) == len(names)
