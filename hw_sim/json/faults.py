"""The ways in which the simulated JSON device misbehaves."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from hw_sim import faults
from hw_sim.faults import LINK_FAULTS, TCP_FAULTS, Known, helps
from hw_sim.json.station import LIMITS

ANSWERS: Mapping[str, Known] = {
    "truncated": Known("sends the first ARG bytes of the JSON alone", 100, 0, 1e6),
    "empty": Known("answers with nothing"),
    "html": Known("answers with a web page"),
    "bad-utf8": Known("sends letters in Latin-1"),
    "bom": Known("sends a byte order mark before the JSON"),
    "nan": Known("sends NaN and Infinity, which JSON does not have"),
    "deep": Known("sends ARG lists in each other", 5000, 1, 30000),
    "huge-number": Known("sends a number of ARG digits", 5000, 1, 30000),
    "twice": Known("sends every key twice, with null first"),
    "many": Known("sends ARG more values", 2000, 1, 5000),
    "wrong-type": Known("sends a list in place of the object"),
    "wrong-values": Known("sends texts for numbers and numbers for texts"),
    "missing-keys": Known("leaves the outdoor sensor out"),
    "scalar": Known("sends a number alone"),
    "limits": Known("sends values at all limits"),
}
LINES: Mapping[str, Known] = {
    "long-line": Known("sends ARG bytes without an end of line", 200_000, 1, 1e7),
    "no-end": Known("leaves the end of line out"),
    "junk-lines": Known("sends lines that are no JSON, too"),
}
HTTP: Mapping[str, Known] = {
    "status": Known("answers with the HTTP status ARG", 500, 100, 999),
    "unauthorised": Known("wants user and password"),
    "digest": Known("wants a password in a way that few know"),
    "redirect": Known("redirects ARG times at the same address", 1, 1, 100),
    "redirect-away": Known("redirects to another host", 1, 1, 1),
    "close": Known("closes after each answer, and says so"),
    "close-idle": Known("closes after each answer without saying so"),
    "http-1.0": Known("speaks HTTP/1.0 and tells no length"),
    "no-length": Known("tells no length and closes"),
    "chunked": Known("sends chunks of ARG bytes", 7, 1, 1e6),
    "bad-chunks": Known("tells sizes of chunks that are no numbers"),
    "chunk-size": Known("tells a chunk of ARG bytes", -5, -(2**40), 2**40),
    "content-length": Known("tells ARG bytes, whatever comes", -1, -(2**63), 2**63),
    "length-off": Known("tells ARG bytes too many, negative: too few", 10, -50, 1e6),
    "two-lengths": Known("tells two lengths"),
    "gzip": Known("compresses though nobody asked for that"),
    "huge-headers": Known("sends a header of ARG bytes", 100_000, 1, 1e7),
    "endless-headers": Known("never stops sending headers"),
    "endless-body": Known("never stops sending JSON"),
    "endless-chunks": Known("never stops sending chunks"),
}
SERIAL: Mapping[str, Known] = {
    "unplug": Known("the port is taken away"),
    "replug": Known("the port is taken away and comes back at once"),
    "boot": Known("misses the first request after the port was opened, as it starts anew"),
}
BY_MODE: Mapping[str, Mapping[str, Known]] = {
    "http": {**TCP_FAULTS, **ANSWERS, **HTTP},
    "request": {**TCP_FAULTS, **ANSWERS, **LINES},
    "lines": {**TCP_FAULTS, **ANSWERS, **LINES},
    "serial": {**LINK_FAULTS, **ANSWERS, **LINES, **SERIAL},
}
FAULTS = helps({**TCP_FAULTS, **ANSWERS, **LINES, **HTTP, **SERIAL})
PAGE = b"<!DOCTYPE html>\n<html><head><title>Weather station</title></head><body>Hi</body></html>\n"
PIECE = 1024  # bytes
JUNK = (b"I (312) wifi: connected\n", b"{ rebooting\n", b"\xff\xfe\x00\n", b"\n")


class Fault(faults.Fault):
    """One fault in force, until ``end()``; named "" it is none."""

    def __init__(self, text: str = "", mode: str = "http", seed: int = 1) -> None:
        known = BY_MODE[mode]
        name = text.strip().partition(":")[0]
        if name in FAULTS and name not in known:
            modes = " and ".join(mode for mode, each in BY_MODE.items() if name in each)
            raise ValueError(f"fault {name!r} is for --mode {modes}")
        super().__init__(text, known, seed)

    def send(self, send: Callable[[bytes], None], data: bytes) -> None:
        """A line without an end stops when the fault does."""
        if self.name != "long-line":
            super().send(send, data)
            return
        for at in range(0, len(data), PIECE):
            if not self.is_over:
                send(data[at : at + PIECE])

    def body(self, document: dict[str, Any]) -> bytes:
        """The JSON of a document, as far as this fault lets it be that."""
        match self.name:
            case "empty":
                return b""
            case "html":
                return PAGE
            case "deep":
                depth = int(self.argument)
                return b"[" * depth + b"]" * depth
        changed = self._changed(document)
        text = json.dumps(changed, ensure_ascii=False, separators=(",", ":"))
        match self.name:
            case "twice":
                keys = "".join(f"{json.dumps(key)}:null," for key in document)
                text = "{" + keys + text[1:]
            case "nan":
                text = text.replace('"ok":true', '"ok":NaN').replace("null", "-Infinity")
            case "huge-number":
                text = text.replace('"uptime_s":', '"uptime_s":' + "9" * int(self.argument))
        data = text.encode("latin-1" if self.name == "bad-utf8" else "utf-8")
        if self.name == "truncated":
            data = data[: int(self.argument)]
        return b"\xef\xbb\xbf" + data if self.name == "bom" else data

    def _changed(self, document: dict[str, Any]) -> Any:
        match self.name:
            case "wrong-type":
                return [document]
            case "scalar":
                return 21.5
            case "limits":
                return LIMITS
            case "missing-keys":
                return {key: each for key, each in document.items() if key != "outdoor"}
            case "many":
                return {**document, "more": list(range(int(self.argument)))}
            case "wrong-values":
                return _swapped(document)
        return document


def _swapped(value: Any) -> Any:
    """Texts for numbers, numbers for texts, and nonsense for the rest."""
    match value:
        case dict():
            return {key: _swapped(each) for key, each in value.items()}
        case list():
            return [_swapped(each) for each in value]
        case bool():
            return "perhaps"
        case int():
            return str(value)
        case float():
            return "n/a"
        case str():
            return 42
    return value
