"""Writes the list of what is inside the one file: CycloneDX 1.6, and all licences as one text.

Usage: python -m build.contents PROGRAM CONTENTS
PROGRAM.cdx.json and PROGRAM.licences.txt are written beside PROGRAM. The same inputs give the same
bytes: neither has a time, and the serial number comes from the program.
"""

import hashlib
import json
import re
import sys
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from agent import __version__
from agent.service.build import BUILD_FILE
from build.inside import BOOTLOADER, Part, bootloader_of, facts_of, parts, read_sources
from build.origins import (
    LICENCES,
    Component,
    DebianPackages,
    Distributions,
    python_component,
)

ROOT = Path(__file__).resolve().parent.parent
RULE = "=" * 78
COPYRIGHT = re.compile(
    r"^[\s*#>]*((?:copyright *(?:\(c\)|©|:|\d)|©|\(c\) ).*)$", re.IGNORECASE | re.MULTILINE
)


class Contents:
    """Puts each part to the work that it comes from."""

    def __init__(self, bootloader: bytes) -> None:
        self._distributions = Distributions()
        self._debian = DebianPackages()
        self.components: dict[str, Component] = {}
        self.own = Component(
            "agent", __version__, f"pkg:generic/agent@{__version__}", "MIT",
            {"agent: LICENSE": (ROOT / "LICENSE").read_text("utf-8")},
        )  # fmt: skip
        self._bootloader = bootloader

    def add(self, part: Part) -> None:
        """Find out whose it is.

        Raises:
            SystemExit: Nobody's: nothing may be inside that is not listed.
        """
        owner = self._owner(part)
        if owner is not self.own:
            owner = self.components.setdefault(owner.purl, owner)
        owner.parts.append((part.name, part.sha256))
        if part.name == BOOTLOADER:
            zlib = zlib_component(self._bootloader)
            self.components[zlib.purl] = zlib

    def _owner(self, part: Part) -> Component:
        if part.name == BOOTLOADER:
            return self._distributions.component("pyinstaller")
        if part.name == BUILD_FILE:
            return self.own
        found = self._distributions.owner(part.source) or self._debian.owner(part.source)
        if found is not None:
            return found
        if part.source.resolve().is_relative_to(ROOT):
            return self.own
        prefix = Path(sys.base_prefix)
        if part.source.is_relative_to(prefix) and prefix != Path("/usr"):
            return python_component()
        raise SystemExit(f"{part.name} comes from {part.source}: which package is that?")


def zlib_component(bootloader: bytes) -> Component:
    """The part of zlib that is compiled into the bootloader, which names itself."""
    found = re.search(rb"inflate (\d[\d.]*) Copyright", bootloader)
    if found is None:
        raise SystemExit("the bootloader does not say which zlib is in it")
    version = found[1].decode()
    text = {"zlib: LICENSE": (LICENCES / "zlib.txt").read_text("utf-8")}
    return Component("zlib", version, f"pkg:generic/zlib@{version}", "Zlib", text)


def bill(
    own: Component, components: Iterable[Component], sha256: str, build: str
) -> dict[str, Any]:
    """The whole list in the form of CycloneDX."""
    listed = [_described(each) for each in components]
    program = _described(own) | {
        "type": "application",
        "hashes": [{"alg": "SHA-256", "content": sha256}],
        "properties": [{"name": "agent:build", "value": build}],
    }
    refs = sorted(each["bom-ref"] for each in listed)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, sha256)}",
        "version": 1,
        "metadata": {"component": program},
        "components": listed,
        "dependencies": [
            {"ref": program["bom-ref"], "dependsOn": refs},
            *({"ref": ref} for ref in refs),
        ],
        "compositions": [{"aggregate": "complete", "assemblies": [program["bom-ref"], *refs]}],
    }


def _described(component: Component) -> dict[str, Any]:
    supplier = {"supplier": {"name": component.supplier}} if component.supplier else {}
    return {
        "type": "library",
        "bom-ref": component.purl,
        **supplier,
        "name": component.name,
        "version": component.version,
        "licenses": [{"expression": component.licence}],
        "copyright": "\n".join(copyrights(component.texts.values())),
        "purl": component.purl,
        "components": [
            {"type": "file", "name": name, "hashes": [{"alg": "SHA-256", "content": sha256}]}
            for name, sha256 in sorted(component.parts)
        ],
        "evidence": {
            "licenses": [
                {"license": {"name": name, "text": {"contentType": "text/plain", "content": text}}}
                for name, text in sorted(component.texts.items())
            ]
        },
    }


def copyrights(texts: Iterable[str]) -> list[str]:
    """Each line of licences that names an owner, once."""
    lines = [" ".join(found.split()) for text in texts for found in COPYRIGHT.findall(text)]
    return list(dict.fromkeys(lines))


def licences(own: Component, components: Iterable[Component]) -> str:
    """All licences to read: a table, then each text once, with those that it is of."""
    every = [own, *components]
    rows = [(each.name, each.version, each.licence) for each in every]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    table = [f"{name:{widths[0]}}  {version:{widths[1]}}  {text}" for name, version, text in rows]
    return "\n".join([f"What is inside agent {own.version}, and its licences", "", *table, ""]) + (
        "".join(_sections(every))
    )


def _sections(components: Iterable[Component]) -> Iterator[str]:
    of: dict[str, list[str]] = {}
    for each in components:
        for name, text in sorted(each.texts.items()):
            of.setdefault(text.strip("\n"), []).append(name)
    for text, names in of.items():
        lines = "\n".join(line.rstrip() for line in text.replace("\f", "\n").splitlines())
        yield f"\n{RULE}\n{', '.join(names)}\n{RULE}\n\n{lines}\n"


def main(program: Path, contents: Path) -> None:
    """Write both files."""
    found = Contents(bootloader_of(program))
    for part in parts(program, read_sources(contents)):
        found.add(part)
    components = [found.components[purl] for purl in sorted(found.components)]
    sha256 = hashlib.sha256(program.read_bytes()).hexdigest()
    listed = bill(found.own, components, sha256, facts_of(program)["build"])
    text = json.dumps(listed, indent=1, ensure_ascii=False)
    program.with_name(f"{program.name}.cdx.json").write_text(f"{text}\n", "utf-8")
    file = program.with_name(f"{program.name}.licences.txt")
    file.write_text(licences(found.own, components), "utf-8")
    count = sum(len(each.parts) for each in (found.own, *components))
    print(f"{program}.cdx.json: {count} parts of {len(components) + 1} works, licences beside it")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
