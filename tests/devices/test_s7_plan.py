"""Tags are merged into few reads that fit the PDU, and none is split over two."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.devices.s7.address import parse
from agent.devices.s7.plan import Plan, PlannedTag, make_plan
from agent.devices.s7.types import TYPES

SIZES = st.sampled_from([name for name in TYPES if name not in {"COUNTER", "TIMER", "BOOL"}])


def tags(*addresses: str) -> list[PlannedTag]:
    """Tags named like their addresses."""
    parsed = [parse(address) for address in addresses]
    return [PlannedTag(one.canonical, one, one.decoder()) for one in parsed]


def items(plan: Plan) -> list[list[tuple[int, int, int]]]:
    """(block, start, size) of every item, by job."""
    return [[(r.item.db, r.item.start, r.item.size) for r in job.ranges] for job in plan.jobs]


def test_neighbours_are_one_item() -> None:
    course = tags("DB1.DBB11", "DB1.DBD0:DINT", "DB1.DBW4:INT", "DB1.DBD6:REAL", "DB1.DBX10.0")

    plan = make_plan(course, 480, 32)

    assert items(plan) == [[(1, 0, 12)]]


@pytest.mark.parametrize(
    ("gap", "expected"), [(32, [[(1, 0, 36)]]), (29, [[(1, 0, 2), (1, 32, 4)]])]
)
def test_gaps_up_to_the_limit_are_read_too(gap: int, expected: object) -> None:
    plan = make_plan(tags("DB1.DBW0:INT", "DB1.DBD32:REAL"), 480, gap)

    assert items(plan) == expected


def test_blocks_and_areas_travel_in_one_request_as_items_of_their_own() -> None:
    plan = make_plan(tags("DB1.DBW0:INT", "DB2.DBW0:INT", "MW0:INT", "C1", "C2"), 480, 32)

    assert [len(job.ranges) for job in plan.jobs] == [5]
    assert plan.torn == ()


def test_at_most_20_items_travel_together_and_19_at_a_pdu_of_240() -> None:
    blocks = tags(*(f"DB{number}.DBW0:INT" for number in range(1, 41)))

    assert [len(job.ranges) for job in make_plan(blocks, 480, 32).jobs] == [20, 20]
    assert [len(job.ranges) for job in make_plan(blocks, 240, 32).jobs] == [19, 19, 2]


def test_a_block_that_fits_one_request_is_not_torn_for_the_sake_of_the_one_before() -> None:
    halves = tags("DB1.DBB0:STRING[140]", "DB2.DBB0:STRING[60]", "DB2.DBB200:STRING[60]")

    plan = make_plan(halves, 240, 0)

    assert items(plan) == [[(1, 0, 142)], [(2, 0, 62), (2, 200, 62)]]
    assert plan.torn == ()


def test_a_block_that_needs_two_requests_is_called_torn() -> None:
    plan = make_plan(tags("DB1.DBB0:STRING[150]", "DB1.DBB152:STRING[150]"), 240, 32)

    assert items(plan) == [[(1, 0, 152)], [(1, 152, 152)]]
    assert plan.torn == ("DB1",)


def test_a_tag_longer_than_an_answer_is_read_in_pieces_and_named() -> None:
    plan = make_plan(tags("DB1.DBW0:INT", "DB1.DBB2:STRING[254]", "DB1.DBW258:INT"), 240, 32)

    assert [tag.name for tag in plan.cut] == ["DB1.DBB2:STRING[254]"]
    assert items(plan) == [[(1, 0, 2)], [(1, 2, 222)], [(1, 224, 34), (1, 258, 2)]]


def test_tags_kept_apart_are_not_merged() -> None:
    words = tags("DB1.DBW0:INT", "DB1.DBW2:INT", "DB1.DBW4:INT", "DB1.DBW6:INT")

    plan = make_plan(words, 480, 32, {words[1].name})

    assert items(plan) == [[(1, 0, 2), (1, 2, 2), (1, 4, 4)]]


def test_no_tags_are_no_requests() -> None:
    assert make_plan([], 480, 32).jobs == ()


@st.composite
def layouts(draw: st.DrawFn) -> list[PlannedTag]:
    places = draw(
        st.lists(
            st.tuples(st.integers(1, 4), st.integers(0, 800), SIZES, st.integers(1, 254)),
            max_size=60,
        )
    )
    planned = []
    for number, (db, start, name, length) in enumerate(places):
        suffix = f"[{length}]" if TYPES[name].char_size else ""
        address = parse(f"DB{db}:{start}:{name}{suffix}")
        planned.append(PlannedTag(str(number), address, address.decoder()))
    return planned


@given(layouts(), st.integers(64, 960), st.integers(0, 200))
def test_every_plan_fits_the_pdu_both_ways_and_covers_each_tag_once(
    planned: Sequence[PlannedTag], pdu: int, gap: int
) -> None:
    plan = make_plan(planned, pdu, gap)

    covered: dict[str, int] = {}
    for job in plan.jobs:
        padded = sum(size + size % 2 for size in job.sizes[:-1]) + job.sizes[-1]
        assert len(job.request) - 7 == 12 + 12 * len(job.ranges) <= pdu
        assert 14 + 4 * len(job.sizes) + padded <= pdu
        assert len(job.sizes) <= 20
        for one in job.ranges:
            for field in one.fields:
                address = field.tag.address
                part = one.item.size if one.is_piece else address.size
                covered[field.tag.name] = covered.get(field.tag.name, 0) + part
                assert one.item.start + field.offset >= address.start
                assert one.is_piece or field.offset + address.size <= one.item.size
    assert covered == {tag.name: tag.address.size for tag in planned}
