"""A connection of HTTP is kept from read to read, but never with something left on it."""

import pytest

from agent.errors import DeviceError
from agent.model import Reason
from tests.devices.json_script import ScriptedLink, answer, scripted, web

BODY = b'{"a": 1}'
WHOLE = answer(BODY)


def test_a_connection_is_kept_as_long_as_the_server_does() -> None:
    links = [ScriptedLink([WHOLE, WHOLE], closes=True), ScriptedLink([WHOLE])]
    driver = scripted(web(), *links)

    values = [driver.read(), driver.read(), driver.read()]

    assert values == [{"a": 1}] * 3
    assert [len(link.sent) for link in links] == [3, 1]
    assert [link.is_closed for link in links] == [True, False]


@pytest.mark.parametrize(
    "first",
    [
        answer(BODY, f"Content-Length: {len(BODY)}", "Connection: close"),
        answer(BODY, f"Content-Length: {len(BODY)}", version="1.0"),
        WHOLE + b"more",
    ],
)
def test_a_connection_is_not_kept_where_that_is_of_no_use(first: bytes) -> None:
    links = [ScriptedLink([first]), ScriptedLink([WHOLE])]
    driver = scripted(web(), *links)
    driver.read()
    is_closed = links[0].is_closed

    driver.read()

    assert is_closed
    assert len(links[1].sent) == 1


@pytest.mark.parametrize(
    "stale",
    [
        WHOLE,
        b"\n",
        b"HTTP/1.1 408 Request Time-out\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["doubled", "one byte", "408"],
)
def test_what_came_unasked_since_the_last_answer_is_not_taken_for_the_next(stale: bytes) -> None:
    links = [ScriptedLink([WHOLE, answer(b'{"a": 3}')]), ScriptedLink([answer(b'{"a": 2}')] * 2)]
    driver = scripted(web(), *links)
    driver.read()
    links[0].waiting = stale  # in the kernel, after the answer was read

    values = [driver.read(), driver.read()]

    assert values == [{"a": 2}] * 2
    assert [len(link.sent) for link in links] == [1, 2]
    assert [link.is_closed for link in links] == [True, False]


def test_a_connection_that_broke_while_idle_is_opened_again() -> None:
    links = [ScriptedLink([WHOLE, WHOLE]), ScriptedLink([WHOLE])]
    driver = scripted(web(), *links)
    driver.read()
    links[0].breaks_idle = True

    values = driver.read()

    assert values == {"a": 1}
    assert [len(link.sent) for link in links] == [1, 1]


def test_a_server_that_closes_each_connection_at_once_is_not_asked_for_ever() -> None:
    links = [ScriptedLink([WHOLE], closes=True), *(ScriptedLink(closes=True) for _ in range(2))]
    driver = scripted(web(), *links)
    driver.read()

    with pytest.raises(DeviceError) as caught:
        driver.read()

    assert caught.value.reason is Reason.UNREACHABLE
    assert [len(link.sent) for link in links] == [2, 1, 0]
