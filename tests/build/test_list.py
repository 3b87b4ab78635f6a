"""The list of what is inside the one file: whole, true, of the right form, the same each time."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.console.version import PACKAGES
from agent.service.archive import UNPACKED, read_archive
from build.inside import BOOTLOADER, facts_of

pytestmark = pytest.mark.frozen

ROOT = Path(__file__).parents[2]
BUILD_PYTHON = ROOT / "build/made/build-venv/bin/python"
CONTENTS = ROOT / "build/made/pyinstaller/agent/contents.json"
PEER = ROOT / ".venv/peers/cyclonedx"
# What PyInstaller's own reader finds, archives in the archive opened.
READ = """
import io, json, sys, zipfile
from PyInstaller.archive.readers import CArchiveReader
reader = CArchiveReader(sys.argv[1])
names = []
for name in reader.toc:
    if name.endswith(".zip"):
        inner = zipfile.ZipFile(io.BytesIO(reader.extract(name)))
        names += [f"{name}/{each}" for each in inner.namelist()]
    elif name.endswith(".pyz"):
        names += [f"{name}/{each}" for each in reader.open_embedded_archive(name).toc]
    else:
        names.append(name)
print(json.dumps([names, list(reader.options)]))
"""
CHECK = """
import json, pathlib, sys
sys.path.insert(0, sys.argv[1])
import fastjsonschema
from license_expression import get_spdx_licensing
folder = pathlib.Path(sys.argv[1], "cyclonedx/schema/_res")
read = lambda name: json.loads((folder / name.rpartition("/")[2]).read_text("utf-8"))
handlers = {"http": read, "https": read, "": read}
listed = json.loads(pathlib.Path(sys.argv[2]).read_text("utf-8"))
fastjsonschema.compile(read("bom-1.6.SNAPSHOT.schema.json"), handlers=handlers)(listed)
spdx = get_spdx_licensing()
for each in [listed["metadata"]["component"], *listed["components"]]:
    for licence in each["licenses"]:
        found = spdx.validate(licence["expression"])
        assert not found.errors, (each["name"], found.errors)
"""


def works(listed: Path) -> Iterator[Mapping[str, Any]]:
    """The agent and every work by others."""
    bill = json.loads(listed.read_text("utf-8"))
    yield from (bill["metadata"]["component"], *bill["components"])


@pytest.mark.skipif(not BUILD_PYTHON.exists(), reason="it was not built here: make build")
def test_everything_inside_is_listed_and_nothing_else(program: Path, listed: Path) -> None:
    done = subprocess.run(
        [BUILD_PYTHON, "-c", READ, program], capture_output=True, text=True, check=True
    )
    inside, options = json.loads(done.stdout)

    names = [part["name"] for work in works(listed) for part in work["components"]]

    assert len(names) == len(set(names))
    assert sorted(names) == sorted({*inside, BOOTLOADER} - set(options))


def test_the_list_is_of_this_very_program(program: Path, listed: Path) -> None:
    own = next(works(listed))

    sha256 = hashlib.sha256(program.read_bytes()).hexdigest()

    assert own["hashes"] == [{"alg": "SHA-256", "content": sha256}]


def test_each_file_inside_has_the_hash_that_is_listed(program: Path, listed: Path) -> None:
    archive = read_archive(program)
    files = [each for each in archive.entries if each.kind in UNPACKED]
    found = {
        each.name: hashlib.sha256(archive.content(each)).hexdigest()
        for each in files
        if not each.name.endswith(".zip")
    }

    named = {
        part["name"]: part["hashes"][0]["content"]
        for work in works(listed)
        for part in work["components"]
    }

    assert {name: named[name] for name in found} == found


def test_every_work_has_a_version_a_licence_and_its_text(listed: Path) -> None:
    for work in works(listed):
        assert work["version"], work["name"]
        assert work["purl"].startswith("pkg:"), work["name"]
        assert work["licenses"][0]["expression"], work["name"]
        texts = [each["license"]["text"]["content"] for each in work["evidence"]["licenses"]]
        assert all(len(text) > 100 for text in texts), work["name"]
        assert texts, work["name"]


def test_what_the_agent_says_of_its_libraries_is_in_the_list(listed: Path) -> None:
    names = {work["name"] for work in works(listed)}

    assert set(PACKAGES) <= names


@pytest.mark.parametrize("word", ["python", "sqlite", "libssl", "libffi", "zlib", "pyinstaller"])
def test_what_is_not_of_python_is_in_the_list_too(listed: Path, word: str) -> None:
    assert [work["name"] for work in works(listed) if word in work["name"]]


def test_the_licences_are_there_to_read(program: Path, listed: Path) -> None:
    text = program.with_name(f"{program.name}.licences.txt").read_text("utf-8")

    for work in works(listed):
        assert f"\n{work['name']} " in text
        assert all(each["license"]["name"] in text for each in work["evidence"]["licenses"])


@pytest.mark.peer
@pytest.mark.skipif(not PEER.is_dir(), reason="cyclonedx is not installed: build/peers.sh")
def test_the_list_is_valid_cyclonedx_with_licences_that_spdx_knows(listed: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHECK, PEER, listed],
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not CONTENTS.exists(), reason="it was not built here: make build")
def test_the_list_is_the_same_each_time(program: Path, listed: Path, tmp_path: Path) -> None:
    facts = json.loads(CONTENTS.with_name("build.json").read_text("utf-8"))
    if facts != facts_of(program):
        pytest.skip("the last program that was built here is another one: make build")
    copy = tmp_path / program.name
    copy.write_bytes(program.read_bytes())

    subprocess.run(
        [BUILD_PYTHON, "-B", "-m", "build.contents", copy, CONTENTS],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
    )

    assert copy.with_name(f"{copy.name}.cdx.json").read_bytes() == listed.read_bytes()
