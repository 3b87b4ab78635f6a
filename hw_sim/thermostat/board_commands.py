"""The commands about the whole thermostat: flash, address, fan, hardware, restart.

Source: the command reference of the firmware, both generations.
"""

import copy
from collections.abc import Mapping, Sequence

from hw_sim.thermostat.board import Board, Fan
from hw_sim.thermostat.reply import Command, Reply, channel_of, no_arguments
from hw_sim.thermostat.text import DONE, Json, encode, parse_number

WEAK_FAN = "this fan doesn't have full PWM support. Use it at your own risk!"
NO_FLASH = '{{"error": "flash config not found"}}'  # not JSON, as in the firmware


def _load(board: Board, rest: Sequence[str]) -> Reply:
    lines = []
    for channel in [channel_of(board, text) for text in rest[:2]] or board.channels:
        kept = board.flash.get(channel.index)
        if kept is not None:
            channel.settings = copy.deepcopy(kept)
        lines.append(NO_FLASH if kept is None else DONE)
    return Reply(tuple(lines))


def _save(board: Board, rest: Sequence[str]) -> Reply:
    channels = [channel_of(board, text) for text in rest[:2]] or board.channels
    for channel in channels:
        board.flash[channel.index] = copy.deepcopy(channel.settings)
    return Reply((DONE,) * len(channels))


def _ipv4(board: Board, rest: Sequence[str]) -> Reply:
    if not rest:
        found: dict[str, Json] = {"addr": board.address}
        if board.gateway:
            found["gateway"] = board.gateway
        return Reply((encode(found),))
    address, *gateways = rest
    if len(gateways) > 1 or not all(each.count(".") == 3 for each in rest):
        raise ValueError("no address")
    board.address = address if "/" in address else f"{address}/24"
    board.gateway = gateways[0] if gateways else None
    return Reply(ends=True)


def _fan(board: Board, rest: Sequence[str]) -> Reply:
    if not rest:
        return Reply((encode(_fan_row(board)),))
    (text,) = rest
    if text != "auto" and not (text.isdecimal() and 1 <= int(text) <= 100):
        raise ValueError("no fan power")
    if board.fan is None:
        a = "a " if board.is_b else ""
        return Reply((f'{{ "warning": "this thermostat doesn\'t have {a}fan!" }}',))
    board.fan.auto = text == "auto"
    if text != "auto":
        board.fan.pwm = float(text)
    return Reply((f'{{ "warning": "{WEAK_FAN}" }}',))


def _fan_row(board: Board) -> Json:
    if board.fan is None:
        return None
    fan = board.fan
    most = max(abs(each.current) for each in board.channels)
    found: dict[str, Json] = {"fan_pwm": fan.pwm, "abs_max_tec_i": most, "auto_mode": fan.auto}
    return found | {"k_a": fan.k_a, "k_b": fan.k_b, "k_c": fan.k_c}


def _fan_curve(board: Board, rest: Sequence[str]) -> Reply:
    new = Fan()
    if list(rest) != ["default"]:
        new.k_a, new.k_b, new.k_c = map(parse_number, rest)
    if board.fan is not None:
        board.fan.k_a, board.fan.k_b, board.fan.k_c = new.k_a, new.k_b, new.k_c
    return Reply()


def _hardware(board: Board, rest: Sequence[str]) -> Reply:
    no_arguments(rest)
    is_new = board.fan is not None
    curve = (1.0, 0.0, 0.0, 0.04, 1.0, 25000.0) if is_new else (0.0,) * 6
    keys = ("fan_k_a", "fan_k_b", "fan_k_c", "min_fan_pwm", "max_fan_pwm", "fan_pwm_freq_hz")
    settings: dict[str, Json] = dict(zip(keys, curve, strict=True))
    settings |= {"fan_available": is_new, "fan_pwm_recommended": False}
    revision: Json = {"major": 2, "minor": 2 if is_new else 0}
    return Reply((encode({"rev": revision, "settings": settings}),))


def _swap(board: Board, rest: Sequence[str]) -> Reply:
    if board.generation != "a-swap":
        raise ValueError("no such command")
    for channel in [channel_of(board, text) for text in rest[:2]] or board.channels:
        channel.settings.swapped = not channel.settings.swapped
    return Reply()


def _restart(_: Board, rest: Sequence[str]) -> Reply:
    no_arguments(rest)
    return Reply((), restarts=True)


def _quit(_: Board, rest: Sequence[str]) -> Reply:
    no_arguments(rest)
    return Reply((), ends=True)


BOARD_COMMANDS: Mapping[str, Command] = {
    "load": _load,
    "save": _save,
    "ipv4": _ipv4,
    "fan": _fan,
    "fcurve": _fan_curve,
    "hwrev": _hardware,
    "swap": _swap,
    "reset": _restart,
    "dfu": _restart,
    "quit": _quit,
}
