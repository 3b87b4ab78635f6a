"""The errors that leave a module, each with the text that a user reads."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.model import Reason


class AgentError(Exception):
    """Anything that goes wrong outside of our own code; the text is for the user."""

    exit_code = 1


class ConfigError(AgentError):
    """``agent.toml``, the environment or the command line is wrong."""

    exit_code = 2


class DeviceError(AgentError):
    """A device could not be read; ``reason`` says which sort of failure it was."""

    exit_code = 3

    def __init__(self, text: str, reason: "Reason | None" = None) -> None:
        # Here, as what it loads takes a fifth of the time of "agent version", which has no device.
        from agent.model import Reason

        super().__init__(text)
        self.reason = reason or Reason.BAD_DATA


class StoreError(AgentError):
    """The store could not be opened, read or written."""

    exit_code = 4
