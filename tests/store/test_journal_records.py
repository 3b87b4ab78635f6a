"""The journal's records as bytes: whole, cut at each byte, with any byte changed, any garbage."""

from collections.abc import Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.model import Metric, MetricType, Reason, Stamp
from agent.store.records import Content, Decoder, Encoder, NameRecords, framed, frames
from agent.store.rows import encode
from agent.store.waiting import Dropped, Event, GapClosed, GapOpened, Known, WaitingRow, note_lost

I64 = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(max_size=20)
UTF8 = st.text(st.characters(codec="utf-8"), max_size=20)
VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**64), 2**64),
    st.booleans(),
    TEXTS,
    st.none(),
)
METRICS = st.builds(Metric, UTF8, UTF8, st.sampled_from(MetricType), UTF8)
KNOWN = st.builds(
    Known,
    st.text("abc", min_size=1, max_size=3),
    st.floats(0.01, 1e6),
    st.lists(METRICS, max_size=3).map(lambda found: {metric.name: metric for metric in found}),
    plain=st.booleans(),
)
DEVICES = ("press", "ä 😀", "host")


def row(device: str, stamp: Stamp, values: Mapping[str, object]) -> WaitingRow:
    return WaitingRow(device, stamp, tuple(values), encode(list(values.values())))  # type: ignore[arg-type]


EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        row, st.sampled_from(DEVICES), st.builds(Stamp, I64, I64), st.dictionaries(UTF8, VALUES)
    ),
    st.builds(GapOpened, st.sampled_from(DEVICES), I64, st.sampled_from(Reason), UTF8),
    st.builds(GapClosed, st.sampled_from(DEVICES), I64),
)


def encoded(events: Sequence[Event], known: Mapping[str, Known]) -> list[bytes]:
    """What one part has of each event."""
    encoder = Encoder(known, {}, NameRecords())
    return [b"".join(encoder.records(event)) for event in events]


def decoded(data: bytes) -> Content:
    content = Content()
    Decoder(content, set()).read(data)
    return content


@given(st.lists(EVENTS, max_size=12), st.fixed_dictionaries(dict.fromkeys(DEVICES, KNOWN)))
def test_what_is_written_is_read(events: list[Event], known: dict[str, Known]) -> None:
    content = decoded(b"".join(encoded(events, known)))

    assert content.events == events
    assert content.unread_bytes == 0
    assert content.known == {event.device: known[event.device] for event in events}


@given(st.lists(EVENTS, min_size=1, max_size=4), st.data())
def test_of_a_torn_end_what_is_whole_is_used_and_the_rest_is_counted(
    events: list[Event], data: st.DataObject
) -> None:
    records = encoded(events, dict.fromkeys(DEVICES, Known("s7", 1.0)))
    whole = b"".join(records)
    size = data.draw(st.integers(0, len(whole)))

    content = decoded(whole[:size])

    count = sum(sum(map(len, records[: number + 1])) <= size for number in range(len(records)))
    whole_bytes = max((end for _, end in frames(whole) if end <= size), default=0)
    assert content.events == events[:count]
    assert content.unread_bytes == size - whole_bytes


@settings(max_examples=300)
@given(
    st.lists(EVENTS, min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), min_size=1, max_size=3),
)
def test_of_damaged_bytes_only_whole_records_are_used(
    events: list[Event], changes: list[tuple[int, int]]
) -> None:
    data = bytearray(b"".join(encoded(events, dict.fromkeys(DEVICES, Known("s7", 1.0)))))
    before = bytes(data)
    for place, change in changes:
        data[place % len(data)] ^= change

    content = decoded(bytes(data))

    assert content.events == events[: len(content.events)]
    assert (content.unread_bytes > 0) == (bytes(data) != before)


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_garbage_is_no_event_and_no_crash(data: bytes) -> None:
    content = decoded(data)

    assert content.events == []
    assert content.unread_bytes == len(data)


@given(st.lists(EVENTS, min_size=1, max_size=12))
def test_what_was_dropped_is_read_where_its_part_is_gone_and_once(events: list[Event]) -> None:
    lost: dict[str, Dropped] = {}
    for event in events:
        note_lost(lost, event)
    encoder = Encoder(dict.fromkeys(DEVICES, Known("s7", 1.0)), {}, NameRecords())
    data = b"".join(encoder.dropped(7, lost)) + b"".join(encoder.dropped(7, lost))

    gone, there = Content(), Content()
    Decoder(gone, {8}).read(data)
    Decoder(there, {7, 8}).read(data)

    said = {name: one for name, one in lost.items() if one.first_ms is not None or one.opened}
    assert gone.dropped == said
    assert there.dropped == {}


def test_names_and_units_are_written_once() -> None:
    metrics = {f"metric {number}": Metric(f"metric {number}", "°C") for number in range(1000)}
    names = tuple(metrics)
    text = encode([0.5] * 1000)
    first, second = encoded(
        [WaitingRow("press", Stamp(n, n), names, text) for n in range(2)],
        {"press": Known("s7", 1.0, metrics)},
    )

    assert len(first) > 20_000
    assert len(second) < len(text) + 50


def test_a_description_that_changes_is_written_again() -> None:
    known = {"press": Known("s7", 1.0, {"a": Metric("a", "bar")})}
    encoder = Encoder(known, {}, NameRecords())
    data = b"".join(encoder.records(GapClosed("press", 1)))
    known["press"] = Known("s7", 1.0, {"a": Metric("a", "mbar")})

    data += b"".join(encoder.records(GapClosed("press", 2)))

    assert decoded(data).known == known


def test_what_the_file_knows_already_is_not_described_again() -> None:
    metrics = {"a": Metric("a", "bar")}
    encoder = Encoder({"press": Known("s7", 1.0, metrics)}, {"press": metrics}, NameRecords())

    content = decoded(b"".join(encoder.records(GapClosed("press", 1))))

    assert content.known == {"press": Known("s7", 1.0)}


def test_a_device_of_the_first_version_is_plain_if_it_is_a_host() -> None:
    data = b"".join(
        piece
        for number, kind in enumerate(("s7", "host"))
        for piece in framed(
            b"V", f'[{number},"{kind} 1","{kind}",1.5,[["a","bar","float",""]]]'.encode()
        )
    )

    content = decoded(data)

    metrics = {"a": Metric("a", "bar")}
    assert content.known == {
        "s7 1": Known("s7", 1.5, metrics, plain=False),
        "host 1": Known("host", 1.5, metrics, plain=True),
    }
