"""The store of a running agent, and what looks after it: upkeep in small steps, room, counts."""

import os
from collections.abc import Callable

from agent.clock import Clock
from agent.config import Config
from agent.state import memory_folders
from agent.store import Store
from agent.store.space import KeepSmall
from agent.store.upkeep import Upkeep


def store_of(config: Config, clock: Clock, guard: Callable[[], None]) -> Store:
    """The store as configured; ``guard`` is asked before its file is opened."""
    return Store(
        config.store_path,
        clock,
        flush_interval_s=config.store.flush_interval_s,
        waiting_bytes=config.store.max_waiting_mb * 1024 * 1024,
        guard=guard,
        journal_folders=tuple(memory_folders(os.environ, os.getuid())),
        max_size_mb=config.store.max_size_mb,
    )


def upkeep_of(config: Config, store: Store, clock: Clock) -> tuple[Upkeep, KeepSmall]:
    """What seals, repairs and drops; keeping the file small is its last step."""
    plain = {device.name: device.plain for device in config.devices}
    upkeep = Upkeep(store, clock, config.store.plain_days, plain)
    space = KeepSmall(
        upkeep.workplace, clock, config.store.max_size_mb, config.store.max_disk_percent
    )
    upkeep.steps.append(space)
    return upkeep, space
