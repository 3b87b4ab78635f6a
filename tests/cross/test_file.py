"""What the one file for ARM asks of a machine, read from the file itself."""

import io
import re
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from agent.service.archive import UNPACKED, read_archive
from tests.cross.machine import OUT, built

SIZE_LIMIT = 16_000_000
GLIBC = (2, 36)  # of Raspberry Pi OS bookworm
ELF = b"\x7fELF"
ARCHES = [
    "arm64",
    pytest.param("armhf", marks=pytest.mark.slow),
]


def programs(file: Path) -> Iterator[tuple[str, bytes]]:
    """The bootloader and every library inside, by name."""
    archive = read_archive(file)
    yield "bootloader", file.read_bytes()
    for entry in archive.entries:
        content = archive.content(entry) if entry.kind in UNPACKED else b""
        if content.startswith(ELF):
            yield entry.name, content
        elif content.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(content)) as inner:
                for name in inner.namelist():
                    if inner.read(name).startswith(ELF):
                        yield name, inner.read(name)


def readelf(options: str, content: bytes, folder: Path) -> str:
    """What readelf says of a program."""
    path = folder / "program"
    path.write_bytes(content)
    words = ["readelf", options, str(path)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("arch", ARCHES)
def test_no_part_asks_for_more_than_debian_12_has(arch: str, tmp_path: Path) -> None:
    wanted: Mapping[str, set[str]] = {
        name: set(re.findall(r"GLIBC_([\d.]+)", readelf("-VW", content, tmp_path)))
        for name, content in programs(built(arch))
    }

    newer = {
        name: version
        for name, versions in wanted.items()
        for version in versions
        if tuple(map(int, version.split("."))) > GLIBC
    }
    assert newer == {}
    assert any("libpython" in name for name in wanted)
    assert any("libssl" in name for name in wanted)


@pytest.mark.parametrize("arch", ARCHES)
def test_a_file_is_small_and_its_sum_is_beside_it(arch: str) -> None:
    file = built(arch)

    sums = (OUT / "SHA256SUMS").read_text("ascii")
    assert file.stat().st_size <= SIZE_LIMIT
    assert file.with_name(f"{file.name}.sha256").read_text("ascii") in sums


@pytest.mark.slow
def test_armhf_runs_on_armv7_with_hardware_floats(tmp_path: Path) -> None:
    said = {name: readelf("-A", content, tmp_path) for name, content in programs(built("armhf"))}

    levels = {name: re.findall(r"Tag_CPU_arch: (\S+)", text) for name, text in said.items()}
    assert {level for found in levels.values() for level in found} <= {"v6", "v7"}
    assert [name for name, text in said.items() if "VFP registers" not in text] == []
    assert "Tag_Advanced_SIMD" not in said["bootloader"]  # some ARMv7 have no NEON
