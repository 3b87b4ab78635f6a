"""The file "copyright" of a package: who owns what is inside, made from the list of contents."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

FORMAT = "https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/"
PROGRAM = "usr/lib/agent/agent"
INSIDE = "usr/lib/agent/_internal"
# Every Debian has these texts: a package refers to them.
COMMON = (
    (
        re.compile(
            r"[^\n]*GNU GENERAL PUBLIC LICENSE\s+Version 2.*?END OF TERMS AND CONDITIONS.*?"
            r"(?=\n\n|\Z)", re.DOTALL),
        "The text of the GNU General Public License is /usr/share/common-licenses/GPL-2.",
    ),
    (
        re.compile(r"[^\n]*Apache License\s+Version 2\.0, January 2004.*", re.DOTALL),
        "The text of the Apache License is /usr/share/common-licenses/Apache-2.0.",
    ),
)  # fmt: skip


def copyright_file(listed: Path) -> str:
    """The whole file."""
    bill = json.loads(listed.read_text("utf-8"))
    own = bill["metadata"]["component"]
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for each in bill["components"]:
        key = (each["licenses"][0]["expression"], _texts(each))
        groups.setdefault(key, []).append(each)  # three packages of Debian are Python
    stanzas = [
        f"Format: {FORMAT}\nUpstream-Name: agent\nComment:\n"
        f" {PROGRAM} holds modules of most works below, each of which is named\n"
        " in the comment of its paragraph.",
        _stanza([own], ["*"]),
        *(_stanza(each, _files(each)) for each in groups.values()),
    ]
    return "\n\n".join(stanzas) + "\n"


def _files(components: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    """Their files in the package; modules and parts of archives are in the file that holds them."""
    found = set()
    for each in (part for component in components for part in component["components"]):
        name = each["name"]
        name = name.removeprefix("tls.zip/")  # which a package has expanded
        folder = name.split("/")[0]
        if ".dist-info" in folder or "lib-dynload" in name:
            found.add(f"{INSIDE}/{folder}/*")
        elif folder.endswith(".zip") or (".so" in name and "/" not in name):
            found.add(f"{INSIDE}/{folder}")
    return sorted(found) or [PROGRAM]


def _stanza(components: Sequence[Mapping[str, Any]], files: Sequence[str]) -> str:
    component = components[0]
    owners = [found for line in component["copyright"].splitlines() if (found := _owner(line))]
    lines = [
        f"Files: {' '.join(files)}",
        *_field("Copyright", owners or ["see the licence"]),
        f"License: {component['licenses'][0]['expression']}",
        *_indented(_texts(component)),
        "Comment: " + ", ".join(f"{each['name']} {each['version']}" for each in components),
    ]
    return "\n".join(lines)


def _owner(line: str) -> str:
    return re.sub(r"^copyright:? *", "", line, flags=re.IGNORECASE)


def _field(name: str, lines: Sequence[str]) -> Iterator[str]:
    yield f"{name}: {lines[0]}"
    yield from (f" {line}" for line in lines[1:])


def _texts(component: Mapping[str, Any]) -> str:
    texts = [each["license"]["text"]["content"] for each in component["evidence"]["licenses"]]
    joined = "\n\n".join(dict.fromkeys(text.strip() for text in texts))
    for pattern, reference in COMMON:
        joined = pattern.sub(reference, joined)
    return joined


def _indented(text: str) -> Iterator[str]:
    for line in text.replace("\f", "\n").splitlines():
        plain = line.rstrip().expandtabs()
        yield f" {plain}" if plain else " ."
