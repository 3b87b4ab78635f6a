"""Lines of JSON, in whatever pieces they come."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.devices.json import Tag
from agent.devices.json.lines import SERIAL_BACKLOG, TCP_BACKLOG, Lines
from agent.errors import DeviceError
from agent.model import Reason, Value
from tests.devices.json_script import ScriptedLink, scripted, tcp

LIMIT = 256


def said(value: object, end: bytes = b"\n") -> bytes:
    return json.dumps(value).encode() + end


def read_once(*links: ScriptedLink, **options: object) -> Mapping[str, Value]:
    driver = scripted(tcp(**options), *links)
    try:
        return driver.read()
    finally:
        driver.close()
        assert all(link.is_closed for link in links if link.sent)


def error_of(*links: ScriptedLink, **options: object) -> DeviceError:
    with pytest.raises(DeviceError) as caught:
        read_once(*links, **options)
    assert "192.0.2.1:7" in str(caught.value)
    assert str(caught.value).isprintable()
    return caught.value


@pytest.mark.parametrize("piece", [1, 2, 7, 1 << 20])
def test_lines_are_cut_out_of_any_pieces(piece: int) -> None:
    data = b'{"a":1}\r\n\n  [2] \n"rest'
    lines = Lines(b"\n", LIMIT)

    found = [
        line for at in range(0, len(data), piece) for line in lines.feed(data[at : at + piece])
    ]

    assert found == [b'{"a":1}', b"[2]"]
    assert lines.rest == b'"rest'
    assert lines.finish() == [b'"rest']
    assert lines.finish() == []


@pytest.mark.parametrize("data", [b"x" * 257, b"x" * 257 + b"\n", b"a\n" + b"x" * 257])
def test_a_line_beyond_the_limit_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"wanted a line of at most 256 bytes \(max_bytes\), got"):
        Lines(b"\n", LIMIT).feed(data)


@given(st.lists(st.binary(max_size=20)))
def test_nothing_of_any_bytes_is_lost_or_made_up(pieces: list[bytes]) -> None:
    lines = Lines(b"\n", 1 << 20)

    found = [line for piece in pieces for line in lines.feed(piece)]

    whole = b"".join(pieces).split(b"\n")
    assert found == [line.strip() for line in whole[:-1] if line.strip()]
    assert lines.rest == whole[-1]


@pytest.mark.parametrize("piece", [1, 3, 1 << 20])
def test_a_line_is_asked_for(piece: int) -> None:
    link = ScriptedLink([said({"a": 1})], piece=piece)

    values = read_once(link, request="report")

    assert values == {"a": 1}
    assert link.sent == [b"report\n"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_line_ends_as_configured(end: str) -> None:
    link = ScriptedLink([said({"a": 1}, end.encode())])

    values = read_once(link, request="get °C", line_end=end)

    assert values == {"a": 1}
    assert link.sent == [f"get °C{end}".encode()]


@pytest.mark.parametrize(
    "before",
    [b"report\r\n", b"\r\n\r\n", b"Welcome to ws-2\r\n> \n", b"\xff\xfe\n", b'ture":1}\n'],
    ids=["echo", "blank lines", "greeting", "noise", "end of a line"],
)
def test_what_comes_before_the_first_answer_is_passed_over(before: bytes) -> None:
    link = ScriptedLink([before + said({"a": 1})])

    assert read_once(link, request="report") == {"a": 1}


def test_once_answers_came_a_line_that_is_no_json_is_an_error_at_once() -> None:
    link = ScriptedLink([said({"a": 1}), b"ERR 5\n"])
    driver = scripted(tcp(request="report"), link)
    driver.read()

    with pytest.raises(DeviceError) as caught:
        driver.read()

    assert str(caught.value).endswith(
        "reading 192.0.2.1:7: wanted JSON, got 'ERR 5': expecting value at character 1"
    )
    assert link.is_closed


def test_a_late_answer_is_not_taken_for_the_next_one() -> None:
    link = ScriptedLink([said({"a": 1}) + said({"a": "late"}) + b'{"a', said({"a": 2})])
    driver = scripted(tcp(request="report"), link)
    before = driver.read()

    after = driver.read()

    assert (before, after) == ({"a": 1}, {"a": 2})


def test_a_device_that_closes_in_place_of_ending_its_line_is_read() -> None:
    link = ScriptedLink([b'{"a":1}'], closes=True)

    assert read_once(link, request="report") == {"a": 1}


def test_a_connection_that_was_closed_while_idle_is_opened_again() -> None:
    links = [ScriptedLink([said({"a": number})], closes=True) for number in (1, 2)]
    driver = scripted(tcp(request="report"), *links)
    driver.read()

    values = driver.read()

    assert values == {"a": 2}
    assert links[0].is_closed


def test_a_connection_that_is_closed_at_once_is_an_error_and_not_tried_for_ever() -> None:
    error = error_of(*(ScriptedLink(closes=True) for _ in range(3)), request="report")

    assert error.reason is Reason.UNREACHABLE


def test_without_keep_open_each_read_has_its_own_connection() -> None:
    links = [ScriptedLink([said({"a": number})]) for number in (1, 2)]
    driver = scripted(tcp(request="report", keep_open=False), *links)

    values = [driver.read(), driver.read()]

    assert values == [{"a": 1}, {"a": 2}]
    assert [link.is_closed for link in links] == [True, True]


@pytest.mark.parametrize(
    ("link", "options", "text", "reason"),
    [
        (ScriptedLink(), {"request": "report"}, "no answer within 2 s to 'report'; check request",
         Reason.TIMEOUT),
        (ScriptedLink([b'{"a":1}']), {"request": "x"},
         """no answer within 2 s: 7 bytes without an end of line: '{"a":1}'; see line_end""",
         Reason.TIMEOUT),
        (ScriptedLink(), {}, "no answer within 2 s: the device says nothing by itself; does it",
         Reason.TIMEOUT),
        (ScriptedLink([b"hello\n"]), {"request": "x"},
         "no line of JSON within 2 s, but such as 'hello': wanted JSON, got 'hello': expecting",
         Reason.BAD_DATA),
        (ScriptedLink([b"x" * 300]), {"request": "x", "max_bytes": 256},
         "wanted a line of at most 256 bytes (max_bytes), got a longer one: 'xxx",
         Reason.BAD_DATA),
        (ScriptedLink([b"{}\n"]), {"request": "x"}, "no value in the answer, which is an object",
         Reason.BAD_DATA),
        (ScriptedLink(greeting=b"x" * 300), {"request": "x", "max_bytes": 256},
         "wanted silence before the request, got more than 256 bytes; a device that talks",
         Reason.BAD_DATA),
    ],
)  # fmt: skip
def test_an_error_says_what_came_and_what_to_do(
    link: ScriptedLink, options: dict[str, object], text: str, reason: Reason
) -> None:
    error = error_of(link, **options)

    assert text in str(error)
    assert error.reason is reason


@pytest.mark.parametrize("piece", [1, 5, 1 << 20])
def test_the_newest_whole_line_is_taken_of_those_that_have_come(piece: int) -> None:
    lines = b"".join(said({"a": number}) for number in range(5))

    assert read_once(ScriptedLink(greeting=lines + b'{"a":', piece=piece)) == {"a": 4}


def test_a_line_that_was_cut_in_two_by_a_poll_is_taken_whole() -> None:
    link = ScriptedLink(greeting=said({"a": 1}) + b'{"a":')
    driver = scripted(tcp(), link)
    driver.read()
    link.waiting = b'2}\n{"a'

    values = driver.read()

    assert values == {"a": 2}


@pytest.mark.parametrize("rest", [b'ture":3}}\n', b"1.5\n", b'"x"\n', b"xyz\n"])
def test_the_end_of_a_line_that_began_before_connecting_is_no_line(rest: bytes) -> None:
    assert read_once(ScriptedLink(greeting=rest + said(2.5))) == {"value": 2.5}


def test_a_first_line_that_is_whole_is_taken() -> None:
    assert read_once(ScriptedLink(greeting=said([7]))) == {"0": 7}


def test_lines_that_are_no_json_are_passed_over_where_a_device_talks() -> None:
    link = ScriptedLink(greeting=said({"a": 1}) + b"I (31) wifi: up\n{ reboot\n\xff\xff\n")

    assert read_once(link) == {"a": 1}


@pytest.mark.parametrize(
    ("options", "size"),
    [({}, TCP_BACKLOG), ({"host": None, "port": None, "serial": "/dev/tty"}, SERIAL_BACKLOG)],
    ids=["tcp", "serial"],
)
def test_after_a_backlog_the_next_line_is_one_of_now(options: dict[str, object], size: int) -> None:
    old = said({"a": 1}) * (size // 5)
    links = [ScriptedLink(greeting=old, piece=1000), ScriptedLink(greeting=said({"a": 2}))]
    driver = scripted(tcp(**options), *links)

    if options:  # a serial port stays open, and says nothing new here
        with pytest.raises(DeviceError, match="no answer within 2 s"):
            driver.read()
        assert links[0].waiting == b""
    else:
        assert driver.read() == {"a": 2}
        assert links[0].is_closed


def test_a_device_that_starts_when_its_port_is_opened_is_asked_again() -> None:
    link = ScriptedLink([b"ets Jun  8 2016\r\nrst:0x1\r\n", said({"a": 1})])
    options = tcp(host=None, port=None, serial="/dev/tty", request="report")

    values = scripted(options, link).read()

    assert values == {"a": 1}
    assert link.sent == [b"report\n"] * 2


@given(st.binary(max_size=200), st.sampled_from([1, 3, 1000]), st.booleans())
def test_any_bytes_end_in_values_or_a_device_error(data: bytes, piece: int, asks: bool) -> None:
    links = [ScriptedLink([data], greeting=data, piece=piece, closes=True) for _ in range(2)]
    options = tcp(request="r" if asks else "", max_bytes=256, tag=(Tag("a", "a"),))
    driver = scripted(options, *links)

    for _ in range(2):
        try:
            assert list(driver.read()) == ["a"]
        except DeviceError as error:
            driver.close()
            assert error.reason is not Reason.BUG  # noqa: PT017
