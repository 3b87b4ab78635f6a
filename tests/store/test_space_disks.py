"""A file system that fills up, for real: the store gives way, but its history is not eaten."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.proofs.small_disk import SmallDisk, missing_disk
from tests.store.space_on_disk import HOURS

ROOT = Path(__file__).parent.parent.parent
EACH = 100 * 100 + 1  # samples of a device at first

pytestmark = pytest.mark.skipif(bool(missing_disk()), reason=missing_disk())


def told_by(folder: Path, steps: str) -> Any:
    """What some steps came to on a file system of their own."""
    with SmallDisk(folder, "32m") as disk:
        command = [*disk.prefix, sys.executable, "-m", "tests.store.space_on_disk", str(folder)]
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [*command, steps], env=environ, capture_output=True, text=True, timeout=300
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """All steps in one go, as they take some seconds."""
    return told_by(tmp_path_factory.mktemp("small") / "disk", "main")


def test_a_full_file_system_is_told_before_anything_goes(told: Any) -> None:
    facts = told["at once"]

    assert facts["samples"] == told["before"]["samples"] == dict.fromkeys(facts["samples"], EACH)
    assert facts["texts"] == facts["said"]
    assert facts["said"] == [
        "the disk is 93.0 % full, max_disk_percent is 90: "
        "if it stays so for a minute, the oldest samples are deleted"
    ]


def test_the_store_gives_way_and_says_what_went(told: Any) -> None:
    facts = told["a minute later"]

    assert facts["percent"] < 90
    assert facts["on_disk"] < told["before"]["on_disk"]
    assert max(facts["samples"].values()) < EACH
    assert len(facts["said"]) == 2
    assert facts["said"][0].endswith("the oldest samples are deleted")
    assert facts["said"][1].startswith("deleted, because the disk was more than 90 % full: ")
    assert all(f" of {device} from 2026-08-11T" in facts["said"][1] for device in facts["samples"])


def test_its_history_does_not_go_for_what_others_write(told: Any) -> None:
    facts = told["filled again"]

    assert facts["samples"] == told["a minute later"]["samples"]
    assert facts["texts"] == [
        "the disk is 93.0 % full, max_disk_percent is 90: not the store, but something else "
        "fills it; nothing is deleted until it is as good as full"
    ]


def test_on_a_file_system_without_any_room_the_newest_take_the_place_of_the_oldest(
    told: Any,
) -> None:
    facts = told["full for days"]

    assert told["failed"] == 0
    assert facts["percent"] == pytest.approx(100, abs=0.5)
    assert facts["texts"][0].endswith("the oldest samples make room for the newest")
    assert facts["samples"]["oven"] < told["filled again"]["samples"]["oven"]
    assert told["newest"] == f"{HOURS * 10:06d}" * 2000
    assert told["sound"]


def test_a_file_system_that_is_full_at_once_costs_no_new_sample_either(tmp_path: Path) -> None:
    """The log is short yet, and what is in it lies behind the end of the file."""
    told = told_by(tmp_path / "disk", "at_once")

    assert told["failed"] == 0
    assert told["after"]["percent"] < 90
    assert told["after"]["samples"]["oven"] < told["before"]["samples"]["oven"]
    assert told["newest"] == f"{HOURS * 10:06d}" * 2000
    assert told["sound"]


def test_with_room_again_there_is_nothing_to_say(told: Any) -> None:
    assert told["with room again"]["texts"] == []
    assert told["with room again"]["samples"] == told["full for days"]["samples"]
