"""The ways in which the simulated thermostat misbehaves."""

import re
from collections.abc import Callable, Mapping

from hw_sim import faults
from hw_sim.faults import TCP_FAULTS, Known, helps
from hw_sim.thermostat.text import DONE, Json

LONG_START = b'[{"channel":0,"note":"'
LONG_BLOCK = b"x" * 4096
NESTED = 1000
CHANNELS = 9  # at most in an answer

KNOWN: Mapping[str, Known] = {
    **TCP_FAULTS,
    "lost-reply": Known("leaves request number ARG of each connection without an answer", 1),
    "split-line": Known("sends each line in two halves, ARG seconds apart", 0.05),
    "two-lines": Known("sends an empty object behind each answer, at once"),
    "double-reply": Known("gives each answer twice"),
    "stray-reply": Known("sends an empty object before each answer, so that answers are late"),
    "stream": Known("sends reports that nobody asked for before and behind each answer"),
    "restart": Known("restarts now: connections are reset, the time since boot is 0"),
    "stale": Known("the converters stand still: the same report again and again"),
    "sensor-loss": Known("channel 0 has lost its thermistor"),
    "nan": Known("numbers are NaN, inf or -inf, which is no JSON"),
    "limits": Known("numbers are 1e308, -1e308 or 1e999"),
    "error": Known("report is answered with an error"),
    "settings-error": Known("every other query is answered with an error"),
    "bad-json": Known("answers are cut, so that they are no JSON"),
    "braces": Known("every answer is an error in double braces, which is no JSON"),
    "not-utf8": Known("answers hold bytes that are no text"),
    "unknown-fields": Known("reports have fields of later firmware: texts, lists, objects"),
    "type-change": Known("numbers are texts, texts are numbers"),
    "twice": Known("each key of an object stands there twice"),
    "swapped-channels": Known("channel 1 comes first"),
    "channels": Known("answers have ARG channels", 1, 0, CHANNELS),
    "bad-channels": Known("channels are numbered as they must not be, by ARG", 7, -9, 1e12),
    "same-channels": Known("all channels have the number 0"),
    "empty": Known("every answer is an empty object"),
    "null": Known("every answer is null"),
    "deep": Known("answers are nested a thousand times"),
    "long-line": Known("sends a line without an end"),
}
FAULTS = helps(KNOWN)
NUMBER = re.compile(r"(?<=[:,\[])-?\d[\d.]*e-?\d+")

Rows = list[dict[str, Json]]


class Fault(faults.Fault):
    """One fault in force, until ``end()``; named "" it is none."""

    def __init__(self, text: str = "", seed: int = 1) -> None:
        super().__init__(text, KNOWN, seed)

    def changed(self, line: str, request: str) -> bytes:
        """What is sent instead of an answer, LF and further lines included."""
        text = TEXTS[self.name](line) if self.name in TEXTS else line
        match self.name:
            case "error" if request == "report":
                text = '{"error":"report could not be serialized"}'
            case "settings-error" if request != "report":
                text = '{ "error": "invalid input" }'
            case "channels" | "bad-channels":
                text = self._renumbered(line)
            case "not-utf8":
                return line.encode("latin-1")[:-3] + b"\xff\xfe\x80\n"
        return text.encode("latin-1") + b"\n"

    def send_line(self, send: Callable[[bytes], None], line: bytes) -> None:
        """In two halves, or for ever."""
        if self.name == "split-line":
            send(line[: len(line) // 2])
            self.wait(self.argument)
            send(line[len(line) // 2 :])
            return
        send(LONG_START)
        while not self.is_over:
            send(LONG_BLOCK)

    def _renumbered(self, line: str) -> str:
        if not line.startswith('[{"channel":0,'):
            return line
        objects = line[1:-1].split(',{"channel":1,')
        bodies = [objects[0].removeprefix('{"channel":0,'), *objects[1:]]
        count = int(self.argument) if self.name == "channels" else 2
        first = 0 if self.name == "channels" else int(self.argument)
        rows = (f'{{"channel":{first + n},{bodies[n % len(bodies)]}' for n in range(count))
        return f"[{','.join(rows)}]"


def _numbers(*texts: str) -> Callable[[str], str]:
    """Puts these in turn in place of the floats of a line."""

    def replace(line: str) -> str:
        parts = NUMBER.split(line)
        ends = [texts[at % len(texts)] for at in range(len(parts) - 1)]
        return "".join(a + b for a, b in zip(parts, [*ends, ""], strict=True))

    return replace


def _swapped(line: str) -> str:
    head, middle, tail = line.partition(',{"channel":1,')
    return f"[{middle[1:]}{tail[:-1]},{head[1:]}]" if middle else line


def _more_fields(line: str) -> str:
    more = (
        '"humidity":4.15e1,"revision":3,"is_locked":false,"state":"on\\u0007line",'
        '"alarm":null,"laser":{"power":1.5e0,"deep":{"x":1}},"history":[1e0,2e0],'
        '"a name":1,"Temperature":2e1'
    )
    return line.replace("}", f",{more}}}") if '"tec_i"' in line else line


def _other_types(line: str) -> str:
    texts = NUMBER.sub(lambda found: f'"{found[0]}"', line)
    return texts.replace('"vref"', "1.5e0").replace("true", "1").replace("false", '"no"')


TEXTS: Mapping[str, Callable[[str], str]] = {
    "two-lines": lambda line: f"{line}\n{DONE}",
    "stray-reply": lambda line: f"{DONE}\n{line}",
    "double-reply": lambda line: f"{line}\n{line}",
    "nan": _numbers("NaN", "inf", "-inf"),
    "limits": _numbers("1e308", "-1e308", "1e999", "-1e999", "9" * 400, "5e-324"),
    "bad-json": lambda line: line[: len(line) * 2 // 3],
    "braces": lambda _: '{{"error": "flash config not found"}}',
    "unknown-fields": _more_fields,
    "type-change": _other_types,
    "twice": lambda line: re.sub(r'("\w+":)(null|true|false|-?[\d.e-]+)', r"\1\2,\1\2", line),
    "swapped-channels": _swapped,
    "same-channels": lambda line: line.replace('"channel":1', '"channel":0'),
    "empty": lambda _: DONE,
    "null": lambda _: "null",
    "deep": lambda _: "[" * NESTED + "]" * NESTED,
}
