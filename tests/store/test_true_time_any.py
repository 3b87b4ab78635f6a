"""Whatever the clock did: what can be known is true afterwards, and nothing is lost or changed."""

from collections import Counter
from collections.abc import Mapping
from contextlib import closing

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.model import Value
from agent.store import Reader
from agent.store.query import open_to_read
from tests.store.set_later import Board, Given
from tests.store.stored import EVER
from tests.store.test_true_time_forms import aggregates_are_right

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=2),
    st.sampled_from([0.0, -0.0, 1, 1.0, True, 2**63, "ä"]),
)
SAMPLES = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)
WRONG = st.sampled_from([-(10**7), -600_000, -2000, 1000, 7000, 3_600_000, 10**10])
ACTIONS = st.one_of(
    st.tuples(st.just("press"), SAMPLES),
    st.tuples(st.just("host"), SAMPLES),
    st.tuples(st.just("wait"), st.sampled_from([0.001, 1, 5, 60, 900, 5000, 90_000])),
    st.tuples(st.just("flush"), st.none()),
    st.tuples(st.just("boot"), st.one_of(st.just(None), WRONG)),  # in 1970, or wrong by so much
    st.tuples(st.just("set"), WRONG),
    st.tuples(st.just("learn"), st.none()),
    st.tuples(st.just("upkeep"), st.none()),
    st.tuples(st.just("mend"), st.none()),
    st.tuples(st.just("restart"), st.booleans()),
)


class Tale:
    """Does what is told, and knows of which samples the true time can be known."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self._learned: set[str] = set()  # boots that stored something by a clock that was right
        self._early: dict[str, int] = {}  # samples by then, of each device
        self._count = 0
        self.can_be_known: dict[str, dict[int, str]] = {"press": {}, "host": {}}

    def act(self, word: str, what: object) -> None:
        match word, what:
            case (("press" | "host"), dict(values)):
                self._put(word, values)
            case "restart", bool(in_order):
                self._flush()
                self.board.restart(in_order=in_order)
            case "flush", None:
                self._flush()
            case "upkeep", None:
                self.board.upkeep.run()
            case "mend", None:
                self._flush()
                self.board.mend()
            case _:
                self._change_clock(word, what)

    def _change_clock(self, word: str, what: object) -> None:
        board = self.board
        match word, what:
            case "wait", int() | float() as seconds:
                board.wait(seconds)
            case "boot", None:
                self._boot(20_000)
            case "boot", int(wrong_ms):
                self._boot(max(20_000, board.true_ms + wrong_ms))
            case "set", int(wrong_ms) if not board.clock.synchronised:
                board.clock.set_wall(max(20_000, board.true_ms + wrong_ms))
            case "learn", None:
                board.learn()

    def _put(self, device: str, values: Mapping[str, Value]) -> None:
        board = self.board
        self._count += 1
        board.put_values(device, {**values, "number": self._count})
        if not board.clock.synchronised:
            known = self.can_be_known[device]
            known[len(board.given[device]) - 1] = board.clock.boot_id

    def _flush(self) -> None:
        self.board.put_values("press", {"number": -1})
        if not self.board.clock.synchronised:
            number = len(self.board.given["press"]) - 1
            self.can_be_known["press"][number] = self.board.clock.boot_id
        assert self.board.store.flush()
        if self.board.clock.synchronised:
            self._learned.add(self.board.clock.boot_id)

    def _boot(self, said_ms: int) -> None:
        self._flush()
        self._count += 1
        self.board.boot(f"later boot {self._count}", said_ms)

    def end(self) -> None:
        self._flush()
        self.board.mend()

    def wanted(self, device: str) -> Counter[tuple[int, int, str]]:
        """Times, times on the other clock, and values."""
        known = self.can_be_known[device]
        return Counter(
            (
                each.true_ms if known.get(number) in self._learned else each.said_ms,
                each.monotonic_ms,
                text_of(each),
            )
            for number, each in enumerate(self.board.given[device])
        )


def text_of(given_: Given) -> str:
    return repr(sorted(given_.values.items()))


# Rows of the first boot, whose clock was set in the moment in which they were read, come to lie
# behind those of the second one.
SET_AT_ONCE: list[tuple[str, object]] = [("boot", None), ("flush", None), ("learn", None)]


@example(actions=[*SET_AT_ONCE, *SET_AT_ONCE, ("upkeep", None)], is_plain=True)
@settings(max_examples=100, deadline=None)
@given(actions=st.lists(ACTIONS, max_size=60), is_plain=st.booleans())
def test_what_can_be_known_is_true_and_nothing_is_lost(
    actions: list[tuple[str, object]], is_plain: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    board = Board(tmp_path_factory.mktemp("any") / "telemetry.db", plain=is_plain)
    tale = Tale(board)

    for word, what in actions:
        tale.act(word, what)
    tale.end()

    for device in ("press", "host"):
        assert found_in(board, device) == tale.wanted(device)
        assert said_in(board, device) == Counter(each.said_ms for each in board.given[device])
    assert board.sql("SELECT count(*) FROM row JOIN batch USING (id)") == [(0,)]
    assert aggregates_are_right(board)
    assert all(end is None or start < end for start, end, _ in board.seconds())
    board.close()


def found_in(board: Board, device: str) -> Counter[tuple[int, int, str]]:
    if not board.given[device]:
        return Counter()
    with Reader(board.path) as reader:
        return Counter(
            (each.stamp.ts_ms, each.stamp.monotonic_ms, repr(sorted(each.values.items())))
            for each in reader.samples(device, *EVER)
        )


def said_in(board: Board, device: str) -> Counter[int]:
    """What the clock said when each sample was read."""
    with closing(open_to_read(board.path)) as connection:
        moved = dict(connection.execute("SELECT id, coalesce(moved_ms, 0) FROM clock"))
    found: Counter[int] = Counter()
    if not board.given[device]:
        return found
    with Reader(board.path) as reader:
        for segment in reader.segments(device, *EVER):
            pairs = zip(segment.times(), segment.clocks(), strict=True)
            found.update(ts_ms - moved[clock] for ts_ms, clock in pairs)
    return found
