"""A slow device on a serial port is asked again, and yet no read gets the answer of one before."""

import select
from collections.abc import Sequence

import pytest

from agent.clock import Deadline
from agent.config.faults import ReferencedText
from agent.devices.json.driver import Json
from agent.devices.json.owed import Owed
from agent.devices.json.values import Answer
from agent.errors import DeviceError
from tests.devices.json_script import Links, ScriptedLink, scripted, tcp

TIMEOUT_S = 0.6  # so that it is asked again after 0.2 s
SILENCE = b""


class SlowLink(ScriptedLink):
    """Says the next thing of ``said`` at each receiving, whatever was sent by then."""

    def __init__(self, *said: bytes) -> None:
        super().__init__()
        self.said = list(said)

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        data = self.said.pop(0)
        while not data:
            select.select([], [], [], deadline.left_s())
        return data


class Over(Deadline):
    """Five seconds that are over."""

    def __init__(self) -> None:
        super().__init__(5.0)

    def left_s(self) -> float:
        raise TimeoutError


def said(*numbers: int) -> bytes:
    return b"".join(b'{"n": %d}\n' % number for number in numbers)


@pytest.mark.parametrize(
    ("link", "numbers", "sent"),
    [
        (SlowLink(SILENCE, said(1), said(2), said(3)), [2, 3], 3),
        (SlowLink(SILENCE, said(1, 2), said(3)), [2, 3], 3),
        (SlowLink(SILENCE, SILENCE, said(1), b"r\n" + said(2), said(3), said(4)), [3, 4], 4),
        (SlowLink(SILENCE, said(1), b"ERR\n", said(2), said(3)), [2, 3], 3),
    ],
    ids=["one late", "both at once", "two late", "noise"],
)
def test_all_answers_to_a_repeated_request_are_taken_before_the_next(
    link: SlowLink, numbers: Sequence[int], sent: int
) -> None:
    options = tcp(host=None, port=None, serial="/dev/tty", request="r")
    driver = Json(options, TIMEOUT_S, Links(link))

    values = [driver.read()["n"] for _ in numbers]

    assert values == numbers
    assert len(link.sent) == sent


def test_a_device_that_missed_requests_is_not_waited_for_again() -> None:
    link = SlowLink(SILENCE, said(2), SILENCE, said(3), said(4))
    options = tcp(host=None, port=None, serial="/dev/tty", request="r")
    driver = Json(options, TIMEOUT_S, Links(link))

    values = [driver.read()["n"] for _ in range(3)]

    assert values == [2, 3, 4]
    assert link.said == []


def test_what_does_not_come_by_the_deadline_is_owed_to_the_next_read() -> None:
    coming = [[b"2"], [b"3"]]
    owed = Owed(b"r", lambda _: coming.pop(0))
    owed.count = 2

    first = owed.newest(Answer(1), [], Over())
    left = owed.count
    later = owed.wait(Deadline(5.0))

    assert (first, left) == (Answer(1), 2)
    assert (later, owed.count, coming) == (Answer(3), 0, [])


def test_a_request_that_may_be_a_secret_is_in_no_error() -> None:
    with pytest.raises(DeviceError) as caught:
        scripted(tcp(request=ReferencedText("key hunter2")), ScriptedLink()).read()

    assert str(caught.value).endswith("to the request; check request and line_end")
