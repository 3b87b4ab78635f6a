"""The copy of the one file that needs no unpacking, made from its archive."""

import io
import shutil
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.errors import AgentError
from agent.service.archive import COOKIE, ENTRY, MAGIC, UNPACKED, read_archive
from agent.service.program import Program, this_program, unpack

TRUE = Path(shutil.which("true") or "/bin/true").read_bytes()


def packed(entries: list[tuple[str, bytes, bytes, bool]]) -> bytes:
    """A program with an archive as PyInstaller makes it: (name, kind, content, deflated)."""
    data, table = b"", b""
    for name, kind, content, is_deflated in entries:
        raw = zlib.compress(content) if is_deflated else content
        length = ENTRY.size + len(name) + 1
        length += -length % 16
        head = ENTRY.pack(length, len(data), len(raw), len(content), is_deflated, kind)
        table += head + name.encode().ljust(length - ENTRY.size, b"\0")
        data += raw
    size = len(data) + len(table) + COOKIE.size
    cookie = COOKIE.pack(MAGIC, size, len(data), len(table), 311, b"libpython3.11.so.1.0")
    return TRUE + data + table + cookie


def tls() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("libssl.so.3", b"tls")
    return content.getvalue()


ENTRIES = [
    ("struct", b"m", b"code", True),
    ("program", b"s", b"main", True),
    ("libpython3.11.so.1.0", b"b", b"\x7fELF library", False),
    ("python3.11/lib-dynload/math.so", b"b", b"math" * 100, True),
    ("agent.toml", b"x", b"# Temperatur in \xc2\xb0C", True),
    ("libz.so", b"n", b"libz.so.1", False),
    ("tls.zip", b"x", tls(), True),
    ("PYZ.pyz", b"z", b"modules", False),
]


@pytest.fixture
def one_file(tmp_path: Path) -> Program:
    path = tmp_path / "agent-linux-x86_64"
    path.write_bytes(packed(ENTRIES))
    path.chmod(0o755)
    return Program(path, is_frozen=True, version="1.0.0", build="0123456789abcdef")


def test_what_a_start_unpacks_lies_beside_the_copy(one_file: Program, tmp_path: Path) -> None:
    program = unpack(one_file, tmp_path / "versions" / one_file.label)

    inside = program.parent / "_internal"
    assert program == tmp_path / "versions" / "1.0.0-01234567" / "agent"
    assert (inside / "python3.11/lib-dynload/math.so").read_bytes() == b"math" * 100
    assert (inside / "agent.toml").read_text("utf-8") == "# Temperatur in °C"
    assert (inside / "libz.so").readlink() == Path("libz.so.1")


def test_what_is_expanded_on_demand_is_expanded_in_the_copy(
    one_file: Program, tmp_path: Path
) -> None:
    program = unpack(one_file, tmp_path / "copy")

    assert (program.parent / "_internal/libssl.so.3").read_bytes() == b"tls"
    assert not (program.parent / "_internal/tls.zip").exists()


def test_the_copy_holds_what_is_not_unpacked_and_where_the_rest_is(
    one_file: Program, tmp_path: Path
) -> None:
    archive = read_archive(unpack(one_file, tmp_path / "copy"))

    assert [(entry.name, entry.kind) for entry in archive.entries] == [
        ("struct", b"m"), ("program", b"s"), ("PYZ.pyz", b"z"),
        ("pyi-contents-directory _internal", b"o"),
    ]  # fmt: skip
    assert [archive.content(entry) for entry in archive.entries[:3]] == [
        b"code", b"main", b"modules",
    ]  # fmt: skip
    assert (archive.python, archive.library.rstrip(b"\0")) == (311, b"libpython3.11.so.1.0")


def test_the_copy_is_a_program_that_the_system_starts(one_file: Program, tmp_path: Path) -> None:
    program = unpack(one_file, tmp_path / "copy")

    assert subprocess.run([program], check=False, timeout=30).returncode == 0


def test_a_copy_of_a_copy_is_the_same(one_file: Program, tmp_path: Path) -> None:
    first = unpack(one_file, tmp_path / "first")

    second = unpack(Program(first, True, "1.0.0", None), tmp_path / "second")

    assert second.read_bytes() == first.read_bytes()
    assert {path.relative_to(second.parent) for path in second.parent.rglob("*")} == {
        path.relative_to(first.parent) for path in first.parent.rglob("*")
    }


@pytest.mark.parametrize("name", ["/etc/agent", "../outside", "a/../../outside"])
def test_nothing_is_written_outside_of_the_copy(name: str, tmp_path: Path) -> None:
    path = tmp_path / "agent"
    path.write_bytes(packed([(name, b"x", b"evil", False)]))

    with pytest.raises(AgentError, match="leads out of its folder"):
        unpack(Program(path, True, "1.0.0", None), tmp_path / "copies" / "copy")

    assert not (tmp_path / "copies" / "copy").exists()


def test_from_source_there_is_nothing_to_unpack(tmp_path: Path) -> None:
    assert this_program().is_frozen is False
    with pytest.raises(AgentError, match="make build"):
        unpack(this_program(), tmp_path / "copy")


def test_a_file_without_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="it has no archive"):
        read_archive(Path(sys.executable).resolve())


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 2000), flips=st.lists(st.integers(0, 2000), max_size=4))
def test_a_damaged_file_is_an_error_and_leaves_nothing(
    cut: int, flips: list[int], tmp_path: Path
) -> None:
    content = bytearray(packed(ENTRIES))
    for place in flips:
        content[len(content) - 1 - place % (len(content) - len(TRUE))] ^= 0x55
    path = tmp_path / "agent"
    path.write_bytes(content[: len(content) - cut])
    shutil.rmtree(tmp_path / "copy", ignore_errors=True)

    try:
        unpack(Program(path, True, "1.0.0", None), tmp_path / "copy")
    except AgentError:
        assert not (tmp_path / "copy").exists()


def test_only_what_is_unpacked_is_left_out() -> None:
    assert {kind for _, kind, _, _ in ENTRIES} - UNPACKED == {b"m", b"s", b"z"}
