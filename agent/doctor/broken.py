"""The lines of a configuration that is no TOML, as far as they may be shown."""

import re
from collections.abc import Iterator
from typing import Final

import attrs

from agent.config.options import Secret
from agent.config.schema import SECTIONS, DeviceSection
from agent.config.source import SECRET
from agent.config.structure import base_type
from agent.discovery.search import Kinds
from agent.doctor.masking import HIDDEN
from agent.doctor.secrets import CONTENT, hints_of_class

HEADER: Final = re.compile(r"\s*\[\[?\s*[A-Za-z_.-]{1,40}\s*\]?\]?\s*(#.*)?")
PAIR: Final = re.compile(r"(\s*)([A-Za-z0-9_-]{1,40})(\s*=\s*)(.*)")
SIMPLE: Final = re.compile(r"""(true|false|[-+0-9.:_]+|"[^"\\]*"|'[^']*')\s*(?:#.*)?""")
QUOTES: Final = ('"""', "'''")
QUOTED: Final = re.compile(r"""["']([^"']{4,})["']""")


def shown_lines(text: str, kinds: Kinds) -> tuple[list[str], list[str]]:
    """Each line without comments and without what may be a secret; and what was left out."""
    keys = _harmless(kinds)
    hidden: list[str] = []
    lines = list(_lines(text, keys, hidden))
    return lines, hidden


def _lines(text: str, keys: frozenset[str], hidden: list[str]) -> Iterator[str]:
    is_inside = False  # a text of many lines
    for number, line in enumerate(text.splitlines(), 1):
        was_inside = is_inside
        if sum(line.count(quotes) for quotes in QUOTES) % 2:
            is_inside = not is_inside
        pair = PAIR.fullmatch(line)
        if was_inside or (line.strip() and pair is None and not HEADER.fullmatch(line)):
            shown = "# ..." if line.lstrip().startswith("#") and not was_inside else HIDDEN
            hidden += [line.strip(), *QUOTED.findall(line)] if shown == HIDDEN else []
        elif pair is None:
            shown = line.partition("#")[0].rstrip()
        else:
            value = SIMPLE.fullmatch(pair[4])
            is_shown = pair[2] in keys and value is not None and not is_inside
            shown = f"{pair[1]}{pair[2]}{pair[3]}{value[1] if is_shown and value else HIDDEN}"
            hidden += [] if is_shown else [pair[4].strip(), *QUOTED.findall(pair[4])]
        yield f"{number:4}  {shown}"


def _harmless(kinds: Kinds) -> frozenset[str]:
    classes = [*SECTIONS.values(), DeviceSection, *(kinds[name]().options for name in kinds)]
    hints: dict[str, list[object]] = {}
    for each in classes:
        for key, hint in hints_of_class(each).items():
            hints.setdefault(key, []).append(base_type(hint))
    return frozenset(
        key
        for key, types in hints.items()
        if Secret not in types and not SECRET.search(key) and key not in CONTENT
        and not any(attrs.has(each) for each in types if isinstance(each, type))
    )  # fmt: skip
