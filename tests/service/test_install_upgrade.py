"""From one version to the next, and back when the next is not well."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.errors import AgentError, StoreError
from agent.store.schema import VERSION
from tests.service.installing import (
    CONFIG,
    Shown,
    files_below,
    make_store,
    places_of,
    run_install,
)
from tests.service.system import System

OLD, NEW = "1.0.0-01234567", "1.1.0-01234567"
State = dict[str, Any]


def installed(system: System) -> str:
    """The version that the command starts."""
    said = subprocess.check_output([places_of(system).command, "version", "--json"])
    return str(json.loads(said)["agent"])


def folders(system: System) -> list[str]:
    return sorted(path.name for path in places_of(system).versions.iterdir())


def test_a_healthy_new_version_takes_over(system: System) -> None:
    run_install(system, "1.0.0")

    run_install(system, "1.1.0")

    assert installed(system) == "1.1.0"
    assert system.starts == 2
    assert folders(system) == [OLD, NEW]


def test_only_the_version_before_is_kept(system: System) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        run_install(system, version)

    assert folders(system) == [NEW, "1.2.0-01234567"]


def test_another_build_of_the_same_version_is_another_version(system: System) -> None:
    run_install(system, "1.0.0")

    run_install(system, "1.0.0", build="fedcba9876543210")

    assert system.starts == 2
    assert folders(system) == [OLD, "1.0.0-fedcba98"]


def silent(state: State) -> None:
    state["version"] = "0.9"


def not_storing(state: State) -> None:
    state["store"]["error"] = "disk is full"


def never_committing(state: State) -> None:
    state["store"]["last_commit_ms"] = None


def ill(state: State) -> None:
    state["devices"][0] |= {"is_well": False, "error": "no answer"}


def unasked(state: State) -> None:
    state["devices"][0] |= {"is_well": None, "polls": 0}


@pytest.mark.parametrize(
    ("behaviour", "text"),
    [
        (silent, "version 0.9 runs"),
        (not_storing, "disk is full"),
        (never_committing, "no sample is stored"),
        (ill, "host was well before, and is not: no answer"),
        (unasked, "host was well before, and is not: no answer yet"),
    ],
)
def test_a_version_that_is_not_healthy_in_time_is_taken_back(
    system: System, behaviour: Callable[[State], None], text: str
) -> None:
    run_install(system, "1.0.0")
    before = files_below(system.root / "usr") | files_below(system.root / "etc")
    system.behaviour["1.1.0"] = behaviour
    began_s = system.clock.monotonic()
    shown = Shown()

    with pytest.raises(AgentError, match=text):
        run_install(system, "1.1.0", shown=shown)

    assert 60 <= system.clock.monotonic() - began_s < 75
    assert files_below(system.root / "usr") | files_below(system.root / "etc") == before
    assert installed(system) == "1.0.0"
    assert (system.active, system.enabled) == ("active", True)
    assert "agent 1.0.0 runs again and is healthy" in shown.text
    assert "it failed" in shown.text  # the journal


def test_a_version_that_ends_at_once_is_taken_back_at_once(system: System) -> None:
    run_install(system, "1.0.0")
    system.behaviour["1.1.0"] = system.crash
    began_s = system.clock.monotonic()

    with pytest.raises(AgentError, match="it ended"):
        run_install(system, "1.1.0")

    assert system.clock.monotonic() - began_s < 10
    assert installed(system) == "1.0.0"


def test_a_device_that_was_ill_before_does_not_matter(system: System) -> None:
    system.behaviour = {"1.0.0": ill, "1.1.0": ill}
    run_install(system, "1.0.0")

    shown = run_install(system, "1.1.0")

    assert installed(system) == "1.1.0"
    assert "host is not well: no answer" in shown.text


def test_a_service_that_did_not_run_before_an_upgrade_that_fails_is_left_stopped(
    system: System,
) -> None:
    run_install(system, "1.0.0")
    system.run("/usr/bin/systemctl", "stop", "agent.service")
    system.behaviour["1.1.0"] = system.crash

    with pytest.raises(AgentError, match="not healthy"):
        run_install(system, "1.1.0")

    assert (system.active, installed(system)) == ("inactive", "1.0.0")


def test_a_former_version_that_does_not_come_back_is_said(system: System) -> None:
    run_install(system, "1.0.0")
    system.behaviour |= {"1.0.0": system.crash, "1.1.0": system.crash}
    shown = Shown()

    with pytest.raises(AgentError, match=r"agent 1\.1\.0 is not healthy"):
        run_install(system, "1.1.0", shown=shown)

    assert "agent 1.0.0 was started again, but it ended" in shown.text


def with_data(system: System) -> Path:
    """A machine with an older version, and a store that was written."""
    run_install(system, "1.0.0", schema=VERSION - 1)
    store = places_of(system).data_dir / "telemetry.db"
    make_store(store, system.clock)
    return store


def test_a_store_whose_form_changes_is_as_it_was_after_the_way_back(system: System) -> None:
    store = with_data(system)

    def change_the_store(_: State) -> None:
        store.write_bytes(b"in a new form")
        system.crash(_)

    system.behaviour["1.1.0"] = change_the_store

    with pytest.raises(AgentError, match="not healthy"):
        run_install(system, "1.1.0")

    assert store.read_bytes().startswith(b"SQLite format 3")
    assert Path(f"{store}.of-{NEW}").read_bytes() == b"in a new form"
    assert not Path(f"{store}.before-{NEW}").exists()


def test_the_copy_of_the_store_is_gone_once_the_new_version_is_healthy(system: System) -> None:
    store = with_data(system)

    run_install(system, "1.1.0")

    assert store.exists()
    assert list(store.parent.glob("telemetry.db.*")) == []


def test_a_store_whose_form_stays_is_not_copied(system: System) -> None:
    run_install(system, "1.0.0")
    make_store(places_of(system).data_dir / "telemetry.db", system.clock)

    shown = run_install(system, "1.1.0")

    assert "copy the store" not in shown.text


def test_a_version_that_could_not_read_the_store_is_refused(system: System) -> None:
    run_install(system, "1.0.0", schema=VERSION + 1)
    make_store(places_of(system).data_dir / "telemetry.db", system.clock)

    with pytest.raises(StoreError, match="newer agent"):
        run_install(system, "0.9.0")

    assert (installed(system), system.starts) == ("1.0.0", 1)


def test_a_configuration_that_became_faulty_stops_an_upgrade_before_it_begins(
    system: System,
) -> None:
    run_install(system, "1.0.0")
    places_of(system).config.write_text(CONFIG.replace("kind =", "knd ="))

    with pytest.raises(AgentError, match="kind: missing"):
        run_install(system, "1.1.0")

    assert (installed(system), system.starts) == ("1.0.0", 1)


def test_what_is_already_undone_is_not_stopped_by_a_failing_step(system: System) -> None:
    run_install(system, "1.0.0")
    system.behaviour["1.1.0"] = system.crash
    system.failing["reset-failed"] = "busy"

    with pytest.raises(AgentError, match="not healthy"):
        run_install(system, "1.1.0")

    assert (installed(system), system.active) == ("1.0.0", "active")
