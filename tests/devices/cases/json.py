"""JSON devices as the tests of the contract meet them: over HTTP, TCP and a serial port."""

from agent.devices.json import web  # here, so that no test counts the memory that http takes
from hw_sim.faults import LINK_FAULTS, TCP_FAULTS
from hw_sim.json import BY_MODE
from hw_sim.json import VARIANTS as SIMULATED
from hw_sim.json.faults import LINES as BY_LINES
from hw_sim.json.faults import SERIAL
from tests.devices.case import Case

SLOW = ("silent", "delay", "trickle", "trickle:0.1", "trickle:0.01", "pieces", "garbage")
HEAD = b"HTTP/1.1 200 OK\r\n"
BODY = HEAD + b"\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
LENGTHS = (0, 1, 2**31 - 1, 2**31, 2**32, 2**63 - 1)

CASE = Case(
    "json",
    (
        *BY_MODE["http"],
        *(f"content-length:{length}" for length in LENGTHS),
        *(f"status:{status}" for status in (100, 199, 201, 204, 304, 401, 403, 404, 429, 503, 999)),
        "length-off:-10",
        "chunk-size:2147483648",
        "chunked:1",
        "redirect:3",
        "redirect:4",
        "huge-headers:60000",
        "trickle:0.01",
        "trickle:0.1",
        "drop:2",
        "truncated:0",
    ),
    silences=frozenset({*SLOW, "length-off", "status:100", "chunk-size:2147483648"}),
    changes={
        "limits": "the ends of what JSON can say are valid values",
        "wrong-values": "where a text is wanted, a number is a good one",
    },
    floods=(
        ((), bytes(1000)),
        ((), b"\n" * 1000),
        ((), b"HTTP/1.1 100 Continue\r\n\r\n" * 40),
        ((), HEAD + b"X-More: and more\r\n" * 300),
        ((), HEAD + b"X: " + b"x" * 300_000),
        ((), BODY + b'{"a":1},' * 100),
        ((), CHUNKED + b"1\r\n \r\n" * 200_000),
        ((), CHUNKED + b"1;" + b"x" * 300_000),
        ((), CHUNKED + b"0\r\n" + b"X-More: and more\r\n" * 60_000),
        ((), CHUNKED + b"fffffff\r\n" + b" " * 300_000),
    ),
)
assert web
# What stands in an answer is the same over all ways: the case above has it all.
LINES = ("truncated", "scalar", *BY_LINES, "trickle:0.01", "trickle:0.1", "drop:2")
VARIANTS = (
    Case(
        "json",
        (*TCP_FAULTS, *LINES, "empty", "html"),
        silences=frozenset({*SLOW, "empty", "no-end"}),
        floods=(
            ((), bytes(1000)),
            ((), b'{"a":1,' * 100),
            ((), b"[" * 1000),
            ((), b"no json\n" * 100),
            ((), b"\n" * 1000),
        ),
        variant="request",
        simulated=SIMULATED["request"],
    ),
    Case(
        "json",
        (*TCP_FAULTS, *LINES, "empty"),
        silences=frozenset({*SLOW, "empty", "no-end"} - {"garbage"}),
        floods=(((), bytes(1000)),),
        variant="lines",
        simulated=SIMULATED["lines"],
    ),
    Case(
        "json",
        (*LINK_FAULTS, *LINES, *SERIAL),
        silences=frozenset({*SLOW, "drop", "half-close", "no-end"}),
        variant="serial",
        simulated=SIMULATED["serial"],
    ),
)
