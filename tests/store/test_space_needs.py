"""When samples go for lack of room, how many, and when none do."""

import pytest

from agent.store.needs import FORBEARANCE_S, PATIENCE_S, Disk, Need, Size, margin
from agent.store.room import Held, Room

MB = 1_000_000
GB = 1000 * MB
LATER_S = PATIENCE_S + 1


def held(taken_mb: float, free_mb: float = 0.0, log_mb: float = 0.0, holes_mb: float = 0.0) -> Held:
    """A store that takes so much; the holes come on top of that."""
    on_disk = round((taken_mb - log_mb) * MB)
    free = round((free_mb + holes_mb) * MB)
    return Held(1024, on_disk + round(holes_mb * MB), on_disk, round(log_mb * MB), free)


def room(percent: float, total: int = 32 * GB) -> Room:
    return Room(total, total, round(total * (1 - percent / 100)))


def need_of(disk: Disk, percent: float, store: Held, newest_day: int = 0, s: float = 0.0) -> Need:
    return disk.need(s, room(percent), store, lambda: newest_day)


def full_for_long(store: Held, percent: float = 91.0, newest_day: int = 0) -> tuple[Disk, Need]:
    """A file system that is full since about a minute."""
    disk = Disk(90.0)
    need_of(disk, percent, store)
    return disk, need_of(disk, percent, store, newest_day, LATER_S)


def test_holes_are_not_taken_and_not_free_for_new_samples() -> None:
    store = held(100, free_mb=10, log_mb=4, holes_mb=30)

    assert (store.taken, store.reusable, store.in_use) == (100 * MB, 10 * MB, 90 * MB)


def test_a_store_below_its_size_needs_nothing() -> None:
    assert Size(1000).need(held(900)) == Need()


def test_at_its_size_it_is_to_have_room_for_some_time() -> None:
    store = held(1040)
    few = margin(store)

    need = Size(1000).need(store)

    assert few == 1040 * MB // 32
    assert need.delete == 1040 * MB + 2 * few - (1000 << 20)
    assert need.give_back == 0
    assert need.text == (
        "the store takes 991.8 MiB, max_size_mb is 1000: the oldest samples are deleted"
    )


def test_what_is_beyond_its_size_is_given_back() -> None:
    need = Size(100).need(held(900, free_mb=850))

    assert (need.delete, need.text) == (0, "")
    assert need.give_back > 900 * MB - (100 << 20)


def test_a_log_that_a_reader_made_long_costs_no_samples() -> None:
    assert Size(1000).need(held(2000, log_mb=1100)) == Need()


def test_a_size_that_was_reached_is_told_until_there_is_room_for_some_time() -> None:
    size = Size(1000)
    states = [bool(size.need(store).state) for store in (held(1030), held(1000), held(800))]

    assert states == [True, True, False]


def test_a_file_system_with_room_needs_nothing() -> None:
    assert need_of(Disk(90.0), 90.0, held(1000)) == Need()


def test_one_that_is_full_for_a_moment_costs_no_samples() -> None:
    disk = Disk(90.0)

    at_once = need_of(disk, 91, held(1000))
    soon = need_of(disk, 91, held(1000), s=PATIENCE_S - 1)
    over = need_of(disk, 80, held(1000), s=PATIENCE_S)

    assert [need.delete for need in (at_once, soon, over)] == [0, 0, 0]
    assert at_once.text == soon.text
    assert over.text == ""


def test_the_look_after_a_minute_counts_as_one_also_if_it_comes_early() -> None:
    disk = Disk(90.0)
    need_of(disk, 91, held(1000), s=10.03)

    assert need_of(disk, 91, held(1000), s=70.0).delete > 0


def test_one_that_stays_full_gets_back_what_it_lacks_and_some_more() -> None:
    store = held(1000)
    _, need = full_for_long(store)

    lacking = round(32 * GB * 0.01)
    assert need.delete == lacking + margin(store)
    assert need.give_back == lacking + margin(store) // 2
    assert need.why == "the disk was more than 90 % full"


def test_where_the_log_has_no_room_to_grow_deleting_does_not_make_it_longer() -> None:
    _, early = full_for_long(held(4000))
    _, late = full_for_long(held(8000), percent=99.9)

    assert (early.delete > 0, early.spares_log) == (True, False)
    assert (late.delete > 0, late.give_back > 0, late.spares_log) == (True, True, True)


def test_what_is_free_in_the_file_goes_first() -> None:
    _, need = full_for_long(held(1000, free_mb=500))

    assert need.delete == 0
    assert need.give_back > 320 * MB


@pytest.mark.parametrize(("store_mb", "newest_day_mb"), [(300, 0), (1000, 700)])
def test_where_that_would_not_help_nothing_goes(store_mb: int, newest_day_mb: int) -> None:
    _, need = full_for_long(held(store_mb), newest_day=newest_day_mb * MB)

    assert (need.delete, need.give_back) == (0, 0)
    assert "not the store, but something else fills it" in need.text


def test_what_gave_way_gives_no_more_than_it_grew_since() -> None:
    disk, _ = full_for_long(held(2000))
    disk.gave_way(LATER_S, held(1600))

    again = need_of(disk, 91, held(1600), s=2 * LATER_S)
    grown = need_of(disk, 91, held(2000), s=3 * LATER_S)
    weeks_later = need_of(disk, 91, held(1600), s=LATER_S + FORBEARANCE_S)

    assert (again.delete, again.give_back) == (0, 0)
    assert 320 * MB < grown.delete <= 400 * MB
    assert weeks_later.delete > 320 * MB


def test_on_one_that_is_as_good_as_full_the_oldest_make_room_for_the_newest() -> None:
    store = held(100)
    _, need = full_for_long(store, percent=99.9)

    assert (need.delete, need.give_back, need.spares_log) == (margin(store), 0, True)


def test_on_one_that_takes_no_room_back_nothing_goes_before_it_is_as_good_as_full() -> None:
    disk, _ = full_for_long(held(4000))
    disk.takes_back = False

    early = need_of(disk, 91, held(4000), s=2 * LATER_S)
    late = need_of(disk, 99.9, held(4000), s=3 * LATER_S)

    assert early.delete == 0 < late.delete
    assert "takes no room back" in early.text


def test_what_samples_leave_free_is_enough_at_the_next_look() -> None:
    disk, first = full_for_long(held(1000))

    second = need_of(disk, 91, held(1000, free_mb=first.delete / MB), s=2 * LATER_S)

    assert second.delete == 0
    assert second.give_back > 320 * MB


def test_the_state_is_the_same_until_there_is_more_room_than_asked_for() -> None:
    disk, need = full_for_long(held(1000))

    assert need_of(disk, 89.5, held(1000), s=2 * LATER_S).state == need.state
    assert need_of(disk, 87.5, held(1000), s=3 * LATER_S).state == ""


def test_a_file_system_that_counts_nothing_is_never_full() -> None:
    assert Disk(90.0).need(0.0, Room(0, 0, 0), held(10), lambda: 0) == Need()
