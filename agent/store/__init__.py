"""The store: every sample, crash-safe, in one SQLite file. The only SQL of the agent."""

import sqlite3

from agent.store.facts import StoreState, bound_text
from agent.store.query import Reader
from agent.store.store import Store

__all__ = ["Reader", "Store", "StoreState", "bound_text", "sqlite_version"]


def sqlite_version() -> str:
    """The version of the SQLite library that is in use."""
    return sqlite3.sqlite_version
