"""What becomes of writes to the simulated PLC, and that every one is counted."""

from collections.abc import Iterator

import pytest

from hw_sim.s7 import S7Simulator
from tests.hw_sim.raw_s7 import READ_DB1, RawClient, item, job

BIT = 0x01


@pytest.fixture
def plc() -> Iterator[S7Simulator]:
    with S7Simulator(frozen=True, writable=True) as simulator:
        yield simulator


@pytest.fixture
def client(plc: S7Simulator) -> Iterator[RawClient]:
    with RawClient(plc.port) as raw:
        yield raw.set_up()


def test_writes_are_applied_counted_and_told() -> None:
    told: list[str] = []

    with S7Simulator(
        frozen=True, writable=True, on_write=lambda write: told.append(write.describe())
    ) as plc:
        with RawClient(plc.port) as client:
            client.set_up()
            both = [item(1, 11, 1), item(1, 4, 2)]
            answer = client.ask(job(5, both, "00 04 00 08 07 00 00 04 00 10 00 10"))
            client.ask(job(5, [item(1, 10, 1, word_length=BIT)], "00 03 00 01 00"))
            client.ask(job(5, [item(2, 61, 1)], "00 04 00 08 05"))

        assert answer.endswith("05 02 ff ff")
        assert plc.get_bytes(1, 4, 8).hex(" ") == "00 10 3f a0 00 00 00 07"
        assert plc.write_requests == 3
        assert told == [
            "write DB1.DBB11 = 07 (mode_ro = 7)",
            "write DB1.DBB4 = 00 10 (temperature = 16)",
            "write DB1.DBX10.0 = 00 (alarm = false)",
            "write DB2.DBB61 = 05 (part of string)",
        ]


def test_a_read_only_plc_refuses_writes_and_counts_them() -> None:
    with S7Simulator(frozen=True) as plc, RawClient(plc.port) as client:
        client.set_up()

        answer = client.ask(job(5, [item(1, 11, 1)], "00 04 00 08 07"))

        assert answer.endswith("05 01 03")
        assert plc.get_bytes(1, 11, 1) == b"\x5a"
        assert plc.write_requests == 1


def test_reads_are_no_write_requests_but_a_stop_is(plc: S7Simulator, client: RawClient) -> None:
    client.ask(READ_DB1)
    reads = plc.write_requests

    client.ask("03 00 00 12 02 F0 80 32 01 00 00 00 02 00 01 00 00 29")

    assert (reads, plc.write_requests, plc.requests) == (0, 1, 2)


@pytest.mark.parametrize("data", ["00 04 00 10 07 08", "00 04 00 08", ""])
def test_a_write_with_the_wrong_length_changes_nothing(
    plc: S7Simulator, client: RawClient, data: str
) -> None:
    answer = client.ask(job(5, [item(1, 11, 1)], data))

    assert not answer.endswith("ff")
    assert plc.get_bytes(1, 11, 1) == b"\x5a"
