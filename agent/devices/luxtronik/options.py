"""What a ``[[device]]`` of kind ``luxtronik`` may say."""

from collections.abc import Sequence
from typing import Annotated, Final

import attrs

from agent.config.options import Between, Claim, Host, OneOf, Port
from agent.devices.contract import address_of

USUAL_PORTS: Final = (8889, 8888)  # of newer controllers, of older ones


@attrs.frozen
class Options:
    """Where the controller is, what to read, and how the values are to look."""

    host: Host
    port: Port = 8889
    values: Annotated[str, OneOf(("scaled", "raw"))] = "scaled"
    parameters: bool = True
    visibilities: bool = True
    readable_headers: bool = False
    min_values: Annotated[int, Between(0, 10000)] = 100

    @property
    def where(self) -> str:
        """``host:port``."""
        return address_of(self.host, self.port)

    @property
    def claims(self) -> Sequence[Claim]:
        """The controller: some have crashed when two connections asked at once."""
        is_usual = self.port in USUAL_PORTS  # the same controller, by its old and its new port
        where = self.host if is_usual else self.where
        return [Claim(f"the heat pump at {where.casefold()}", "it takes one connection")]

    @property
    def is_raw(self) -> bool:
        """Whether values stay the numbers that the controller sends."""
        return self.values == "raw"
