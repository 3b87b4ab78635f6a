"""Faults on demand: their words, what they do to answers, and that they end at once."""

import threading
from collections.abc import Mapping

import pytest

from hw_sim.faults import (
    ENDLESS_BLOCK,
    GARBAGE_SIZE,
    LINK_FAULTS,
    TCP_FAULTS,
    Fault,
    Known,
    helps,
)

ANSWER = b"0123456789"
LONG_S = 60.0  # nothing waits so long
KNOWN: Mapping[str, Known] = {**TCP_FAULTS, "lie": Known("lies by ARG", 4, -8, 8)}


class Sent:
    """Takes what is sent, piece by piece; breaks after so many pieces."""

    def __init__(self, breaks_after: int = 1_000_000) -> None:
        self.pieces: list[bytes] = []
        self._left = breaks_after

    def __call__(self, data: bytes) -> None:
        if not self._left:
            raise ConnectionResetError("the client has gone")
        self._left -= 1
        self.pieces.append(data)


def answered(fault: str, number: int = 1) -> tuple[list[bytes], bool]:
    """The pieces that are sent, and whether the connection goes on; nothing waits."""
    sent = Sent()
    in_force = Fault(fault, KNOWN)
    in_force.end()
    return sent.pieces, in_force.answer(sent, ANSWER, number)


def test_every_fault_of_tcp_has_a_line_of_help() -> None:
    texts = helps(TCP_FAULTS)

    assert list(texts) == list(TCP_FAULTS)
    assert set(TCP_FAULTS) - set(LINK_FAULTS) == {"refuse", "too-many"}
    assert texts["silent"] == "answers nothing at all"
    assert texts["delay"] == "waits ARG seconds before each answer (ARG, default 2)"
    assert all(text.isprintable() and not text.endswith(".") for text in texts.values())


@pytest.mark.parametrize(
    ("text", "name", "argument"),
    [
        ("", "", 0.0),
        ("  ", "", 0.0),
        ("silent", "silent", 0.0),
        (" silent ", "silent", 0.0),
        ("delay", "delay", 2.0),
        ("delay:0.5", "delay", 0.5),
        ("delay:0", "delay", 0.0),
        ("delay:1e1", "delay", 10.0),
        ("lie", "lie", 4.0),
        ("lie:-8", "lie", -8.0),
        ("lie:0", "lie", 0.0),
    ],
)
def test_a_fault_is_a_name_and_perhaps_an_argument(text: str, name: str, argument: float) -> None:
    fault = Fault(text, KNOWN)

    assert (fault.name, fault.argument, fault.text) == (name, argument, text.strip())


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("slient", "no fault 'slient': did you mean 'silent'?"),
        ("xyz", "no fault 'xyz': known are refuse, too-many, silent"),
        (":1", "no fault ''"),
        ("silent:1", "fault 'silent' has no argument, got '1'"),
        ("silent:", "fault 'silent' has no argument, got ''"),
        ("delay:", "fault 'delay' takes a number 0 to 86400, got ''"),
        ("delay:x", "fault 'delay' takes a number 0 to 86400, got 'x'"),
        ("delay:-1", "fault 'delay' takes a number 0 to 86400, got '-1'"),
        ("delay:nan", "fault 'delay' takes a number 0 to 86400, got 'nan'"),
        ("delay:inf", "fault 'delay' takes a number 0 to 86400, got 'inf'"),
        ("delay:1:2", "fault 'delay' takes a number 0 to 86400, got '1:2'"),
        ("lie:9", "fault 'lie' takes a number -8 to 8, got '9'"),
    ],
)
def test_what_is_no_fault_is_an_error_that_helps(text: str, error: str) -> None:
    with pytest.raises(ValueError) as caught:
        Fault(text, KNOWN)

    assert str(caught.value).startswith(error)


@pytest.mark.parametrize(
    ("fault", "pieces", "goes_on"),
    [
        ("", [ANSWER], True),
        ("lie", [ANSWER], True),
        ("silent", [], True),
        ("delay", [ANSWER], True),
        ("drop", [], False),
        ("drop:2", [ANSWER], True),
        ("half-close", [b"01234"], False),
        ("pieces", [b"012", b"345", b"678", b"9"], True),
        ("trickle", [bytes((byte,)) for byte in ANSWER], True),
        ("endless", [ANSWER], False),
    ],
)
def test_an_answer_goes_out_as_the_fault_says(
    fault: str, pieces: list[bytes], goes_on: bool
) -> None:
    assert answered(fault) == (pieces, goes_on)


@pytest.mark.parametrize(("number", "goes_on"), [(1, True), (2, False), (3, False)])
def test_a_connection_is_dropped_at_its_number_and_beyond(number: int, goes_on: bool) -> None:
    assert answered("drop:2", number)[1] is goes_on


@pytest.mark.parametrize("fault", ["", "silent", "half-close", "pieces", "trickle", "endless"])
def test_an_answer_without_bytes_is_no_trouble(fault: str) -> None:
    sent = Sent()
    in_force = Fault(fault, KNOWN)
    in_force.end()

    in_force.answer(sent, b"", 1)

    assert b"".join(sent.pieces) == b""


def test_garbage_repeats_with_its_seed_and_is_never_empty() -> None:
    first, again, other = (Fault("garbage", KNOWN, seed) for seed in (1, 1, 2))
    sent = [Sent() for _ in range(3)]

    for fault, each in zip((first, again, other), sent, strict=True):
        for number in range(1, 51):
            assert fault.answer(each, ANSWER, number)

    assert sent[0].pieces == sent[1].pieces != sent[2].pieces
    assert all(1 <= len(piece) <= GARBAGE_SIZE for piece in sent[0].pieces)


def test_endless_sends_the_answer_and_goes_on_until_the_client_has_gone() -> None:
    sent = Sent(breaks_after=4)

    goes_on = Fault("endless", KNOWN).answer(sent, ANSWER, 1)

    assert sent.pieces == [ANSWER, ENDLESS_BLOCK, ENDLESS_BLOCK, ENDLESS_BLOCK]
    assert not goes_on


def test_a_client_that_has_gone_before_the_answer_is_an_error_for_the_session() -> None:
    with pytest.raises(ConnectionResetError):
        Fault("endless", KNOWN).answer(Sent(breaks_after=0), ANSWER, 1)


@pytest.mark.parametrize("fault", [f"delay:{LONG_S}", f"pieces:{LONG_S}", f"trickle:{LONG_S}"])
def test_what_waits_goes_on_at_once_when_the_fault_ends(fault: str) -> None:
    in_force, sent = Fault(fault, KNOWN), Sent()
    answering = threading.Thread(target=in_force.answer, args=(sent, ANSWER, 1))
    answering.start()

    in_force.end()

    answering.join(LONG_S / 2)
    assert not answering.is_alive()
    assert b"".join(sent.pieces) == ANSWER


def test_endless_ends_with_its_fault() -> None:
    in_force = Fault("endless", KNOWN)
    started = threading.Event()

    def send(data: bytes) -> None:
        if data == ENDLESS_BLOCK:
            started.set()

    answering = threading.Thread(target=in_force.answer, args=(send, ANSWER, 1))
    answering.start()
    assert started.wait(LONG_S)

    in_force.end()

    answering.join(LONG_S / 2)
    assert not answering.is_alive()


def test_ending_twice_is_fine() -> None:
    fault = Fault("", KNOWN)
    before = fault.is_over

    fault.end()
    fault.end()

    assert (before, fault.is_over) == (False, True)
