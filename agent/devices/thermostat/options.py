"""What a ``[[device]]`` of kind ``thermostat`` may say."""

from typing import Final

import attrs

from agent.config.options import Host, Port
from agent.devices.contract import address_of

PORT: Final = 23


@attrs.frozen
class Options:
    """Where the thermostat is, and whether what it is set to is read, too."""

    host: Host
    port: Port = PORT
    settings: bool = True

    @property
    def where(self) -> str:
        """``host:port``."""
        return address_of(self.host, self.port)
