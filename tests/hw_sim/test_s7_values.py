"""What the simulated PLC holds, and how it moves."""

import struct

import pytest

from hw_sim.s7 import DB1_TAGS, DB2_SIZE, DB2_TAGS, S7Simulator
from hw_sim.s7.tags import show


def test_values_move_with_the_clock_and_the_seed() -> None:
    now = [1000.0]
    first, same, other = (S7Simulator(seed=seed, clock=lambda: now[0]) for seed in (1, 1, 2))
    before = first.get_bytes(1, 0, 12)

    now[0] += 60

    after = [plc.get_bytes(1, 0, 12) for plc in (first, same, other)]
    counter, temperature, pressure = struct.unpack_from(">ihf", after[0])
    assert before.hex() == "0001e240ff293fa00000015a"
    assert after[0] == after[1] != after[2]
    assert counter == 123456 + 240
    assert abs(temperature + 215) < 50
    assert 1.0 < pressure < 1.5
    assert after[0][11] == 0x5A


def test_a_year_without_a_look_is_no_work() -> None:
    now = [0.0]
    plc = S7Simulator(clock=lambda: now[0])

    now[0] = 365 * 86400.0

    assert int.from_bytes(plc.get_bytes(1, 0, 4)) == 123456 + 4 * 365 * 86400


def test_the_alarm_comes_and_goes() -> None:
    now = [0.0]
    plc = S7Simulator(clock=lambda: now[0])
    seen = set()

    for _ in range(1000):
        now[0] += 0.25
        seen.add(plc.get_bytes(1, 10, 1))

    assert seen == {b"\0", b"\1"}


def test_values_move_on_from_what_was_set_unless_frozen() -> None:
    now = [0.0]
    plc = S7Simulator(clock=lambda: now[0])

    plc.set_bytes(1, 0, (7).to_bytes(4) + bytes.fromhex("0000 7FC00000"))
    now[0] += 1
    moved = struct.unpack_from(">if", plc.get_bytes(1, 0, 4) + plc.get_bytes(1, 6, 4))
    plc.freeze()
    now[0] += 10
    frozen = plc.get_bytes(1, 0, 4)

    assert moved == (11, pytest.approx(1.25, abs=0.1))
    assert frozen == (11).to_bytes(4)


def test_every_data_block_tag_lies_inside_and_overlaps_no_other() -> None:
    ends = [0]

    for tag in (tag for tag in DB2_TAGS if tag.bit is None):
        assert tag.offset >= ends[-1]
        ends.append(tag.offset + len(tag.data))

    assert ends[-1] <= DB2_SIZE


def test_tags_are_shown_as_people_write_them() -> None:
    shown = {tag.name: show(tag, tag.data) for tag in (*DB1_TAGS, *DB2_TAGS)}

    assert shown["pressure"] == "pressure = 1.25"
    assert shown["string"] == "string = 'Hello'"
    assert shown["char"] == "char = 'Z'"
    assert shown["flag_on"] == "flag_on = true"
    assert shown["date"] == "date = 31 f1"
