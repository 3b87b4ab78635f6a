"""The simulated BENCHLAB board, seen by raw bytes at its port."""

import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import attrs
import pytest

from agent.clock import Deadline
from agent.devices.links.serial_port import Line, SerialLink
from hw_sim.benchlab import FAULTS, BenchlabSimulator, readings_at
from hw_sim.benchlab.wire import WRITES

WITHIN_S = 5.0
SILENCE_S = 0.1  # what does not come within this time does not come at all
PAIRS = [*(("original", firmware) for firmware in range(2, 7)), *(("bl2", f) for f in range(3, 8))]
LONG = b"BENCHLAB".ljust(32, b"\0")
LONG_2 = b"BENCHLAB 2".ljust(32, b"\0")


class Port:
    """Raw bytes, asked and answered."""

    def __init__(self, link: SerialLink) -> None:
        self.link = link

    def ask(self, request: bytes, size: int) -> bytes:
        """The answer, which has this very size."""
        self.link.send(request, Deadline(WITHIN_S))
        return self.listen(size)

    def listen(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += self.link.receive(size - len(data), Deadline(WITHIN_S))
        assert self.link.receive_now(100) == b""
        return data

    def until_silent(self, wait_s: float = SILENCE_S) -> bytes:
        """Whatever comes, the first of it within a time, until nothing more does."""
        data = b""
        while True:
            try:
                data += self.link.receive(4096, Deadline(SILENCE_S if data else wait_s))
            except TimeoutError:
                return data

    def is_silent(self, request: bytes = b"") -> bool:
        """Whether nothing comes, also not to a request."""
        self.link.send(request, Deadline(WITHIN_S))
        return self.until_silent() == b""


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = Deadline(WITHIN_S)
    while not is_so():
        deadline.left_s()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def opened(board: BenchlabSimulator, stack: ExitStack) -> Port:
    """The port of a board that is started, after its greeting."""
    stack.enter_context(board)
    greets = board.firmware >= board.product.long_welcome_from
    port, heard = open_port(board, stack, WITHIN_S if greets and not board.fault else SILENCE_S)
    assert heard in ((LONG, LONG_2) if greets else (b"",))
    return port


def open_port(board: BenchlabSimulator, stack: ExitStack, wait_s: float) -> tuple[Port, bytes]:
    """The port, and what the board says by itself."""
    link = SerialLink(str(board.path), Line(), Deadline(WITHIN_S))
    port = Port(stack.enter_context(closing(link)))
    return port, port.until_silent(wait_s)


@pytest.mark.parametrize(("product", "firmware"), PAIRS)
def test_it_says_what_it_is_as_its_firmware_does(
    tmp_path: Path, stack: ExitStack, product: str, firmware: int
) -> None:
    board = BenchlabSimulator(tmp_path / "board", product, firmware, name="rig")
    board.freeze()
    port = opened(board, stack)
    is_bl2 = product == "bl2"
    is_long = firmware >= (6 if is_bl2 else 5)

    size = 216 if not is_bl2 else 368 if firmware < 5 else 384
    answers = [
        port.ask(b"\x00", 32 if is_long else 9),
        port.ask(b"\x0e", 3),
        port.ask(b"\x0d", 12),
        port.ask(b"\x03", 32),
        port.ask(b"\x01", size),
    ]

    assert answers[0].rstrip(b"\0") in (b"BENCHLAB", b"BENCHLAB 2")
    assert answers[1] == bytes((0xEE, 0x11 if is_bl2 else 0x10, firmware))
    assert answers[2].hex().upper() == board.uid
    assert answers[3] == b"rig".ljust(32, b"\0")
    assert answers[4] == board.sensor_data()
    assert board.requests == [b"\x00", b"\x0e", b"\x0d", b"\x03", b"\x01"]


def test_old_firmware_does_not_greet_by_itself(tmp_path: Path, stack: ExitStack) -> None:
    for number, (product, firmware) in enumerate((("original", 4), ("bl2", 5))):
        board = BenchlabSimulator(tmp_path / f"board{number}", product, firmware)

        assert opened(board, stack).is_silent()


def test_sensor_data_have_the_published_offsets(tmp_path: Path) -> None:
    readings = readings_at(100.0, 1)
    readings = attrs.evolve(readings, faults=5, past_faults=2**63 | 5)
    board = BenchlabSimulator(tmp_path / "board", "bl2", 7)
    board.freeze(readings)

    data = board.sensor_data()

    assert struct.unpack_from("<13h", data, 0) == readings.vins
    assert struct.unpack_from("<HHh", data, 26) == (readings.vdd, readings.vref, readings.chip)
    assert struct.unpack_from("<8h", data, 32) == readings.probes
    assert struct.unpack_from("<hH", data, 48) == (readings.ambient, readings.humidity)
    assert tuple(data[52:56]) == (*readings.switches, 255)
    for number, rail in enumerate(readings.rails):
        assert struct.unpack_from("<hxxii", data, 56 + 12 * number) == rail
    for number, fan in enumerate(readings.fans):
        assert struct.unpack_from("<BBH", data, 332 + 4 * number) == fan
    assert struct.unpack_from("<QQ", data, 368) == (5, 2**63 | 5)


def test_what_it_does_not_know_stays_unanswered(tmp_path: Path, stack: ExitStack) -> None:
    port = opened(BenchlabSimulator(tmp_path / "board", "original", 6), stack)

    assert port.is_silent(b"\x42")
    assert port.is_silent(b"\xff")
    assert port.is_silent(b"\x05\x03\x00")  # there are fan profiles 0 to 2
    assert port.is_silent(b"\x05\x00")  # too short
    assert port.ask(b"\x14", 1) == b"\x01"  # bad length
    assert port.ask(b"\x14", 1) == b"\x00"
    assert port.ask(b"\x0e", 3) == bytes.fromhex("ee1006")


def test_settings_are_answered_with_the_published_sizes(tmp_path: Path, stack: ExitStack) -> None:
    port = opened(BenchlabSimulator(tmp_path / "board", "bl2", 7), stack)

    sizes = {b"\x05\x00\x08": 14, b"\x07\x01": 6, b"\x09": 294, b"\x0f": 128, b"\x13": 560}

    for request, size in sizes.items():
        assert len(port.ask(request, size)) == size


def test_requests_in_one_write_are_told_apart_by_their_sizes(
    tmp_path: Path, stack: ExitStack
) -> None:
    board = BenchlabSimulator(tmp_path / "board", "original", 6)
    port = opened(board, stack)

    answers = port.ask(b"\x0e\x05\x00\x01\x0d", 3 + 14 + 12)

    assert answers[17:] == bytes.fromhex(board.uid)
    assert board.requests == [b"\x0e", b"\x05\x00\x01", b"\x0d"]


@pytest.mark.parametrize(
    "request_hex",
    [
        "02 01 00 00 05",
        "04 6E616D65",
        "06 00 00" + "00" * 14,
        "08 00" + "00" * 6,
        "0A 00 01 02 03",
        "0B 00",
        "0C 01",
        "10" + "00" * 128,
        "11",
        "12",
        "16" + b"benchlab".hex(),
        "F0",
        "F1",
    ],
)
def test_what_would_change_something_is_counted_and_ignored(
    tmp_path: Path, stack: ExitStack, request_hex: str
) -> None:
    board = BenchlabSimulator(tmp_path / "board", "bl2", 7)
    port = opened(board, stack)
    request = bytes.fromhex(request_hex)

    assert port.is_silent(request)

    wait_until(lambda: len(board.requests) > 0)
    assert board.requests == [request]
    assert board.write_requests == 1
    assert request[0] in WRITES
    assert port.ask(b"\x03", 32) == b"bench 1".ljust(32, b"\0")


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        ("vendor:1", "011006"),
        ("product", "ee1206"),
        ("firmware:7", "ee1007"),
        ("extra:2", "ee1006 0000"),
        ("shifted", LONG.hex() + "ee1006"),
        ("greets-after", "ee1006" + LONG.hex()),
    ],
)
def test_a_fault_bends_the_answer(
    tmp_path: Path, stack: ExitStack, fault: str, answer: str
) -> None:
    board = BenchlabSimulator(tmp_path / "board")
    port = opened(board, stack)
    board.set_fault(fault)
    expected = bytes.fromhex(answer)

    bent = port.ask(b"\x0e", len(expected))
    board.set_fault(None)

    assert bent == expected
    assert port.ask(b"\x0e", 3) == bytes.fromhex("ee1006")


def test_the_greeting_can_be_late_twice_or_never(tmp_path: Path, stack: ExitStack) -> None:
    heard = {}
    for fault, wait_s in (("late-push:0.1", 5.0), ("double-push", 5.0), ("no-push", SILENCE_S)):
        board = BenchlabSimulator(tmp_path / fault)
        board.set_fault(fault)
        stack.enter_context(board)
        heard[fault] = open_port(board, stack, wait_s)[1]

    assert heard == {"late-push:0.1": LONG, "double-push": LONG * 2, "no-push": b""}


def test_it_comes_back_at_another_path_that_begins_as_its_address(tmp_path: Path) -> None:
    with BenchlabSimulator(tmp_path / "board") as board:
        paths = []
        for fault in ("replug", "replug", "replug", None, "unplug", None):
            board.set_fault(fault)
            paths.append([path.name for path in tmp_path.iterdir()])

        assert board.address == str(tmp_path / "board")
    there, away = ["board"], ["board-2"]
    assert paths == [away, there, away, away, [], away]
    assert list(tmp_path.iterdir()) == []


def test_it_starts_and_stops_with_a_fault_that_was_set_before(tmp_path: Path) -> None:
    board = BenchlabSimulator(tmp_path / "board")
    for _ in range(2):
        board.set_fault("unplug")
        board.start()
        board.start()
        assert not board.path.is_symlink()
        board.set_fault(None)
        assert board.path.is_symlink()
        board.stop()
        board.stop()
        assert not board.path.is_symlink()


@pytest.mark.parametrize("fault", ["nonsense", "short:0", "vendor:256", "no-uid:1"])
def test_a_fault_that_does_not_exist_changes_nothing(tmp_path: Path, fault: str) -> None:
    board = BenchlabSimulator(tmp_path / "board")

    with pytest.raises(ValueError, match=fault.partition(":")[0]):
        board.set_fault(fault)

    assert board.fault is None


def test_every_fault_has_its_help() -> None:
    assert all(text and text.isprintable() for text in FAULTS.values())
