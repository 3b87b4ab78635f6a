"""What a ``[[device]]`` of kind ``luxtronik`` may say."""

from typing import Annotated

import attrs

from agent.config.options import Between, Host, OneOf, Port
from agent.devices.contract import address_of


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
    def is_raw(self) -> bool:
        """Whether values stay the numbers that the controller sends."""
        return self.values == "raw"
