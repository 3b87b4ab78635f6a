"""Rows as lines of CSV: what comes of many at once is what comes of each cell by itself."""

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from agent.model import Value
from agent.store.chunks import CHUNK_ROWS, Rows
from agent.store.lines import CELLS_LIMIT, Lines, cell
from agent.store.rows import Layout, Path, arrange, encode, place
from agent.store.segments import segments

NAMES = [
    "cpu_total", "core0_usage", "level", "core2_usage", "process1_pid", "process1_cmdline",
    "process3_name", "process3_cpu", "uptime_s",
]  # fmt: skip
SIGNS = st.characters() | st.sampled_from('",\\\r\n\t\0\1\2\3\4[]{} ä"')
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["null", "true", "false", "", "1e5", "\\u0041", '\\"', "a,b"])
    | st.text(SIGNS, max_size=6)
)


def paths_of(kind: str, names: Sequence[str]) -> dict[int, Path]:
    """Where the metrics of a device lie, as the store places them when they come one by one."""
    taken: list[Path] = []
    for name in names:
        taken.append(place(kind, name, taken))
    return dict(enumerate(taken))


def text_of(values: Sequence[Value], layout: Layout, paths: Mapping[int, Path]) -> str:
    return arrange(encode(values), [paths[position] for position in layout])


Row = tuple[Layout, list[Value]]


@st.composite
def rows(draw: st.DrawFn) -> tuple[dict[int, Path], list[Row]]:
    """The paths of a device, and rows of up to three layouts in any order."""
    names = draw(st.permutations(NAMES))
    paths = paths_of(draw(st.sampled_from(["s7", "host"])), names)
    offers = st.sets(st.sampled_from(range(len(names)))).map(lambda found: tuple(sorted(found)))
    layouts = draw(st.lists(offers, min_size=1, max_size=3, unique=True))
    found = []
    for layout in draw(st.lists(st.sampled_from(layouts), min_size=1, max_size=40)):
        values = st.lists(VALUES, min_size=len(layout), max_size=len(layout))
        found.append((layout, draw(values)))
    return paths, found


@given(made=rows())
def test_lines_have_the_cell_of_each_value_in_its_column(
    made: tuple[dict[int, Path], list[Row]],
) -> None:
    paths, found = made
    numbers = {layout: number for number, layout in enumerate({layout for layout, _ in found})}
    stored = [
        (key, key, numbers[layout], 1, text_of(values, layout, paths))
        for key, (layout, values) in enumerate(found)
    ]
    columns = sorted({position for layout, _ in found for position in layout})
    places = Rows({number: each for each, number in numbers.items()}, paths).places(stored)

    lines = [line for each in segments(places, 0, len(found)) for line in each.lines(columns)]

    assert lines == [
        ",".join(cell(dict(zip(layout, values, strict=True)).get(c)) for c in columns)
        for layout, values in found
    ]


def test_texts_that_never_come_again_are_not_remembered_for_ever() -> None:
    count = 3 * CELLS_LIMIT + CHUNK_ROWS // 2
    made = Lines([0], (0,), {0: (0,)})

    lines = [made.of([encode([f"{number},"])])[0] for number in range(count)]

    assert lines == [f'"{number},"' for number in range(count)]
    assert made.remembered <= CELLS_LIMIT


def test_a_row_of_another_form_than_its_layout_says_is_read_by_itself() -> None:
    made = Lines([0, 1], (0, 1), {0: (0,), 1: (1,)})

    assert made.of(["[1,2]", "[3,4,[5]]", "[ 6, null ]"]) == ["1,2", "3,4", "6,"]
