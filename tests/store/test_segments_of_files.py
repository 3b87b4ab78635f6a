"""What lies in a file as rows, batches and blocks, in any mix, comes out in order and exact."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import attrs
from hypothesis import given
from hypothesis import strategies as st

from agent.model import Value
from agent.store import Reader
from agent.store.lines import cell
from agent.store.rows import Layout
from tests.store.laid import OFFSET_MS, At, Laid
from tests.store.test_lines import VALUES

NAMES = ["core1_usage", "level", "process1_name", "core0_usage", "state"]
SCALES = {"s7": 1, "host": 1_000_000}
LAST_MS = 5000
FORMS = ("block", "batch", "rows")  # of equal keys, that of the first is first


@attrs.frozen
class Case:
    """A kind of device, what is laid down in which form, and a stretch of time to ask for."""

    kind: str
    laid: Sequence[tuple[str, Sequence[At]]]
    start_ms: int
    end_ms: int

    @property
    def wanted(self) -> list[At]:
        """The samples of the stretch in the order of key, form and number."""
        by_form = [each for form in FORMS for name, each in self.laid if name == form]
        found = [
            sample
            for samples in by_form
            for sample in samples
            if self.start_ms <= sample.ts_ms < self.end_ms
        ]
        return sorted(found, key=lambda sample: sample.key)


@st.composite
def samples(draw: st.DrawFn, scale: int, layouts: Sequence[Layout], *, once: bool) -> list[At]:
    """Samples with rising keys that are not before their times."""
    found = []
    for _ in range(draw(st.integers(1, 8))):
        ts_ms = draw(st.integers(0, LAST_MS))
        ahead = draw(st.integers(0, 3000))
        layout = draw(st.sampled_from(layouts))
        values = draw(st.lists(VALUES, min_size=len(layout), max_size=len(layout)))
        found.append(At((ts_ms * 1000 + ahead) // scale, ts_ms, layout, values))
    found.sort(key=lambda sample: sample.key)
    return [*{each.key: each for each in found}.values()] if once else found


@st.composite
def cases(draw: st.DrawFn) -> Case:
    kind = draw(st.sampled_from(sorted(SCALES)))
    offers = st.sets(st.sampled_from(range(len(NAMES)))).map(lambda found: tuple(sorted(found)))
    layouts = draw(st.lists(offers, min_size=1, max_size=3, unique=True))
    laid: dict[tuple[str, int], tuple[str, list[At]]] = {}
    for number, form in enumerate(draw(st.lists(st.sampled_from(FORMS), min_size=1, max_size=6))):
        found = draw(samples(SCALES[kind], layouts, once=form == "rows"))
        # Batches are numbered by their first key, and of rows there is one lot.
        same = {"block": number, "batch": found[0].key, "rows": 0}[form]
        laid.setdefault((form, same), (form, found))
    start_ms = draw(st.integers(0, LAST_MS))
    end_ms = draw(st.integers(start_ms, LAST_MS + 1))
    in_order = sorted(laid.items(), key=lambda each: (each[0][0], each[0][1]))
    return Case(kind, [each for _, each in in_order], start_ms, end_ms)


def exact(values: object) -> str:
    """Tells 1, 1.0 and true apart, and 0.0 from -0.0."""
    return repr(values)


@given(case=cases())
def test_what_went_in_comes_out_in_order_and_exact(case: Case) -> None:
    """Takes two seconds: 100 files are made."""
    with tempfile.TemporaryDirectory() as folder:
        laid = Laid(Path(folder) / "telemetry.db", case.kind, NAMES)
        for form, found in case.laid:
            getattr(laid, form)(found)
        layouts = [laid.layout(each.layout) for each in case.wanted]
        laid.close()
        with Reader(laid.path) as reader:
            check_samples(reader, case)
            check_table(reader, case)
            check_segments(reader, case, layouts)


def check_samples(reader: Reader, case: Case) -> None:
    found = [*reader.samples("press", case.start_ms, case.end_ms)]

    assert exact([[*each.values.items()] for each in found]) == exact(
        [
            [(NAMES[position], value) for position, value in zip(w.layout, w.values, strict=True)]
            for w in case.wanted
        ]
    )
    assert [(each.stamp.ts_ms, each.stamp.monotonic_ms) for each in found] == [
        (each.ts_ms, each.ts_ms - OFFSET_MS) for each in case.wanted
    ]


def check_table(reader: Reader, case: Case) -> None:
    table = reader.table("press", case.start_ms, case.end_ms)

    offered = {position for each in case.wanted for position in each.layout}
    columns = sorted(offered) or [*range(len(NAMES))]
    assert [metric.name for metric in table.metrics] == [NAMES[each] for each in columns]
    assert [*table.rows] == [
        (each.ts_ms, ",".join(cell(of(each).get(column)) for column in columns))
        for each in case.wanted
    ]
    assert table.damaged == []


def check_segments(reader: Reader, case: Case, layouts: Sequence[int]) -> None:
    found = [*reader.segments("press", case.start_ms, case.end_ms)]

    joined = [
        (key, ts_ms, each.positions[layout], layout, clock)
        for each in found
        for key, ts_ms, layout, clock in zip(
            each.keys(), each.times(), each.layouts(), each.clocks(), strict=True
        )
    ]
    assert joined == [
        (each.key, each.ts_ms, each.layout, layout, 1)
        for each, layout in zip(case.wanted, layouts, strict=True)
    ]
    for position in range(len(NAMES)):
        cells = [value for each in found for value in each.cells(position, absent="absent")]
        assert exact(cells) == exact([of(each).get(position, "absent") for each in case.wanted])
    ends = (
        reader.first_ms("press", case.start_ms, case.end_ms),
        reader.has_data(case.start_ms, case.end_ms),
    )
    assert ends == (case.wanted[0].ts_ms if case.wanted else None, bool(case.wanted))


def of(sample: At) -> dict[int, Value]:
    return dict(zip(sample.layout, sample.values, strict=True))
