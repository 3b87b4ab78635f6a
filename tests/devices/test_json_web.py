"""HTTP as it comes over the wire: whole, in pieces, cut short, too long, nonsense."""

from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.config.options import Secret
from agent.devices.json import Header, Tag
from agent.errors import DeviceError
from agent.model import Reason, Value
from tests.devices.json_script import ScriptedLink, answer, scripted, web

BODY = b'{"a": 1}'
WHOLE = answer(BODY)
CHUNKED = "Transfer-Encoding: chunked"


def read_once(*links: ScriptedLink, **options: object) -> Mapping[str, Value]:
    driver = scripted(web(**options), *links)
    try:
        return driver.read()
    finally:
        driver.close()


def error_of(link: ScriptedLink, **options: object) -> DeviceError:
    with pytest.raises(DeviceError) as caught:
        read_once(link, **options)
    assert "http://192.0.2.1/state" in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300
    assert link.is_closed
    return caught.value


def sent(link: ScriptedLink) -> tuple[str, dict[str, str]]:
    """First line and headers of the request."""
    (request,) = link.sent
    assert request.endswith(b"\r\n\r\n")
    first, *rest = request.decode().strip().split("\r\n")
    return first, {name: value for name, _, value in (line.partition(": ") for line in rest)}


def test_a_request_says_what_is_wanted_and_who_asks() -> None:
    link = ScriptedLink([WHOLE])

    read_once(link, url="http://192.0.2.1:8080/a b?key=ü".replace(" ", "%20"))

    first, headers = sent(link)
    assert first == "GET /a%20b?key=%C3%BC HTTP/1.1"
    assert headers.pop("User-Agent").startswith("agent/")
    assert headers == {
        "Host": "192.0.2.1:8080",
        "Accept": "application/json, */*;q=0.5",
        "Accept-Encoding": "identity",
        "Connection": "keep-alive",
    }


def test_configured_headers_are_the_last_word() -> None:
    link = ScriptedLink([WHOLE])
    headers = (Header("accept", "text/json"), Header("X-Api-Key", secret=Secret("é1")))

    read_once(link, headers=headers, user="me", password=Secret("pass:word"), keep_open=False)

    _, found = sent(link)
    assert found["accept"] == "text/json"
    assert "Accept" not in found
    assert found["X-Api-Key"] == "é1"
    assert found["Authorization"] == "Basic bWU6cGFzczp3b3Jk"
    assert found["Connection"] == "close"


@pytest.mark.parametrize("piece", [1, 3, 1 << 20])
@pytest.mark.parametrize(
    "data",
    [
        WHOLE,
        answer(BODY, f"content-length:{len(BODY)}"),
        answer(b"5\r\n" + BODY[:5] + b"\r\n3;x=y\r\n" + BODY[5:] + b"\r\n0\r\n\r\n", CHUNKED),
        answer(b"00008\r\n" + BODY + b"\r\n0\r\nX: trailer\r\n\r\n", "transfer-encoding: Chunked"),
        b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE,
        WHOLE.replace(b"\r\n", b"\n"),
        answer(BODY, f"Content-Length: {len(BODY)}", f"Content-Length: {len(BODY)}"),
        answer(BODY, f"Content-Length: {len(BODY)}", "Content-Encoding: identity"),
        answer(BODY, f"Content-Length: {len(BODY)}", "X-Strange: \xe4 \x01", " folded"),
    ],
    ids=["length", "small letters", "chunks", "trailer", "continue", "lf", "twice", "id", "odd"],
)
def test_an_answer_is_read_in_any_pieces(data: bytes, piece: int) -> None:
    assert read_once(ScriptedLink([data], piece=piece)) == {"a": 1}


@pytest.mark.parametrize("piece", [1, 1 << 20])
@pytest.mark.parametrize(
    "data",
    [
        answer(BODY, "Server: x"),
        answer(BODY, "Server: x", version="1.0"),
        answer(BODY, "Connection: close"),
    ],
)
def test_an_answer_without_a_length_ends_with_the_connection(data: bytes, piece: int) -> None:
    assert read_once(ScriptedLink([data], piece=piece, closes=True)) == {"a": 1}


@pytest.mark.parametrize(
    ("status", "headers", "text", "reason"),
    [
        ("401 Unauthorized", (), "401 Unauthorized; check user, password and headers",
         Reason.REFUSED),
        ("401 No", ('WWW-Authenticate: Digest realm="x"',),
         "the device wants digest authentication, only basic is there", Reason.REFUSED),
        ("403 Forbidden", (), "403 Forbidden; check user", Reason.REFUSED),
        ("404 Not Found", (), "404 Not Found; check the path in url", Reason.BAD_DATA),
        ("500", (), "HTTP status 500", Reason.BAD_DATA),
        ("503 Busy", (), "the device is busy, a longer interval_s may help", Reason.REFUSED),
        ("204 No Content", (), "the device has nothing to say", Reason.BAD_DATA),
        ("299 \x1b[31m", (), "HTTP status 299 _[31m", Reason.BAD_DATA),
    ],
)  # fmt: skip
def test_a_status_other_than_200_is_an_error(
    status: str, headers: tuple[str, ...], text: str, reason: Reason
) -> None:
    error = error_of(ScriptedLink([answer(b"x", "Content-Length: 1", *headers, status=status)]))

    assert text in str(error)
    assert error.reason is reason


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (answer(BODY, "Content-Length: -1"), "got Content-Length '-1'"),
        (answer(BODY, "Content-Length: abc"), "got Content-Length 'abc'"),
        (answer(BODY, "Content-Length: "), "got Content-Length ''"),
        (answer(BODY, "Content-Length: 8", "Content-Length: 9"), "got Content-Length '8, 9'"),
        (answer(BODY, f"Content-Length: {10**30}"), "got Content-Length '1000"),
        (answer(BODY, f"Content-Length: {2**31}"),
         "wanted at most 65536 bytes (max_bytes), got 2147483648 bytes; allow more"),
        (answer(BODY, "Content-Length: 4"), "got only its beginning, 4 bytes"),
        (answer(BODY, "Content-Length: 0"), "wanted JSON, got nothing"),
        (answer(BODY, "Content-Length: 9"), "wanted 9 bytes, got 8 before the connection was"),
        (answer(b"zz\r\n", CHUNKED), "wanted a whole answer, got broken or missing chunks"),
        (answer(b"\r\n", CHUNKED), "broken or missing chunks"),
        (answer(b"5\r\n{}", CHUNKED), "broken or missing chunks"),
        (answer(b"5\r\n{    }0\r\n\r\n", CHUNKED), "broken or missing chunks"),
        (answer(b"-5\r\n", CHUNKED), "wanted a length, got -5"),
        (answer(b"2\r\n{}\r\n", CHUNKED), "broken or missing chunks"),
        (answer(BODY, "Content-Length: 8", "Content-Encoding: gzip"), "compressed (gzip)"),
        (b"\x00\x01\x02\r\n", "wanted an answer in HTTP, got '___'; is it the right port?"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "is it https:// in place of http://?"),
        (b"HTTP/1.1 abc\r\n\r\n", "wanted an answer in HTTP, got 'HTTP/1.1 abc'"),
        (b"HTTP/2 200\r\n\r\n", "wanted an answer in HTTP, got what is none: HTTP/2"),
        (b"HTTP/1.1 200 OK\r\n", "wanted JSON, got nothing"),
        (b"HTTP/1.1 200 " + b"x" * 70_000, "got headers or chunks without one"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200, "got more than 100 headers"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 40_000 + b"\r\nX: " + b"y" * 40_000 + b"\r\n\r\n",
         "wanted an answer with an end, got headers or chunks without one"),
        (answer(BODY, 'Content-Type: multipart/x;"' + ";" * 60_000),
         "got headers or chunks without one"),
        (b"HTTP/1.1 100 x\r\n\r\n" * 9000, "got headers or chunks without one"),
        (b"", "the device closed the connection, no answer came"),
    ],
)  # fmt: skip
def test_nonsense_is_told_as_what_it_is(data: bytes, text: str) -> None:
    link = ScriptedLink([data], closes=True)

    error = error_of(link)

    assert text in str(error)


def test_an_answer_longer_than_the_limit_is_not_read_to_its_end() -> None:
    link = ScriptedLink([answer(b" " * 400_000, "Server: x")], piece=10_000)

    error = error_of(link, max_bytes=1000)

    assert "wanted at most 1000 bytes (max_bytes), got more" in str(error)
    assert len(link.waiting) > 300_000


def test_chunks_of_one_byte_are_fine_up_to_the_limit() -> None:
    body = b'{"a":' + b" " * 240 + b"1}"
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"

    assert read_once(ScriptedLink([answer(chunks, CHUNKED)]), max_bytes=256) == {"a": 1}


def test_an_answer_that_does_not_come_in_time_says_how_much_came() -> None:
    error = error_of(ScriptedLink([answer(BODY, "Content-Length: 20")]))

    assert f"no answer within 2 s, after {len(WHOLE) + 1} bytes of it" in str(error)
    assert error.reason is Reason.TIMEOUT


@given(st.binary(max_size=300), st.sampled_from([1, 7, 1000]))
@example(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x", 1)
@example(b"HTTP/1.1 200 \xff\r\nTransfer-Encoding: chunked\r\n\r\n+0x_5\r\n", 1)
@example(b"HTTP/1.1 302 x\r\nLocation: http://[::1%25\xff]/\r\n\r\n", 1)
def test_any_bytes_end_in_values_or_a_device_error(data: bytes, piece: int) -> None:
    starts = (b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for start in starts:
        links = [ScriptedLink([start + data], piece=piece, closes=True) for _ in range(9)]
        driver = scripted(web(tag=(Tag("a", "a"),)), *links)
        try:
            assert list(driver.read()) == ["a"]
        except DeviceError as error:
            assert error.reason is not Reason.BUG  # noqa: PT017
        driver.close()
        assert all(link.is_closed for link in links if link.sent)
