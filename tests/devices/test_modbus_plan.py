"""The fewest requests, none of which asks for more than a device may answer."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.devices.modbus.options import Options, Tag
from agent.devices.modbus.plan import Block, Limits, PlannedTag, Request, make_plan, odd_request

ALL = Limits(125, 2000, 8)
TIGHT = Limits(125, 2000, 0)


def planned(*addresses: str) -> tuple[PlannedTag, ...]:
    """Tags named by their addresses; ``2/HR5:INT16`` is of unit 2."""
    tags = []
    for text in addresses:
        unit, slash, address = text.rpartition("/")
        tags.append(Tag(text, address, unit_id=int(unit) if slash else None))
    return Options("meter", tag=tuple(tags)).planned_tags()


def asked(blocks: tuple[Block, ...]) -> list[str]:
    return [f"{block.request.unit_id}/{block.request.text}" for block in blocks]


def test_neighbours_travel_together_whatever_their_order() -> None:
    tags = planned("HR4:UINT64", "HR0:UINT32", "HR3.7", "HR2:INT16")

    (block,) = make_plan(tags, TIGHT)

    assert block.request == Request(1, "HR", 0, 8)
    assert [tag.name for tag in block.tags] == ["HR0:UINT32", "HR2:INT16", "HR3.7", "HR4:UINT64"]


def test_units_and_tables_are_asked_for_one_by_one() -> None:
    tags = planned("HR0:INT16", "2/HR1:INT16", "IR1:INT16", "CO1", "DI1")

    assert asked(make_plan(tags, ALL)) == ["1/CO1", "1/DI1", "1/HR0", "1/IR1", "2/HR1"]


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        (0, ["1/HR0 to HR1", "1/HR4", "1/HR13"]),
        (2, ["1/HR0 to HR4", "1/HR13"]),
        (8, ["1/HR0 to HR13"]),
    ],
)
def test_small_gaps_are_read_as_well(gap: int, expected: list[str]) -> None:
    tags = planned("HR0:INT16", "HR1:INT16", "HR4:INT16", "HR13:INT16")

    assert asked(make_plan(tags, Limits(125, 2000, gap))) == expected


def test_no_value_is_torn_at_the_end_of_a_request() -> None:
    tags = planned("HR0:INT16", "HR1:FLOAT64", "HR5:UINT32", "HR7:INT16")

    assert asked(make_plan(tags, Limits(6, 2000, 0))) == ["1/HR0 to HR4", "1/HR5 to HR7"]


def test_tags_in_the_same_registers_are_read_once() -> None:
    tags = planned("HR0:UINT32", "HR0:UINT16", "HR1.3", "HR0:STRING(8)")

    assert asked(make_plan(tags, TIGHT)) == ["1/HR0 to HR3"]


def test_bits_have_a_limit_of_their_own() -> None:
    tags = planned("CO0", "CO9", "CO10")

    assert asked(make_plan(tags, Limits(1, 10, 8))) == ["1/CO0 to CO9", "1/CO10"]


def test_cuts_begin_requests() -> None:
    tags = planned("HR0:INT16", "HR1:INT16", "HR2:INT16")

    assert asked(make_plan(tags, ALL, {"HR1:INT16"})) == ["1/HR0", "1/HR1 to HR2"]


def test_a_refused_block_is_cut_at_its_gaps_first() -> None:
    tags = planned("HR0:UINT32", "HR1:INT16", "HR4:INT16", "HR5:INT16", "HR8:INT16")
    (block,) = make_plan(tags, ALL)

    assert block.cuts() == {"HR4:INT16", "HR8:INT16"}


def test_a_refused_block_without_gaps_is_halved() -> None:
    tags = planned("HR0:INT16", "HR1:INT16", "HR2:INT16", "HR3:INT16")
    (block,) = make_plan(tags, ALL)

    assert block.cuts() == {"HR2:INT16"}


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (("HR0:UINT64", "HR4:UINT32"), Request(1, "HR", 0, 5)),
        (("HR0:UINT32",), Request(1, "HR", 0, 1)),
        (("HR0:INT16",), Request(1, "HR", 0, 2)),
        (("HR65535:INT16",), Request(1, "HR", 65534, 2)),
        (("CO0",), Request(1, "CO", 0, 9)),
    ],
)
def test_an_odd_request_has_an_answer_of_another_size(
    tags: tuple[str, ...], expected: Request
) -> None:
    assert odd_request(make_plan(planned(*tags), ALL), set(), ALL) == expected


def test_an_odd_request_differs_from_all_answers_under_way() -> None:
    blocks = make_plan(planned("HR0:UINT64"), ALL)

    odd = odd_request(blocks, {("HR", 6), ("HR", 2), ("IR", 4)}, ALL)

    assert odd == Request(1, "HR", 0, 2)


def test_there_may_be_no_odd_request() -> None:
    limits = Limits(1, 8, 0)

    assert odd_request(make_plan(planned("HR0:INT16"), limits), set(), limits) is None


addresses = st.builds(
    "{}/{}{}{}".format,
    st.integers(1, 3),
    st.sampled_from(["HR", "IR"]),
    st.integers(0, 300),
    st.sampled_from([":INT16", ":UINT32", ":FLOAT64", ".3", ":STRING(20)"]),
)


@given(
    st.lists(addresses | st.builds("1/CO{}".format, st.integers(0, 300)), max_size=40, unique=True),
    st.integers(10, 125),
    st.integers(1, 2000),
    st.integers(0, 20),
    st.randoms(),
)
def test_every_tag_lies_whole_in_one_request_within_the_limits(
    names: list[str], registers: int, bits: int, gap: int, random: Random
) -> None:
    tags = planned(*names)
    limits = Limits(registers, bits, gap)
    cuts = {name for name in names if random.random() < 0.1}

    blocks = make_plan(tags, limits, cuts)

    assert sorted(tag.name for block in blocks for tag in block.tags) == sorted(names)
    for block in blocks:
        request = block.request
        assert request.count <= limits.of(request.area)
        assert {(tag.unit_id, tag.address.area) for tag in block.tags} == {
            (request.unit_id, request.area)
        }
        assert all(
            request.start <= tag.address.start and tag.address.end <= request.start + request.count
            for tag in block.tags
        )
        if len(block.tags) > 1:
            cut = make_plan(block.tags, limits, cuts | block.cuts())
            assert len(cut) > 1
