"""Pieces of all sorts: any mix of values, layouts, keys that run ahead, times that step back."""

from collections.abc import Sequence
from functools import partial
from itertools import accumulate

from hypothesis import strategies as st

from agent.model import Value
from agent.store.codec import Piece

POSITIONS = 4
SAMPLES = 20
CELLS: tuple[st.SearchStrategy[Value], ...] = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None), max_size=5)
    | st.sampled_from([0, False, 0.0, -0.0, 1, True, 1.0, 0.1, "", "a%s,b", '"', "ä", 1e300]),
    st.integers(0, 5),
    st.booleans(),
    st.integers(-(2**63), 2**63),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(width=32, allow_nan=False, allow_infinity=False),
    st.integers(-1000, 1000).map(lambda number: number / 10),
    st.integers(-1000, 1000).map(lambda number: 20 + number * 0.0625),
    st.integers(-30, 30).map(lambda number: number / 10 if number % 10 else number // 10),
    st.none() | st.integers(-9, 9).map(lambda number: number / 2),
    st.sampled_from([1.5, -0.0, None]),
    st.sampled_from(["on", "off", "ä"]),
    st.just(4.5),
)


def cells(size: int) -> st.SearchStrategy[list[Value]]:
    """So many cells that are alike, a few of them in some order, with runs or without."""
    few = st.one_of([st.lists(each, min_size=1, max_size=7) for each in CELLS])
    return st.builds(partial(_in_some_order, size), few, st.sampled_from([1, 1, 2, 5, 13]))


def _in_some_order(size: int, few: Sequence[Value], run: int) -> list[Value]:
    return [few[index * index // run % len(few)] for index in range(size)]


@st.composite
def times(draw: st.DrawFn, size: int) -> list[int]:
    """Times of a clock that mostly goes on."""
    steps = st.sampled_from([1000, 1000, 1000, 30_000, 1003, 0, -5000, 10**9])
    start = draw(st.sampled_from([0, 1_760_000_000_000, -5]))
    few = draw(st.lists(steps, min_size=1, max_size=5))
    return [*accumulate((few[index % len(few)] for index in range(size - 1)), initial=start)]


def keys(times_ms: Sequence[int], scale: int) -> list[int]:
    """The keys that the writer gives samples of these times."""
    found: list[int] = []
    for time_ms in times_ms:
        key = time_ms * 1000 if scale == 1 else time_ms // 1000
        found.append(max([key, *(last + 1 for last in found[-1:])]))
    return found


def _repeated(size: int, number: st.SearchStrategy[int]) -> st.SearchStrategy[list[int]]:
    return st.lists(number, min_size=1, max_size=9).map(lambda few: (few * size)[:size])


@st.composite
def pieces(draw: st.DrawFn) -> Piece:
    """A piece of at most ``SAMPLES`` samples and ``POSITIONS`` columns."""
    size = draw(st.integers(1, SAMPLES))
    of_any = _repeated(size, st.integers(-(2**60), 2**60))
    times_ms = draw(times(size) | of_any)
    counts = _repeated(size, st.sampled_from([1, 1, 1, 2, 7]))
    layouts = draw(counts.map(sorted) | counts)
    offered = st.sets(st.integers(0, POSITIONS - 1)).map(lambda found: tuple(sorted(found)))
    positions = {number: draw(offered) for number in sorted({*layouts})}
    columns = {
        position: draw(cells(sum(position in positions[layout] for layout in layouts)))
        for position in sorted({each for layout in positions.values() for each in layout})
    }
    return Piece(
        draw(st.integers(0, 2**40)),
        draw(st.sampled_from([1, 1_000_000]).map(lambda scale: keys(times_ms, scale)) | of_any),
        times_ms,
        draw(counts),
        layouts,
        positions,
        columns,
    )


def is_storable(piece: Piece) -> bool:
    """Whether keys are within what SQLite holds, with room."""
    return max(map(abs, piece.keys)) < 2**61


storable_pieces = pieces().filter(is_storable)


def piece_of(*columns: Sequence[Value]) -> Piece:
    """A piece of columns of equal length, at 1 s."""
    size = len(columns[0])
    times_ms = [1_760_000_000_000 + 1000 * index for index in range(size)]
    layout = tuple(range(len(columns)))
    ones = [1] * size
    return Piece(1, keys(times_ms, 1), times_ms, ones, ones, {1: layout}, dict(enumerate(columns)))
