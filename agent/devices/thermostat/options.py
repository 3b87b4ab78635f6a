"""What a ``[[device]]`` of kind ``thermostat`` may say."""

import attrs

from agent.config.options import Host, Port
from agent.devices.contract import address_of


@attrs.frozen
class Options:
    """Where the thermostat is, and whether what it is set to is read, too."""

    host: Host
    port: Port = 23
    settings: bool = True

    @property
    def where(self) -> str:
        """``host:port``."""
        return address_of(self.host, self.port)
