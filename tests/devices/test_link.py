"""Exact sizes and whole lines from links whose bytes come in any pieces."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import Deadline
from agent.devices.links.link import AT_ONCE, Link, Stream

LIMIT = 16


class Pieces:
    """A link that gives pieces one by one, then ends as the test says."""

    def __init__(self, *pieces: bytes, end: OSError | None = None) -> None:
        self.pieces = list(pieces)
        self.sent = b""
        self.closes = 0
        self._end = end

    def send(self, data: bytes, deadline: Deadline) -> None:
        deadline.left_s()
        self.sent += data

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        deadline.left_s()
        if not self.pieces:
            raise self._end or TimeoutError("nothing came")
        return self._next(limit)

    def receive_now(self, limit: int) -> bytes:
        return self._next(limit) if self.pieces else b""

    def close(self) -> None:
        self.closes += 1

    def _next(self, limit: int) -> bytes:
        piece = self.pieces.pop(0)
        if len(piece) > limit:
            self.pieces.insert(0, piece[limit:])
        return piece[:limit]


def stream_of(*pieces: bytes, end: OSError | None = None) -> Stream:
    return Stream(Pieces(*pieces, end=end))


def deadline() -> Deadline:
    return Deadline(2.0)


def test_the_fake_is_a_link() -> None:
    link: Link = Pieces()

    assert link.receive_now(1) == b""


def test_what_is_sent_goes_to_the_link() -> None:
    link = Pieces()

    Stream(link).send(b"report\n", deadline())

    assert link.sent == b"report\n"


@pytest.mark.parametrize("pieces", [(b"abcdef",), (b"abc", b"def"), (b"a", b"bcd", b"ef")])
def test_exact_sizes_come_from_any_pieces(pieces: tuple[bytes, ...]) -> None:
    stream = stream_of(*pieces)

    found = [stream.exactly(size, deadline()) for size in (2, 0, 3, 1)]

    assert found == [b"ab", b"", b"cde", b"f"]
    assert stream.unread == b""


def test_what_came_beyond_an_exact_size_waits() -> None:
    stream = stream_of(b"abcdef")

    stream.exactly(2, deadline())

    assert stream.unread == b"cdef"


def test_nothing_is_waited_for_that_has_come_already() -> None:
    stream = stream_of(b"ab\ncd")
    stream.exactly(1, deadline())

    assert (stream.line(LIMIT, deadline()), stream.exactly(2, deadline())) == (b"b", b"cd")


def test_a_size_of_nothing_reads_nothing() -> None:
    link = Pieces(b"a")

    assert Stream(link).exactly(0, deadline()) == b""
    assert link.pieces == [b"a"]


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(ValueError, match="wanted a size of 0 or more, got -4"):
        stream_of(b"abcdef").exactly(-4, deadline())


def test_more_than_one_piece_can_hold_is_put_together() -> None:
    whole = bytes(range(256)) * 300

    found = stream_of(*(whole[at : at + 1000] for at in range(0, len(whole), 1000))).exactly(
        len(whole), deadline()
    )

    assert found == whole


def test_a_size_that_a_device_made_up_takes_no_memory() -> None:
    limits = []

    class Counting(Pieces):
        def receive(self, limit: int, deadline: Deadline) -> bytes:
            limits.append(limit)
            return super().receive(limit, deadline)

    with pytest.raises(TimeoutError, match="wanted 2147483647 bytes, got 1 bytes"):
        Stream(Counting(b"a")).exactly(2**31 - 1, deadline())

    assert limits == [AT_ONCE, AT_ONCE]


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ((b"one\ntwo\n",), [b"one", b"two"]),
        ((b"one\r\ntwo\r\n",), [b"one", b"two"]),
        ((b"one\r", b"\ntw", b"o\n"), [b"one", b"two"]),
        ((b"o", b"n", b"e", b"\n", b"t", b"w", b"o", b"\n"), [b"one", b"two"]),
        ((b"\n\r\n",), [b"", b""]),
        ((b"a\rb\n\r\r\n",), [b"a\rb", b"\r"]),
        ((b"x" * LIMIT + b"\n" + b"y" * LIMIT, b"\n"), [b"x" * LIMIT, b"y" * LIMIT]),
    ],
)
def test_lines_come_from_any_pieces(pieces: tuple[bytes, ...], lines: list[bytes]) -> None:
    stream = stream_of(*pieces)

    assert [stream.line(LIMIT, deadline()) for _ in lines] == lines
    assert stream.unread == b""


@given(st.lists(st.binary(max_size=LIMIT).filter(lambda line: b"\n" not in line)), st.data())
def test_any_lines_in_any_pieces_come_as_they_were(lines: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)))))
    edges = [0, *cuts, len(whole)]
    pieces = [whole[a:b] for a, b in pairwise(edges) if a < b]
    stream = stream_of(*pieces)

    found = [stream.line(LIMIT, deadline()) for _ in lines]

    assert found == [line.removesuffix(b"\r") for line in lines]


@pytest.mark.parametrize(
    "pieces",
    [
        (b"x" * (LIMIT + 1),),
        (b"x" * (LIMIT + 1) + b"\n",),
        (b"x" * LIMIT + b"\r\n",),
        (b"x" * LIMIT, b"x"),
        (b"x",) * (LIMIT + 1),
        (b"x" * 100_000,),
    ],
)
def test_a_line_beyond_the_limit_is_an_error_that_shows_its_start(
    pieces: tuple[bytes, ...],
) -> None:
    with pytest.raises(ValueError) as caught:
        stream_of(*pieces).line(LIMIT, deadline())

    start = f"wanted a line of at most {LIMIT} bytes, got no end of it: 78 78"
    assert str(caught.value).startswith(start)
    assert len(str(caught.value)) < 150


def test_a_long_line_is_given_up_soon_and_not_read_to_its_end() -> None:
    link = Pieces(*[b"x" * 4096] * 100)

    with pytest.raises(ValueError, match="got no end of it"):
        Stream(link).line(LIMIT, deadline())

    assert len(link.pieces) == 99


def test_a_time_out_tells_what_came() -> None:
    with pytest.raises(TimeoutError) as exact:
        stream_of(b"\x01", b"\x02").exactly(4, Deadline(2.5))
    with pytest.raises(TimeoutError) as line:
        stream_of(b"ab", b"c").line(LIMIT, Deadline(2.5))
    with pytest.raises(TimeoutError) as none:
        stream_of().line(LIMIT, Deadline(2.5))

    assert str(exact.value) == "no answer within 2.5 s, wanted 4 bytes, got 2 bytes: 01 02"
    assert str(line.value) == "no answer within 2.5 s, wanted a whole line, got 3 bytes: 61 62 63"
    assert str(none.value) == "no answer within 2.5 s, wanted a whole line, got none"


def test_a_device_that_hangs_up_is_told_of_with_what_came_before() -> None:
    end = ConnectionAbortedError("the device closed the connection")

    with pytest.raises(ConnectionAbortedError) as exact:
        stream_of(b"ab", end=end).exactly(7, deadline())
    with pytest.raises(ConnectionAbortedError) as line:
        stream_of(b"ab", end=end).line(LIMIT, deadline())

    assert str(exact.value) == "the device closed the connection after 2 of 7 bytes"
    assert str(line.value) == "the device closed the connection after 2 bytes"


def test_other_errors_of_the_link_stay_what_they_are() -> None:
    end = ConnectionResetError(104, "Connection reset by peer")

    with pytest.raises(ConnectionResetError, match="reset by peer"):
        stream_of(b"ab", end=end).line(LIMIT, deadline())


def test_draining_drops_what_waits_here_and_in_the_link() -> None:
    link = Pieces(b"late\nanswer")
    stream = Stream(link)
    stream.line(LIMIT, deadline())
    link.pieces = [b"and", b"more"]

    dropped = stream.drain(100)

    assert dropped == b"answerandmore"
    assert stream.unread == b""
    assert stream.drain(100) == b""


@pytest.mark.parametrize(("size", "is_too_much"), [(LIMIT, False), (LIMIT + 1, True)])
@pytest.mark.parametrize("is_read", [False, True])
def test_draining_has_a_limit_wherever_the_bytes_wait(
    size: int, is_too_much: bool, is_read: bool
) -> None:
    stream = stream_of(b"\n" + b"x" * size) if is_read else stream_of(b"x" * size)
    if is_read:
        stream.line(LIMIT, deadline())

    if is_too_much:
        with pytest.raises(ValueError, match=f"wanted silence, got more than {LIMIT} bytes"):
            stream.drain(LIMIT)
    else:
        assert stream.drain(LIMIT) == b"x" * size


def test_draining_a_device_that_never_stops_ends() -> None:
    class Endless(Pieces):
        def receive_now(self, limit: int) -> bytes:
            return b"x" * limit

    with pytest.raises(ValueError, match="wanted silence"):
        Stream(Endless()).drain(100_000)


def test_closing_forgets_what_came_and_closes_the_link_each_time() -> None:
    link = Pieces(b"one\ntwo")
    stream = Stream(link)
    stream.line(LIMIT, deadline())

    stream.close()
    stream.close()

    assert stream.unread == b""
    assert link.closes == 2


def test_an_expired_deadline_is_no_answer_though_bytes_wait() -> None:
    class Late(Deadline):
        def left_s(self) -> float:
            raise TimeoutError("no time is left")

    with pytest.raises(TimeoutError, match="wanted 1 bytes, got none"):
        stream_of(b"a").exactly(1, Late(1.0))
