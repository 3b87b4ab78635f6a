"""Connecting by name and by address, in time."""

import socket
import threading
from collections.abc import Iterator, Sequence

import pytest

from agent.clock import Deadline
from agent.devices.links.tcp import (
    Found,
    LookUp,
    LookUpTimeoutError,
    is_interface,
    numeric,
    open_socket,
    tcp_opener,
)
from agent.devices.s7 import Options, Tag
from agent.devices.s7.driver import S7
from agent.errors import DeviceError
from agent.model import Reason

SHORT_S = 0.05
LONG_S = 10.0  # only a hang gets here
LISTENER: Found = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 7))


class Resolver:
    """Answers when the test says so, and notes who asked in which thread."""

    def __init__(self, answer: Sequence[Found] | OSError = (LISTENER,)) -> None:
        self.answer = answer
        self.asked: list[tuple[object, ...]] = []
        self.threads: list[threading.Thread] = []
        self.may_answer = threading.Event()

    def __call__(self, *asked: object, type: int) -> Sequence[Found]:  # noqa: A002
        self.asked.append(asked)
        self.threads.append(threading.current_thread())
        self.may_answer.wait(LONG_S)
        if isinstance(self.answer, OSError):
            raise self.answer
        return self.answer

    def finish(self) -> None:
        """Answer all who wait, and see their threads end."""
        self.may_answer.set()
        for thread in self.threads:
            thread.join(LONG_S)


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    made = Resolver()
    yield made
    made.finish()


def too_late(look_up: LookUp) -> str:
    """The text of a look-up that is not answered in time."""
    with pytest.raises(LookUpTimeoutError) as caught:
        look_up.addresses(Deadline(SHORT_S))
    return str(caught.value)


def test_a_socket_sends_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        look_up = LookUp("localhost", listener.getsockname()[1])

        with open_socket(look_up, Deadline(2.0)) as connected:
            assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "192.0.2.1"])
def test_an_address_is_not_looked_up(resolver: Resolver, host: str) -> None:
    found = LookUp(host, 102, resolver).addresses(Deadline(LONG_S))

    assert [each[4][:2] for each in found] == [(host, 102)]
    assert resolver.asked == []


def test_a_look_up_that_hangs_ends_at_the_deadline_and_names_the_name(resolver: Resolver) -> None:
    text = too_late(LookUp("press.plant", 102, resolver))

    assert text == (
        "the name 'press.plant' could not be looked up within 0.05 s; "
        "check the name server, or use the address"
    )


def test_look_ups_that_hang_do_not_pile_up(resolver: Resolver) -> None:
    look_up = LookUp("press.plant", 102, resolver)

    for _ in range(5):
        too_late(look_up)

    assert resolver.asked == [("press.plant", 102)]
    assert resolver.threads[0].daemon


def test_an_answer_that_came_too_late_is_used_once(resolver: Resolver) -> None:
    look_up = LookUp("press.plant", 102, resolver)
    too_late(look_up)
    resolver.finish()

    late = look_up.addresses(Deadline(LONG_S))
    resolver.answer = ()
    fresh = look_up.addresses(Deadline(LONG_S))

    assert (list(late), list(fresh)) == ([LISTENER], [])
    assert len(resolver.asked) == 2


def test_an_error_that_came_too_late_is_asked_again(resolver: Resolver) -> None:
    look_up = LookUp("press.plant", 102, resolver)
    resolver.answer = socket.gaierror(socket.EAI_AGAIN, "Temporary failure")
    too_late(look_up)
    resolver.finish()
    resolver.answer = [LISTENER]

    assert list(look_up.addresses(Deadline(LONG_S))) == [LISTENER]


def test_nothing_is_kept_from_one_look_up_to_the_next(resolver: Resolver) -> None:
    look_up = LookUp("press.plant", 102, resolver)
    resolver.may_answer.set()

    for _ in range(3):
        look_up.addresses(Deadline(LONG_S))

    assert len(resolver.asked) == 3


def test_a_name_that_is_not_known_is_an_error_of_the_resolver(resolver: Resolver) -> None:
    resolver.answer = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    resolver.may_answer.set()

    with pytest.raises(socket.gaierror, match="not known"):
        LookUp("press.plant", 102, resolver).addresses(Deadline(LONG_S))


def test_a_name_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="idna"):
        LookUp("a..b", 102).addresses(Deadline(LONG_S))


def test_a_driver_whose_name_is_not_looked_up_in_time_says_so(resolver: Resolver) -> None:
    options = Options("press.plant", tag=(Tag("a", "DB1.DBW0:INT"),))
    driver = S7(options, SHORT_S, tcp_opener(LookUp(options.host, options.port, resolver)))

    with pytest.raises(DeviceError) as caught:
        driver.read()

    assert str(caught.value).startswith(
        "connecting to press.plant:102: the name 'press.plant' could not be looked up within"
    )
    assert caught.value.reason is Reason.TIMEOUT
    driver.close()


def test_closing_does_not_wait_for_a_look_up(resolver: Resolver) -> None:
    options = Options("press.plant", tag=(Tag("a", "DB1.DBW0:INT"),))
    driver = S7(options, SHORT_S, tcp_opener(LookUp(options.host, options.port, resolver)))
    for _ in range(3):
        with pytest.raises(DeviceError):
            driver.read()
        driver.close()

    assert len(resolver.asked) == 1
    assert resolver.threads[0].is_alive()


def answered(*addresses: Found) -> LookUp:
    """A look-up of a name with these addresses."""
    made = Resolver(addresses)
    made.may_answer.set()
    return LookUp("press.plant", 7, made)


def refusing() -> Found:
    """An address that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return (socket.AF_INET, socket.SOCK_STREAM, 6, "", listener.getsockname())


UNSUPPORTED: Found = (socket.AF_IPX, socket.SOCK_STREAM, 0, "", ("::1", 7))


def test_a_family_that_this_machine_lacks_hides_no_good_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        good: Found = (socket.AF_INET, socket.SOCK_STREAM, 6, "", listener.getsockname())

        with open_socket(answered(UNSUPPORTED, good), Deadline(LONG_S)) as connected:
            assert connected.getpeername() == listener.getsockname()


@pytest.mark.parametrize("is_first", [True, False])
def test_the_error_that_tells_of_the_device_is_raised(*, is_first: bool) -> None:
    found = [refusing(), UNSUPPORTED] if is_first else [UNSUPPORTED, refusing()]

    with pytest.raises(ConnectionRefusedError):
        open_socket(answered(*found), Deadline(LONG_S))


def test_of_several_errors_the_first_is_raised() -> None:
    with pytest.raises(OSError, match="not supported"):
        open_socket(answered(UNSUPPORTED, UNSUPPORTED), Deadline(LONG_S))


def test_an_address_of_an_interface_keeps_it() -> None:
    index, name = socket.if_nameindex()[0]

    assert numeric(("fe80::7", 102, 0, index)) == f"fe80::7%{name}"
    assert numeric(("fe80::7", 102, 0, 2**31 - 1)) == f"fe80::7%{2**31 - 1}"
    assert numeric(("fd00::7", 102, 0, 0)) == "fd00::7"
    assert numeric(("10.0.0.7", 102)) == "10.0.0.7"


def test_interfaces_have_names_and_numbers() -> None:
    index, name = socket.if_nameindex()[0]

    assert is_interface(name)
    assert is_interface(str(index))
    assert not any(map(is_interface, ("nosuch", "\xe9", "0", "9" * 30, "a\0b", "\u0661")))
