"""Placeholders for hosts: the same one for the same address or name, throughout a report."""

import ipaddress
import platform
import re
from collections.abc import Iterable
from typing import Final

V4: Final = r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)"
V6: Final = r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:%[\w.-]+)?(?![\w:])"
ENDS: Final = r"local|lan|home|fritz\.box|internal|localdomain|home\.arpa"
LOCAL_NAME: Final = rf"(?<![\w.-])(?:[\w-]+\.)+(?:{ENDS})(?![\w-])"
USUAL: Final = frozenset({"", "localhost", "agent", "raspberrypi"})  # which say nothing


class HostMask:
    """Replaces hosts; ``known`` are names that stand in the configuration.

    >>> HostMask(["plc"])("plc 10.0.0.7:102, 127.0.0.1, again 10.0.0.7")
    'host-1 host-2:102, 127.0.0.1, again host-2'
    """

    def __init__(self, known: Iterable[str]) -> None:
        own = platform.node()
        names = {
            name for each in (*known, own, own.partition(".")[0]) for name in (each, each.lower())
        }
        words = [re.escape(name) for name in sorted(names - USUAL, key=len, reverse=True)]
        names_form = [rf"(?<![\w-])(?:{'|'.join(words)})(?![\w-])"] if words else []
        self._pattern = re.compile("|".join([*names_form, V4, V6, LOCAL_NAME]), re.IGNORECASE)
        self._numbers: dict[str, int] = {}

    def __call__(self, text: str) -> str:
        return self._pattern.sub(self._placeholder, text)

    def _placeholder(self, found: re.Match[str]) -> str:
        text = found[0]
        address = text.partition("%")[0]
        if ":" in address or re.fullmatch(r"[\d.]+", address):
            try:
                known = ipaddress.ip_address(address)
            except ValueError:
                return text  # a time of day, or a version
            if known.is_loopback or known.is_unspecified:
                return text
            text = str(known)
        return f"host-{self._numbers.setdefault(text.lower(), len(self._numbers) + 1)}"
