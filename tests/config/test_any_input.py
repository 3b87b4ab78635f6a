"""Whatever a file holds, it is a configuration or a list of faults."""

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.config import Config, FaultyConfigError, from_tables
from agent.config.devices import Kinds
from agent.devices import KINDS
from tests.config import kinds

WORDS = (
    "agent", "store", "reports", "device", "tag", "name", "kind", "host", "port", "mode", "rack",
    "words", "password", "interval_s", "timeout_s", "data_dir", "timezone", "daily_dir", "env",
    "file", "address", "scale", "press", "lamp", "s7", "plc", "data", "HOME", "DB1.DBD0:REAL",
)  # fmt: skip
TEXTS = st.sampled_from(WORDS) | st.text(max_size=20)
PLAIN = (
    TEXTS
    | st.integers()
    | st.sampled_from((10**400, -(10**4000)))
    | st.floats()
    | st.booleans()
    | st.datetimes()
    | st.dates()
    | st.just(dt.time(7))
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
DEVICES = st.fixed_dictionaries(
    {"name": TEXTS, "kind": st.sampled_from(("press", "lamp", "s7", "host", "prss"))},
    optional={
        **dict.fromkeys(("host", "port", "interval_s", "password", "mode", "words", "x"), VALUES),
        "tag": st.lists(st.dictionaries(TEXTS, VALUES, max_size=4), max_size=3) | VALUES,
    },
)
SECTIONS = st.dictionaries(TEXTS, VALUES, max_size=3)
TABLES = st.fixed_dictionaries(
    {},
    optional={
        "agent": SECTIONS | VALUES,
        "store": SECTIONS | VALUES,
        "reports": SECTIONS | VALUES,
        "device": st.lists(DEVICES, max_size=3) | VALUES,
        "x": VALUES,
    },
)
VARIABLES = st.dictionaries(
    st.sampled_from(
        (
            "AGENT_STORE_RETENTION_DAYS",
            "AGENT_REPORTS_X",
            "AGENT_DEVICE_PLC_TAG",
            "AGENT_DEVICE_PLC_KIND",
            "AGENT_DEVICE_PLC_HOST",
            "AGENT_TIMEZONE",
            "HOME",
        )
    ),
    st.text(max_size=10) | st.sampled_from(("1", "[{}]", "s7", "[")),
    max_size=3,
)
ALL_KINDS: Kinds = {**KINDS, **kinds.KINDS}


def outcome(raw: dict[str, Any], environ: Mapping[str, str]) -> Config | FaultyConfigError:
    try:
        return from_tables(raw, "agent.toml", Path("/nowhere"), ALL_KINDS, environ)
    except FaultyConfigError as error:
        return error


@given(TABLES, VARIABLES)
def test_any_table_is_a_configuration_or_faults_of_one_line(
    raw: dict[str, Any], environ: dict[str, str]
) -> None:
    found = outcome(raw, environ)

    if isinstance(found, FaultyConfigError):
        assert found.faults
        assert all(len(str(fault).splitlines()) == 1 for fault in found.faults)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_configuration_or_faults(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp()

    with suppress(FaultyConfigError):
        kinds.loaded(folder, content)
