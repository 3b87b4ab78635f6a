"""What a ``[[device]]`` of kind ``benchlab`` may say."""

import re
from collections.abc import Sequence
from typing import Annotated, Final

import attrs

from agent.config.options import Claim, Length


@attrs.frozen
class BoardUid:
    """The UID of a board, or nothing."""

    def allows(self, value: str) -> bool:
        return re.fullmatch(r"(?:[0-9A-Fa-f]{24})?", value) is not None

    def hint(self, value: str) -> str:
        """What to write instead, where that is plain.

        >>> BoardUid().hint("2c 00 3d 00 14 57 43 57 35 36 36 20")
        ', write it as "2C003D001457435735363620"'
        """
        digits = re.sub(r"0[xX]|[^0-9A-Fa-f]", "", value).upper()
        return f', write it as "{digits}"' if digits and self.allows(digits) else ""

    def __str__(self) -> str:
        return 'the 24 hex digits that "agent discover" shows, or "" for whichever board is found'


USB_ID: Final = (0x0483, 0x5740)  # of a chip maker's example, so many other gadgets have it too
ANY: Final = "whichever BENCHLAB board is there"


@attrs.frozen
class Options:
    """Which board, and where it is looked for."""

    uid: Annotated[str, BoardUid()] = ""
    port: Annotated[str, Length(0, 255)] = ""
    search: Annotated[str, Length(1, 255)] = "/dev/ttyACM*"

    @property
    def claims(self) -> Sequence[Claim]:
        """The board; a table that takes whichever board is found can't stand beside another."""
        hint = "give each board its uid, as agent discover shows them"
        if self.uid:
            return [Claim(f"the board {self.uid.upper()}"), Claim(ANY, hint, is_alone=False)]
        if self.port:
            return [Claim(f"the serial port {self.port}"), Claim(ANY, hint, is_alone=False)]
        return [Claim(ANY, hint)]

    @property
    def where(self) -> str:
        """The board, else its port, else where it is looked for."""
        return f"board {self.uid.upper()}" if self.uid else self.port or self.search
