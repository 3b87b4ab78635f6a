"""Where the parts of the one file came from: packages of Debian and Python, with their licences."""

import email
import os
import re
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from urllib.parse import quote

import attrs

LICENCES = Path(__file__).parent / "licences"  # texts that their packages forgot
SPDX = {
    "MIT": "MIT",
    "MIT License": "MIT",
    "Expat": "MIT",
    "MIT/X11": "MIT",
    "BSD-3-Clause": "BSD-3-Clause",
    "Apache-2.0": "Apache-2.0",
    "Zlib": "Zlib",
    "zlib": "Zlib",
}
# What their metadata says less exactly than their licence.
KNOWN = {
    "pyserial": "BSD-3-Clause",
    "pyinstaller": "GPL-2.0-or-later WITH Bootloader-exception",
    "pyinstaller-hooks-contrib": "Apache-2.0",  # of its hooks for run time, which alone go in
    "libffi": "MIT",
    "sqlite3": "blessing",
    "zlib": "Zlib",
    "openssl": "Apache-2.0",
    "gcc-12": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "gcc-14": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "python3.11": "PSF-2.0",
    "python3.13": "PSF-2.0",
}


@attrs.define
class Component:
    """A work that something of is inside, by others or ours."""

    name: str
    version: str
    purl: str
    licence: str
    texts: Mapping[str, str]
    parts: list[tuple[str, str]] = attrs.Factory(list)  # name, SHA-256
    supplier: str = ""


class Distributions:
    """The Python packages of the environment that built it."""

    def __init__(self) -> None:
        self._of: dict[str, Distribution] = {}
        for each in distributions(path=[sysconfig.get_path("purelib")]):  # not a checkout
            for file in each.files or ():
                self._of[os.path.realpath(str(each.locate_file(file)))] = each

    def owner(self, path: Path) -> Component | None:
        """The package that a file belongs to."""
        found = self._of.get(os.path.realpath(path))
        return distribution_component(found) if found is not None else None

    def component(self, name: str) -> Component:
        """A package by its name."""
        return distribution_component(Distribution.from_name(name))


def distribution_component(found: Distribution) -> Component:
    """What its metadata says of a Python package.

    Raises:
        SystemExit: It says no licence, or has no text of it.
    """
    name = re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()
    texts = {
        f"{name}: {file.name}": Path(str(found.locate_file(file))).read_text("utf-8", "replace")
        for file in found.files or ()
        if ".dist-info/" in str(file)
        and re.match(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS)", file.name)
    }
    own = LICENCES / f"{name}.txt"
    if not texts and own.exists():
        texts = {f"{name}: LICENSE.txt": own.read_text("utf-8")}
    fields = found.metadata.json
    said = fields.get("license_expression") or fields.get("license")
    classes = [str(each).split(" :: ")[-1] for each in fields.get("classifier", ())]
    licence = KNOWN.get(name) or _expression([str(said), *classes]) or str(said or "")
    if not texts or not licence:
        raise SystemExit(f"{name}: no licence, or no text of it; add them to build/origins.py")
    purl = f"pkg:pypi/{name}@{found.version}"
    return Component(name, found.version, purl, licence, texts)


def _expression(names: list[str]) -> str | None:
    return next((SPDX[name] for name in names if name in SPDX), None)


@attrs.frozen
class DebianPackage:
    """An installed package."""

    name: str
    version: str
    architecture: str
    source: str


class DebianPackages:
    """What dpkg knows of the system below ``root``."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._folder = root / "var/lib/dpkg"
        self._owners: dict[str, str] = {}
        for file in sorted((self._folder / "info").glob("*.list")):
            for line in file.read_text("utf-8", "replace").splitlines():
                self._owners[line] = file.stem
        self._packages = dict(self._read_packages())
        self._system = _system(root)

    def owner(self, path: Path) -> Component | None:
        """The package that a file of that system belongs to; /lib and /usr/lib are one folder."""
        names = {os.path.normpath(path), self._real(path)}
        names |= {name.removeprefix("/usr") for name in names} | {f"/usr{name}" for name in names}
        found = next((self._owners[name] for name in sorted(names) if name in self._owners), None)
        return None if found is None else self._component(self._packages[found])

    def _real(self, path: Path) -> str:
        inside = (self._root / str(path).lstrip("/")).resolve()
        return f"/{inside.relative_to(self._root.resolve())}"

    def _component(self, package: DebianPackage) -> Component:
        file = self._root / "usr/share/doc" / package.name / "copyright"
        if not file.exists():
            raise SystemExit(f"{package.name}: {file} is missing, reinstall the package")
        text = file.read_text("utf-8", "replace")
        licence = KNOWN.get(package.source) or _debian_licence(text)
        if licence is None:
            raise SystemExit(f"{package.name}: what is its licence? See {file}, add it to KNOWN")
        purl = (
            f"pkg:deb/{self._system['ID']}/{quote(package.name)}@{quote(package.version, '')}"
            f"?arch={package.architecture}&distro={self._system['ID']}-{self._system['VERSION_ID']}"
        )
        return Component(
            package.name, package.version, purl, licence, {f"{package.name}: copyright": text},
            supplier=self._system["NAME"],
        )  # fmt: skip

    def _read_packages(self) -> Iterator[tuple[str, DebianPackage]]:
        """Each package under the names that its list of files may have."""
        for text in (self._folder / "status").read_text("utf-8", "replace").split("\n\n"):
            fields = email.message_from_string(text)
            name, version = fields["Package"], fields["Version"]
            if not name or not version:
                continue
            source = (fields["Source"] or name).split(" ")[0]
            package = DebianPackage(name, version, fields["Architecture"], source)
            yield name, package
            yield f"{name}:{package.architecture}", package


def _debian_licence(text: str) -> str | None:
    """The licence of most files, as a machine-readable copyright file says it."""
    found = re.search(r"^Files: \*\n(?:.*\n)*?License: *(\S+)", text, re.MULTILINE)
    return SPDX.get(found[1]) if found else None


def _system(root: Path) -> dict[str, str]:
    lines = (root / "etc/os-release").read_text("utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {key: value.strip('"') for key, value in pairs}


def python_component() -> Component:
    """Python itself, as it was built from its source."""
    version = sys.version.split()[0]
    folder = Path(sys.base_prefix, "lib", f"python{sys.version_info[0]}.{sys.version_info[1]}")
    file = folder / "LICENSE.txt"
    if not file.exists():
        raise SystemExit(f"{file} is missing: what is the licence of this Python?")
    text = {"cpython: LICENSE.txt": file.read_text("utf-8")}
    return Component("cpython", version, f"pkg:generic/cpython@{version}", "PSF-2.0", text)
