"""What is inside the one file: each part with its hash and the file that it came from."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs

from agent.service.archive import Archive, Entry, read_archive
from agent.service.build import BUILD_FILE

BOOTLOADER = "the program before its archive"
MODULES, SCRIPTS, OPTIONS, PACKED_MODULES = b"m", b"s", b"o", b"z"


@attrs.frozen
class Part:
    """One file or module inside; ``source`` is where it came from."""

    name: str
    sha256: str
    source: Path


@attrs.frozen
class Sources:
    """Where PyInstaller took everything from: ``contents.json``, which build/agent.spec writes."""

    modules: Mapping[str, Path]
    files: Mapping[str, Path]

    @property
    def standard_library(self) -> Path:
        """The folder of Python's own modules, known from the extensions in it."""
        found = {
            path.parent.parent for path in self.files.values() if path.parent.name == "lib-dynload"
        }
        if len(found) != 1:
            raise SystemExit(f"contents.json: extensions of Python in {sorted(map(str, found))}")
        return found.pop()

    def module(self, name: str) -> Path:
        """The source of a module or a script."""
        path = self.modules.get(name)
        return path if path is not None else _missing(name)

    def file(self, name: str) -> Path:
        """The source of a library or of data."""
        path = self.files.get(name)
        return path if path is not None else _missing(name)


def read_sources(contents: Path) -> Sources:
    """What ``contents.json`` says."""
    modules: dict[str, Path] = {}
    files: dict[str, Path] = {}
    for name, source, kind in json.loads(contents.read_text("utf-8")):
        is_module = kind.startswith(("PYMODULE", "PYSOURCE"))
        (modules if is_module else files)[name] = Path(source)
    return Sources(modules, files)


def facts_of(program: Path) -> Mapping[str, str]:
    """What the program says of itself: its version and its build."""
    archive = read_archive(program)
    found = next((each for each in archive.entries if each.name == BUILD_FILE), None)
    if found is None:
        raise SystemExit(f"{program}: {BUILD_FILE} is not inside: build it again")
    facts: Mapping[str, str] = json.loads(archive.content(found))
    return facts


def bootloader_of(program: Path) -> bytes:
    """The machine code that starts the program, without what it carries."""
    archive = read_archive(program)
    with program.open("rb") as stream:
        return stream.read(archive.start)


def parts(program: Path, sources: Sources) -> Iterator[Part]:
    """Every part of the program; an archive inside is not one, but what it holds."""
    import PyInstaller  # type: ignore[import-untyped]  # only where the one file is made

    archive = read_archive(program)
    loader = Path(PyInstaller.__path__[0], "loader")
    yield Part(BOOTLOADER, _hash(bootloader_of(program)), loader.parent / "bootloader")
    for entry in archive.entries:
        if entry.kind == OPTIONS:
            continue
        if entry.kind == PACKED_MODULES:
            yield from _modules(program, entry.name, sources)
        elif entry.name.endswith(".zip"):
            yield from _members(archive, entry, sources)
        elif entry.kind in (MODULES, SCRIPTS):
            own = loader / f"{entry.name}.py"
            is_struct = entry.kind == MODULES and not own.exists()  # which the loader needs
            found = sources.standard_library / f"{entry.name}.py" if is_struct else own
            source = found if found.exists() else sources.module(entry.name)
            yield Part(entry.name, _hash(archive.content(entry)), source)
        else:
            yield Part(entry.name, _hash(archive.content(entry)), sources.file(entry.name))


def _modules(program: Path, name: str, sources: Sources) -> Iterator[Part]:
    """The modules that the program itself keeps."""
    from PyInstaller.archive.readers import CArchiveReader  # type: ignore[import-untyped]

    reader = CArchiveReader(str(program)).open_embedded_archive(name)
    for module in sorted(reader.toc):
        content = reader.extract(module, raw=True) or b""  # none of a folder without __init__.py
        yield Part(f"{name}/{module}", _hash(content), sources.module(module))


def _members(archive: Archive, entry: Entry, sources: Sources) -> Iterator[Part]:
    """The files of an archive in the archive."""
    with zipfile.ZipFile(io.BytesIO(archive.content(entry))) as inner:
        for member in sorted(inner.namelist()):
            yield Part(
                f"{entry.name}/{member}",
                _hash(inner.read(member)),
                _source_of_member(entry.name, member, sources),
            )


def _source_of_member(name: str, member: str, sources: Sources) -> Path:
    if name == "base_library.zip":
        return sources.standard_library / Path(member).with_suffix(".py")
    if name == "tzdata.zip":
        return _distributions_folder(sources) / member
    return sources.file(member)


def _distributions_folder(sources: Sources) -> Path:
    """Where tzdata was installed: the folder of its metadata's folder."""
    return next(
        path.parents[1] for name, path in sources.files.items()
        if name.startswith("tzdata-") and name.endswith(".dist-info/METADATA")
    )  # fmt: skip


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _missing(name: str) -> Path:
    raise SystemExit(f"contents.json does not say where {name!r} came from: see build/agent.spec")
