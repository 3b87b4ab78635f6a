"""What upkeep does about damage, a little at a time: it finds it, and saves what was set aside."""

import logging
import random
import sqlite3
from pathlib import Path

import pytest

from agent.model import Reason
from agent.store.repair.checking import AGAIN_S, FIRST_S, CheckStore
from agent.store.repair.saving import SaveSetAside
from tests.fakes import FakeClock
from tests.store.repair.damaged import PAGE, aside, fill, overwrite
from tests.store.test_failures import messages
from tests.store.upkept import Upkept


@pytest.fixture
def upkept(tmp_path: Path, clock: FakeClock) -> Upkept:
    return Upkept(tmp_path / "telemetry.db", clock)


def written_back(upkept: Upkept) -> None:
    """All is in the file itself; the store is open."""
    connection = sqlite3.connect(upkept.path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def run(upkept: Upkept) -> None:
    """Upkeep, until there is nothing to do."""
    while upkept.upkeep.run() is not None:
        pass


def test_damage_deep_in_the_file_is_found_and_what_is_left_is_saved(
    upkept: Upkept, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    upkept.plain = True
    upkept.restart()
    fill(upkept, 300, "host")
    written_back(upkept)
    text = b",50,25.0,"
    overwrite(
        upkept.path,
        upkept.path.read_bytes().index(text) // PAGE * PAGE,
        random.Random(2).randbytes(PAGE),
    )
    upkept.restart(in_order=True)
    clock.advance(1)
    upkept.put("host", n=300)
    assert upkept.store.flush()
    clock.advance(FIRST_S)

    run(upkept)
    upkept.put("host", n=301)
    assert upkept.store.flush()
    run(upkept)

    numbers = [values["n"] for values in upkept.values("host")]
    missing = {*range(302)} - {*numbers}
    assert len(aside(upkept.path)) == 1
    assert 0 < len(missing) < 40
    assert 50 in missing
    gaps = [gap for gap in upkept.gaps("host") if gap.reason is Reason.DAMAGED]
    assert len(gaps) == 1
    assert any(
        "samples of" in text and "are in the store now" in text
        for text in messages(caplog, logging.INFO)
    )
    assert any(f"host: about {len(missing)} samples from" in text for text in messages(caplog))
    upkept.close()


def test_a_damaged_block_stays_and_is_a_gap(upkept: Upkept, clock: FakeClock) -> None:
    fill(upkept, 60)
    clock.advance(5000)
    fill(upkept, 10)
    run(upkept)
    (data,) = upkept.sql("SELECT data FROM block")[0]
    assert isinstance(data, bytes)
    upkept.execute(f"UPDATE block SET data = x'{(data[:-9] + b'x' + data[-8:]).hex()}'")
    clock.advance(AGAIN_S)

    run(upkept)

    (gap,) = [gap for gap in upkept.gaps() if gap.reason is Reason.DAMAGED]
    assert gap.detail == "60 samples lost, block 1 is damaged"
    assert aside(upkept.path) == []
    upkept.close()


def test_the_check_comes_again_after_a_week(upkept: Upkept, clock: FakeClock) -> None:
    fill(upkept, 5)
    found: list[str] = []
    check = CheckStore(upkept.upkeep.workplace, clock, found.append)

    def calls() -> int:
        return sum(check() for _ in range(50))

    counts = []
    for wait_s in (0.0, FIRST_S, FIRST_S, AGAIN_S):
        clock.advance(wait_s)
        counts.append(calls())

    assert counts[0] == counts[2] == 0
    assert counts[1] == counts[3] > 0
    assert found == []
    upkept.close()


def test_a_file_that_cant_be_saved_is_said_once_and_left(
    upkept: Upkept, caplog: pytest.LogCaptureFixture
) -> None:
    fill(upkept, 5)
    bad = upkept.path.with_name("telemetry.db.damaged-20260101T000000Z")
    bad.write_bytes(b"nothing of ours")
    step = SaveSetAside(upkept.upkeep.workplace)

    while step():
        pass

    assert not step()
    assert bad.read_bytes() == b"nothing of ours"
    assert len(upkept.values()) == 5
    upkept.close()
