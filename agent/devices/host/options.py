"""What a ``[[device]]`` of kind ``host`` may say."""

from collections.abc import Iterator
from typing import Annotated

import attrs

from agent.config.options import Between, Length, OptionFault


@attrs.frozen
class Options:
    """What ``agent.toml`` may say about this machine."""

    power_supply: Annotated[str, Length(1, 255)] = "auto"
    processes: Annotated[int, Between(0, 100)] = 10
    command_lines: bool = False
    disks: bool = True
    network: bool = True
    virtual_interfaces: bool = False
    temperatures: bool = True
    proc: Annotated[str, Length(1, 1024)] = "/proc"
    sys: Annotated[str, Length(1, 1024)] = "/sys"

    def check(self) -> Iterator[OptionFault]:
        """Faults of names and paths."""
        if "/" in self.power_supply or self.power_supply in (".", ".."):
            allowed = "auto, none, or a name from /sys/class/power_supply"
            yield OptionFault("power_supply", self.power_supply, allowed)
        for key, path in (("proc", self.proc), ("sys", self.sys)):
            if not path.startswith("/") or "\0" in path:
                yield OptionFault(key, path, "a path from the root")
