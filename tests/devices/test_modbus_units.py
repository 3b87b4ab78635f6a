"""Several units on one line or behind one gateway: a bad one costs its own tags, and no others."""

import struct
from collections.abc import Callable

import pytest

from agent.clock import Deadline
from agent.devices.modbus import Options, Tag
from agent.devices.modbus.driver import Modbus
from agent.errors import DeviceError
from agent.model import Reason
from hw_sim.modbus.wire import rtu_frame, tcp_frame
from tests.devices.modbus_line import SlowLine, registers

TAGS = tuple(Tag(f"u{unit}", f"HR{unit}00:UINT16", unit_id=unit) for unit in (1, 2, 3))
WRONG = (
    "unit 2 does not answer with what it was asked for: check its wiring, the termination "
    "and that no other device has its unit_id; its tags are empty"
)
BUSY = "unit 2: device busy (06): raise interval_s, or set pause_ms; its tags are empty"
SHORT = (
    "unit 2 stops within its answers: check its power, its wiring and the termination; "
    "its tags are empty"
)
ACKNOWLEDGED = (
    "unit 2: acknowledge (05): the device needs longer, raise interval_s; its tags are empty"
)


def on_a_line(unit: int, spoil: Callable[[bytes], bytes], *tags: Tag) -> Modbus:
    line = SlowLine(lambda _: 0.01, spoil={unit: spoil})
    options = Options(serial="/dev/ttyUSB0", tag=tags)
    return Modbus(options, 3.0, lambda _: line, line.clock)


class Gateway:
    """Units behind Modbus TCP; what one of them says is spoilt."""

    def __init__(self, unit: int, spoil: Callable[[bytes], bytes]) -> None:
        self._unit, self._spoil = unit, spoil
        self._coming = b""

    def send(self, data: bytes, deadline: Deadline) -> None:
        number, _, _, unit, function, start, count = struct.unpack(">HHHBBHH", data)
        frame = tcp_frame(number, unit, bytes((function, 2 * count)) + registers(start, count))
        self._coming += self._spoil(frame) if unit == self._unit else frame

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        deadline.left_s()
        if not self._coming:
            raise TimeoutError
        return self.receive_now(limit)

    def receive_now(self, limit: int) -> bytes:
        data, self._coming = self._coming, b""
        return data

    def close(self) -> None:
        self._coming = b""


def behind_a_gateway(spoil: Callable[[bytes], bytes], *tags: Tag) -> Modbus:
    gateway = Gateway(2, spoil)
    return Modbus(Options(host="192.0.2.1", tag=tags), 3.0, lambda _: gateway)


@pytest.mark.parametrize(
    ("spoil", "warning"),
    [
        (lambda frame: rtu_frame(2, bytes((frame[1] | 0x80, 6))), BUSY),
        (lambda frame: rtu_frame(2, bytes((frame[1] | 0x80, 5))), ACKNOWLEDGED),
        (lambda frame: frame[:-1] + bytes((frame[-1] ^ 1,)), WRONG),
        (lambda frame: rtu_frame(9, frame[1:-2]), WRONG),
        (lambda _: rtu_frame(2, bytes.fromhex("03 04 0001 0002")), WRONG),
        (lambda frame: frame[:4], SHORT),
    ],
    ids=["busy", "acknowledge", "check sum", "another unit", "too long", "short"],
)
def test_a_bad_unit_on_a_line_costs_only_its_own_tags(
    spoil: Callable[[bytes], bytes], warning: str
) -> None:
    driver = on_a_line(2, spoil, *TAGS)

    found = [(driver.read(), driver.warnings()) for _ in range(3)]

    assert found == [({"u1": 100, "u2": None, "u3": 300}, [warning])] * 3
    driver.close()


@pytest.mark.parametrize(
    ("spoil", "warning"),
    [
        (lambda frame: tcp_frame(frame[1], 2, bytes((0x83, 6))), BUSY),
        (lambda frame: tcp_frame(frame[1], 9, frame[7:]), WRONG),
        (lambda frame: tcp_frame(frame[1], 2, frame[7:] + bytes(2)), WRONG),
        (lambda frame: tcp_frame(frame[1], 2, frame[7:-1]), WRONG),
    ],
    ids=["busy", "another unit", "too long", "short"],
)
def test_a_bad_unit_behind_a_gateway_costs_only_its_own_tags(
    spoil: Callable[[bytes], bytes], warning: str
) -> None:
    driver = behind_a_gateway(spoil, *TAGS)

    found = [(driver.read(), driver.warnings()) for _ in range(3)]

    assert found == [({"u1": 100, "u2": None, "u3": 300}, [warning])] * 3
    driver.close()


@pytest.mark.parametrize(
    "spoil",
    [lambda frame: bytes(4) + frame, lambda frame: frame[:-1], lambda frame: b"\7" + frame[1:]],
    ids=["noise", "cut short", "another number"],
)
def test_a_tcp_stream_that_is_out_of_step_ends_the_poll(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(DeviceError, match=r"reading 192\.0\.2\.1:502: "):
        behind_a_gateway(spoil, *TAGS).read()


def test_units_that_all_are_busy_are_an_error() -> None:
    def spoil(frame: bytes) -> bytes:
        return rtu_frame(frame[0], bytes((frame[1] | 0x80, 6)))

    line = SlowLine(lambda _: 0.01, spoil=dict.fromkeys((1, 2, 3), spoil))
    driver = Modbus(Options(serial="/dev/ttyUSB0", tag=TAGS), 3.0, lambda _: line, line.clock)

    with pytest.raises(DeviceError, match="unit 1: device busy") as caught:
        driver.read()

    assert caught.value.reason is Reason.REFUSED


def test_a_unit_that_was_bad_is_read_again() -> None:
    broken = [True]
    line = SlowLine(lambda _: 0.01, spoil={2: lambda frame: frame[: 4 if broken else None]})
    driver = Modbus(Options(serial="/dev/ttyUSB0", tag=TAGS), 3.0, lambda _: line, line.clock)
    driver.read()
    broken.clear()
    line.now_s += 1.0

    assert driver.read() == {"u1": 100, "u2": 200, "u3": 300}
    assert driver.warnings() == []
