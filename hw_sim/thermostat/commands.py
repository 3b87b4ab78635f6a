"""Requests of a client: which of them change something, and the answer to each."""

from hw_sim.thermostat.board import Board
from hw_sim.thermostat.board_commands import BOARD_COMMANDS
from hw_sim.thermostat.channel_commands import CHANNEL_COMMANDS, report_mode
from hw_sim.thermostat.reply import Reply
from hw_sim.thermostat.text import INVALID

COMMANDS = {**CHANNEL_COMMANDS, **BOARD_COMMANDS}
BLANKS_ALLOWED = {"report", "pwm", "output", "pid", "s-h", "b-p", "postfilter"}  # behind the word
READING = {"report", "quit", "hwrev"}
CHANGING = {"load", "save", "fcurve", "swap", "reset", "dfu", "center"}  # with nothing behind it


def changes(line: str) -> bool:
    """Whether a request would change the thermostat, well formed or not.

    >>> changes("pid"), changes("pid 0 target 20"), changes("save"), changes("hello")
    (False, True, True, False)
    """
    words = line.split() or [""]
    if words[0] == "report":
        return len(words) > 2
    return words[0] in CHANGING or (
        words[0] in COMMANDS and words[0] not in READING and len(words) > 1
    )


def run(board: Board, line: str, mode: bool) -> Reply:
    """Obey one request; ``mode`` is the connection's ``report mode``."""
    bare = line.rstrip(" ")
    try:
        if line.startswith(" ") or (bare != line and bare not in BLANKS_ALLOWED):
            raise ValueError("a blank")
        word, *rest = bare.split()
        if word == "report" and rest:
            return report_mode(board, rest, mode)
        if word in ({"pwm", "s-h", "swap"} if board.is_b else {"output", "b-p"}):
            raise ValueError("a command of the other generation")
        return COMMANDS[word](board, rest)
    except (ValueError, KeyError):
        return Reply((INVALID,))
