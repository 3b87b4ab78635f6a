"""What the tests of the thermostat driver share: vectors, simulators, and a link with a script."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from agent.clock import Deadline
from agent.devices.thermostat import Options
from agent.devices.thermostat.driver import Thermostat
from agent.devices.thermostat.wire import Json, parse_line
from hw_sim.thermostat import Measured, ThermostatSimulator

TIMEOUT_S = 2.0

V1 = (
    b'[{"channel":0,"time":5.127341e3,"interval":1e-1,"adc":8.512e-1,"sens":1.0869103655483224e4,'
    b'"temperature":2.306311189108584e1,"pid_engaged":true,"i_set":8.346899999999997e-1,'
    b'"dac_value":1.912345e0,"dac_feedback":1.911e0,"i_tec":1.829e0,"tec_i":8.349999999999996e-1,'
    b'"tec_u_meas":9.240000000000004e-1,"pid_output":8.352e-1},{"channel":1,"time":5.127391e3,'
    b'"interval":1e-1,"adc":null,"sens":null,"temperature":null,"pid_engaged":false,'
    b'"i_set":-1.9999999999997797e-3,"dac_value":1.497e0,"dac_feedback":1.496e0,"i_tec":1.499e0,'
    b'"tec_i":2.5000000000002798e-3,"tec_u_meas":8.000000000000007e-3,"pid_output":0e0}]'
)
V3 = (
    b'[{"channel":0,"center":"vref","i_set":{"value":8.346899999999997e-1,"max":3e0},'
    b'"max_v":{"value":4e0,"max":5e0},"max_i_pos":{"value":2e0,"max":3e0},'
    b'"max_i_neg":{"value":2e0,"max":3e0}},{"channel":1,"center":1.5e0,'
    b'"i_set":{"value":0e0,"max":3e0},"max_v":{"value":0e0,"max":5e0},'
    b'"max_i_pos":{"value":0e0,"max":3e0},"max_i_neg":{"value":0e0,"max":3e0}}]'
)
INVALID = bytes.fromhex(
    "7B 20 22 65 72 72 6F 72 22 3A 20 22 69 6E 76 61 6C 69 64 20 69 6E 70 75 74 22 20 7D"
)
V4 = (
    b'[{"channel":0,"params":{"t0":2.9815e2,"r0":1e4,"b":3.8e3}},'
    b'{"channel":1,"params":{"t0":2.9815e2,"r0":1e4,"b":3.8e3}}]'
)
FILTER = b'[{"channel":0,"rate":null},{"channel":1,"rate":2.125e1}]'
PID = (
    b'[{"channel":0,"parameters":{"kp":1e1,"ki":2e-2,"kd":0e0,"output_min":-2e0,"output_max":2e0},'
    b'"target":2e1},{"channel":1,"parameters":{"kp":0e0,"ki":0e0,"kd":0e0,"output_min":-2e0,'
    b'"output_max":2e0},"target":0e0}]'
)
SEEN = Measured(5127.341, 0.1, 0.8512, 1.495, 1.912345, 1.911, 1.829, 1.731, 0.8352)  # V1
A: Mapping[str, bytes] = {
    "report": V1 + b"\n",
    "pwm": V3 + b"\n",
    "pid": PID + b"\n",
    "s-h": V4 + b"\n",
    "postfilter": FILTER + b"\n",
    "hwrev": b'{"rev":{"major":2,"minor":2},"settings":{"fan_available":true}}\n',
    "ipv4": b'{"addr":"192.168.1.26/24"}\n',
    "fan": b"null\n",
}


class Device:
    """Answers queries with lines, or with an exception."""

    def __init__(self, answers: Mapping[str, bytes | Exception]) -> None:
        self.answers = dict(answers)
        self.asked: list[str] = []

    def __call__(self, query: str) -> Json:
        self.asked.append(query)
        answer = self.answers.get(query, INVALID)
        if isinstance(answer, Exception):
            raise answer
        return parse_line(answer)


class ScriptedLink:
    """A link whose device knows the queries of ``answers``; all else is invalid input.

    Args:
        piece: Bytes that come at once.
        greeting: Comes before anything was asked.
    """

    def __init__(
        self, answers: Mapping[str, bytes], piece: int = 4096, greeting: bytes = b""
    ) -> None:
        self.answers = dict(answers)
        self.sent: list[str] = []
        self.is_closed = False
        self.waiting = greeting
        self._piece = piece

    def send(self, data: bytes, deadline: Deadline) -> None:
        deadline.left_s()
        query = data.decode("ascii").removesuffix("\n")
        self.sent.append(query)
        self.waiting += self.answers.get(query, INVALID + b"\n")

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        deadline.left_s()
        if not self.waiting:
            raise TimeoutError(f"no answer within {deadline.timeout_s:g} s")
        return self._next(limit)

    def receive_now(self, limit: int) -> bytes:
        return self._next(limit) if self.waiting else b""

    def close(self) -> None:
        self.is_closed = True

    def _next(self, limit: int) -> bytes:
        size = min(limit, self._piece)
        data, self.waiting = self.waiting[:size], self.waiting[size:]
        return data


class Seconds:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def scripted(link: ScriptedLink, clock: Callable[[], float] | None = None) -> Thermostat:
    """A driver that reads the scripted device."""
    options = Options("192.0.2.1")
    return Thermostat(options, TIMEOUT_S, lambda _: link, monotonic_s=clock or Seconds())


class Builder:
    """Makes simulators that run, frozen if nothing else is said, and drivers for them."""

    def __init__(self) -> None:
        self._made: list[tuple[ThermostatSimulator, Thermostat]] = []

    def __call__(
        self, settings: bool = True, clock: Callable[[], float] | None = None, **simulated: object
    ) -> tuple[ThermostatSimulator, Thermostat]:
        simulator = ThermostatSimulator(**{"frozen": True, **simulated})  # type: ignore[arg-type]
        simulator.start()
        options = Options(simulator.host, simulator.port, settings)
        driver = Thermostat(options, TIMEOUT_S, monotonic_s=clock or Seconds())
        self._made.append((simulator, driver))
        return self._made[-1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for simulator, driver in self._made:
            driver.close()
            simulator.stop()
