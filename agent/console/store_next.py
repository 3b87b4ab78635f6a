"""What to do next when the store can't be read."""

from typing import Final

NO_STORE: Final = ("not a database", "malformed", "not a store of the agent", "disk I/O error")
FOREIGN: Final = "name another data_dir"


def next_step(error: str) -> str:
    """For the text of a ``StoreError``; nothing where that text says it itself.

    >>> next_step("cannot read telemetry.db: file is not a database")
    'stop the agent, then: agent store repair'
    """
    if FOREIGN in error:
        return ""
    if any(text in error for text in NO_STORE):
        return "stop the agent, then: agent store repair"
    return "run this command as the user of the agent or with sudo"
