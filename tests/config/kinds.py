"""A registry of kinds for the tests of the configuration, and what to do with it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import attrs

from agent.config import Config, FaultyConfigError, load
from agent.config.options import Between, Host, Length, OneOf, OptionFault, Port, Secret


@attrs.frozen
class Tag:
    """One value of a press."""

    name: Annotated[str, Length(1, 20)]
    address: str
    scale: float = 1.0


@attrs.frozen
class PressOptions:
    """A kind with every sort of option."""

    host: Host
    port: Port = 102
    mode: Annotated[str, OneOf(("slow", "fast"))] = "slow"
    ratio: Annotated[float, Between(0, 1)] = 0.5
    limit: Annotated[float, Between(0, 10, "bar")] | None = None
    rack: int = 0
    verbose: bool = False
    password: Secret | None = None
    words: tuple[str, ...] = ()
    tag: tuple[Tag, ...] = ()

    def check(self) -> Iterator[OptionFault]:
        """A tag without a digit has no address; slow ones have no tag."""
        for number, tag in enumerate(self.tag, 1):
            if not any(character.isdigit() for character in tag.address):
                allowed = "an address with a digit"
                yield OptionFault(f"tag[{number}].address", tag.address, allowed, ", such as M0")
        if self.rack > 7:
            yield OptionFault("rack", self.rack, "0 to 7")


@attrs.frozen
class LampOptions:
    """A kind that needs nothing."""

    colour: str = "white"


@attrs.frozen
class HeatPumpOptions:
    """A stand-in for the kind that the heat pump logger's variables make."""

    host: Host
    port: Port = 8889
    readable_headers: bool = False


@attrs.frozen
class TestKind:
    """What the configuration has to know of a kind."""

    __test__ = False

    options: type
    interval_s: float = 1.0
    min_interval_s: float = 0.5
    timeout_s: float = 3.0
    is_single: bool = False


PRESS = TestKind(PressOptions)
LAMP = TestKind(LampOptions, interval_s=5.0)
HEAT_PUMP = TestKind(HeatPumpOptions, interval_s=30.0, min_interval_s=5.0)
SUN = TestKind(LampOptions, is_single=True)
KINDS = {"press": lambda: PRESS, "lamp": lambda: LAMP, "sun": lambda: SUN}
WITH_HEAT_PUMP = {**KINDS, "luxtronik": lambda: HEAT_PUMP}


def written(folder: Path, text: str | bytes) -> Path:
    """``agent.toml`` in a folder."""
    file = folder / "agent.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def loaded(folder: Path, text: str | bytes, environ: Mapping[str, str] | None = None) -> Config:
    """The configuration of a text, with the kinds of this module and no other environment."""
    return load(written(folder, text), KINDS, environ or {})


def faults(folder: Path, text: str | bytes, environ: Mapping[str, str] | None = None) -> list[str]:
    """The faults of a text, without the folder that the file lies in."""
    try:
        config = loaded(folder, text, environ)
    except FaultyConfigError as error:
        return [str(fault).replace(f"{folder}/", "") for fault in error.faults]
    raise AssertionError(f"no fault in {config}")
