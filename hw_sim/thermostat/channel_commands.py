"""The commands about channels: report, output, PID, thermistor and filter.

Source: the command reference of the firmware, both generations.
"""

from collections.abc import Mapping, Sequence

import attrs

from hw_sim.thermostat.board import Board
from hw_sim.thermostat.channel import SHUNT, Channel
from hw_sim.thermostat.reply import Command, Reply, all_channels, channel_of
from hw_sim.thermostat.text import Json, encode, parse_number

NO_RATE = '{{"error": "unable to choose postfilter rate"}}'  # not JSON, as in the firmware
RATES_A, RATES_B = (27.0, 21.25, 20.0, 16.67), (27.27, 25.0, 20.0, 16.667)
HIGHEST = {"i_set": 3.0, "max_v": 5.0, "max_i_pos": 3.0, "max_i_neg": 3.0}
HIGHEST_B = {"i_set": 2.0, "max_v": 4.3, "max_i_pos": 2.0, "max_i_neg": 2.0}


def _report(board: Board, _: Sequence[str]) -> Reply:
    return Reply((encode(board.report()),))


def report_mode(board: Board, rest: Sequence[str], mode: bool) -> Reply:
    word, *switch = rest
    if word != "mode" or board.is_b:
        raise ValueError("no report mode")
    if not switch:
        return Reply((f'{{ "report": {"true" if mode else "false"} }}',))
    (text,) = switch
    return Reply(mode={"on": True, "off": False}[text])


def _output(board: Board, rest: Sequence[str]) -> Reply:
    if not rest:
        return all_channels(board, lambda each: _output_row(board, each))
    one, key, *values = channel_of(board, rest[0]).settings, *rest[1:]
    match key, values:
        case "pid", []:
            one.engaged = True
        case "polarity", ["normal" | "reversed" as polarity] if board.is_b:
            one.polarity = polarity
        case (("i_set" | "max_v" | "max_i_pos" | "max_i_neg"), [text]):
            highest = (HIGHEST_B if board.is_b else HIGHEST)[key]
            lowest = -highest if key == "i_set" else 0.0
            setattr(one, key, min(max(parse_number(text), lowest), highest))
            one.engaged = one.engaged and key != "i_set"
        case _:
            raise ValueError("no such setting")
    return Reply()


def _output_row(board: Board, channel: Channel) -> dict[str, Json]:
    one, now = channel.settings, channel.measured
    center = now.vref if one.center is None else one.center
    values = {
        "i_set": (now.dac_value - center) / SHUNT,
        "max_v": one.max_v,
        "max_i_pos": one.max_i_pos,
        "max_i_neg": one.max_i_neg,
    }
    found: dict[str, Json] = {"center": "vref" if one.center is None else one.center}
    if board.is_b:
        return found | values | {"polarity": one.polarity}
    return found | {key: {"value": each, "max": HIGHEST[key]} for key, each in values.items()}


def _center(board: Board, rest: Sequence[str]) -> Reply:
    channel, text = rest
    channel_of(board, channel).settings.center = None if text == "vref" else parse_number(text)
    return Reply()


def _pid(board: Board, rest: Sequence[str]) -> Reply:
    if not rest:
        return all_channels(
            board,
            lambda each: {
                "parameters": attrs.asdict(each.settings.pid),
                "target": each.settings.target,
            },
        )
    channel, key, text = rest
    one = channel_of(board, channel).settings
    if key == "target":
        one.target = parse_number(text)
    elif key in attrs.asdict(one.pid):
        setattr(one.pid, key, parse_number(text))
    else:
        raise ValueError("no such parameter")
    return Reply()


def _thermistor(board: Board, rest: Sequence[str]) -> Reply:
    if not rest:
        return all_channels(board, lambda each: {"params": attrs.asdict(each.settings.thermistor)})
    channel, key, text = rest
    one = channel_of(board, channel).settings.thermistor
    if key not in attrs.asdict(one):
        raise ValueError("no such parameter")
    setattr(one, key, parse_number(text) + (273.15 if key == "t0" else 0.0))
    return Reply()


def _post_filter(board: Board, rest: Sequence[str]) -> Reply:
    if not rest:
        return all_channels(board, lambda each: {"rate": each.settings.rate})
    one = channel_of(board, rest[0]).settings
    match rest[1:]:
        case ["off"]:
            one.rate = None
        case ["rate", text]:
            wanted = parse_number(text)
            found = [rate for rate in (RATES_B if board.is_b else RATES_A) if rate <= wanted]
            if not found:
                return Reply((NO_RATE,))
            one.rate = found[0]
        case _:
            raise ValueError("no such filter")
    return Reply()


CHANNEL_COMMANDS: Mapping[str, Command] = {
    "report": _report,
    "pwm": _output,
    "output": _output,
    "center": _center,
    "pid": _pid,
    "s-h": _thermistor,
    "b-p": _thermistor,
    "postfilter": _post_filter,
}
