"""What a command of the thermostat leads to, and what all commands share."""

from collections.abc import Callable, Sequence

import attrs

from hw_sim.thermostat.board import Board
from hw_sim.thermostat.channel import Channel
from hw_sim.thermostat.text import DONE, Json, encode


@attrs.frozen
class Reply:
    """What a command leads to: lines, then perhaps the end of this connection, or of all.

    Args:
        mode: What ``report mode`` is from now on, for this connection.
    """

    lines: tuple[str, ...] = (DONE,)
    ends: bool = False
    restarts: bool = False
    mode: bool | None = None


Command = Callable[[Board, Sequence[str]], Reply]


def channel_of(board: Board, text: str) -> Channel:
    return board.channels[("0", "1").index(text)]


def all_channels(board: Board, make: Callable[[Channel], dict[str, Json]]) -> Reply:
    rows: list[Json] = [{"channel": each.index} | make(each) for each in board.channels]
    return Reply((encode(rows),))


def no_arguments(rest: Sequence[str]) -> None:
    if rest:
        raise ValueError("arguments")
