"""The heat pump driver against the simulated controller: values, options, what it says of it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.devices import KINDS
from agent.devices.luxtronik import Options
from agent.devices.luxtronik.driver import Luxtronik
from agent.errors import DeviceError
from agent.model import MetricType, Value
from hw_sim.luxtronik import (
    CALCULATIONS,
    CAPTURED,
    PARAMETERS,
    PROFILES,
    VISIBILITIES,
    LuxtronikSimulator,
)

TIMEOUT_S = 5.0
LETTERS = 9  # calculations 82 to 90 are part of the value of 81
SOURCES = Path(__file__).parents[2] / "agent" / "devices" / "luxtronik"


@pytest.fixture
def pump() -> Iterator[LuxtronikSimulator]:
    with LuxtronikSimulator(frozen=True) as simulator:
        yield simulator


def driver_of(pump: LuxtronikSimulator, **options: object) -> Luxtronik:
    made: Callable[..., Options] = Options
    return Luxtronik(made("127.0.0.1", pump.port, **options), TIMEOUT_S)


def read(pump: LuxtronikSimulator, **options: object) -> dict[str, Value]:
    driver = driver_of(pump, **options)
    try:
        return dict(driver.read())
    finally:
        driver.close()


@pytest.mark.parametrize("profile", PROFILES)
def test_all_values_of_all_tables_are_read(profile: str) -> None:
    with LuxtronikSimulator(profile=profile, frozen=True) as pump:
        values = read(pump)
        raw = read(pump, values="raw")

        counts = PROFILES[profile].counts
        assert len(values) == sum(counts.values()) - LETTERS
        assert list(raw.values()) == [
            value
            for table in (CALCULATIONS, PARAMETERS, VISIBILITIES)
            for value in pump.values(table)
        ]


def test_the_bench_profile_has_1749_numbers() -> None:
    with LuxtronikSimulator(profile="bench", frozen=True) as pump:
        assert len(read(pump, values="raw")) == 1749


def test_the_captured_unit_is_read_as_its_display_said() -> None:
    with LuxtronikSimulator(profile="v1.80") as pump:
        values = read(pump)

    shown = {name.removeprefix("calculations.ID_WEB_"): value for name, value in values.items()}
    assert len(CAPTURED) > 30
    assert shown["Temperatur_TVL"] == 34.2
    assert shown["Temperatur_TRL"] == 32.6
    assert shown["Sollwert_TRL_HZ"] == 15.0
    assert shown["Temperatur_THG"] == 21.0
    assert shown["Temperatur_TA"] == 13.9
    assert shown["Mitteltemperatur"] == 12.6
    assert shown["Temperatur_TBW"] == 64.2
    assert shown["Einst_BWS_akt"] == 50.0
    assert shown["Temperatur_TWE"] == shown["Temperatur_TWA"] == -50.0
    assert shown["Temperatur_RFV"] == 0.0
    assert shown["Zaehler_BetrZeitVD1"] == shown["Zaehler_BetrZeitWP"] == 15707970
    assert shown["Zaehler_BetrZeitImpVD1"] == 9869
    assert shown["Zaehler_BetrZeitHz"] == 12315581
    assert shown["Zaehler_BetrZeitBW"] == 3373389
    assert shown["Code_WP_akt"] == "L1A"
    assert shown["WP_BZ_akt"] == "no request"
    assert shown["SoftStand"] == "V1.80"
    assert shown["AdresseIP_akt"] == "192.168.42.4"
    assert shown["ERROR_Nr0"] == 716
    assert shown["AnzahlFehlerInSpeicher"] == 5
    assert shown["HauptMenuStatus_Zeile1"] == "heatpump idle"
    assert shown["HauptMenuStatus_Zeile2"] == "since"
    assert shown["HauptMenuStatus_Zeile3"] == "no request"
    assert shown["HauptMenuStatus_Zeit"] == 23370
    assert shown["AktuelleTimeStamp"] == 1501069233


def test_tables_come_in_the_order_of_their_names(pump: LuxtronikSimulator) -> None:
    prefixes = [name.partition(".")[0] for name in read(pump)]

    assert list(dict.fromkeys(prefixes)) == ["calculations", "parameters", "visibilities"]
    assert prefixes == sorted(prefixes)


@pytest.mark.parametrize(
    ("parameters", "visibilities", "commands", "count"),
    [
        (True, True, [3004, 3003, 3005], 266 + 1187 + 398),
        (True, False, [3004, 3003], 266 + 1187),
        (False, True, [3004, 3005], 266 + 398),
        (False, False, [3004], 266),
    ],
)
def test_only_the_tables_that_are_wanted_are_asked_for(
    pump: LuxtronikSimulator, parameters: bool, visibilities: bool, commands: list[int], count: int
) -> None:
    values = read(pump, parameters=parameters, visibilities=visibilities)

    assert len(values) == count
    assert pump.requests == commands


def test_readable_headers_change_names_and_nothing_else(pump: LuxtronikSimulator) -> None:
    plain, readable = read(pump), read(pump, readable_headers=True)

    assert list(readable.values()) == list(plain.values())
    assert readable["Flow Temperature"] == plain["calculations.ID_WEB_Temperatur_TVL"]


@pytest.mark.parametrize("profile", PROFILES)
def test_what_is_known_before_the_first_read_is_there_after_it(profile: str) -> None:
    with LuxtronikSimulator(profile=profile, frozen=True) as pump:
        driver = driver_of(pump)
        early = [metric.name for metric in driver.metrics]

        values = driver.read()

        driver.close()
        assert len(early) == 200 - LETTERS + 1086 + 336
        assert set(early) <= set(values)


def test_metrics_change_with_the_sizes_of_the_tables_only(pump: LuxtronikSimulator) -> None:
    driver = driver_of(pump)
    driver.read()
    metrics = driver.metrics
    pump.set_fault("few:250")

    fewer = driver.read()
    now = driver.metrics

    driver.close()
    assert len(fewer) == 3 * 250 - LETTERS
    assert now is not metrics
    assert [metric.name for metric in now] == list(fewer)


def test_few_values_are_a_gap_and_no_data(pump: LuxtronikSimulator) -> None:
    driver = driver_of(pump)
    pump.set_fault("few")

    with pytest.raises(DeviceError) as caught:
        driver.read()

    assert str(caught.value) == (
        f"reading 127.0.0.1:{pump.port}: wanted 100 values or more (min_values), got "
        "12 calculations, 12 parameters, 12 visibilities; the controller may be starting"
    )
    assert driver.metrics is driver.metrics
    assert len(driver.metrics) > 1000


@pytest.mark.parametrize("min_values", [0, 36])
def test_few_values_are_enough_where_that_is_wanted(
    pump: LuxtronikSimulator, min_values: int
) -> None:
    pump.set_fault("few")

    assert len(read(pump, min_values=min_values)) == 36


def test_one_value_less_than_wanted_is_too_few(pump: LuxtronikSimulator) -> None:
    pump.set_fault("few")

    with pytest.raises(DeviceError, match="wanted 37 values or more"):
        read(pump, min_values=37)


def test_it_says_what_it_found() -> None:
    with LuxtronikSimulator(profile="v1.80") as pump:
        driver = driver_of(pump)
        before = driver.describe()
        driver.read()

        found = driver.describe()

        driver.close()
    assert before == [f"Luxtronik controller at {pump.address}"]
    assert found == [
        f"Luxtronik controller at {pump.address}, firmware V1.80, heat pump L1A",
        "200 calculations, 1086 parameters, 336 visibilities a poll; "
        "1592 values have a known name, 21 have none",
        "no probe, by the constant value -50.0 °C: Heat Source In Temperature, "
        "Heat Source Out Temperature",
    ]


def test_a_status_is_a_warning_that_does_not_move(pump: LuxtronikSimulator) -> None:
    driver = driver_of(pump)
    warned = []
    for fault in ("status:1", "status:2", None):
        pump.set_fault(fault)
        driver.read()
        warned.append(driver.warnings())

    driver.close()
    assert warned[0] == warned[1]
    assert "status other than 0" in warned[0][0]
    assert warned[2] == []


def test_fewer_than_500_values_are_a_warning(pump: LuxtronikSimulator) -> None:
    driver = driver_of(pump)
    pump.set_fault("few:150")

    driver.read()

    driver.close()
    assert driver.warnings() == [
        "the controller gives fewer than 500 values, usual are 1600 or more"
    ]


def test_fewer_values_by_choice_are_no_warning(pump: LuxtronikSimulator) -> None:
    driver = driver_of(pump, parameters=False, visibilities=False)

    driver.read()

    driver.close()
    assert driver.warnings() == []


def test_raw_values_are_whole_numbers(pump: LuxtronikSimulator) -> None:
    driver = driver_of(pump, values="raw")

    values = driver.read()

    driver.close()
    assert {type(value) for value in values.values()} == {int}
    assert {metric.type for metric in driver.metrics} == {MetricType.INT}
    assert "firmware V3.90.1, heat pump MSW4-16" in driver.describe()[0]


def test_no_code_can_write() -> None:
    for file in SOURCES.rglob("*.py"):
        assert not re.search(r"3002|0x0?bba\b|0b ?ba\b", file.read_text("utf-8"), re.IGNORECASE)


def test_its_kind_is_polite() -> None:
    kind = KINDS["luxtronik"]()

    assert (kind.interval_s, kind.min_interval_s) == (30.0, 5.0)
    assert (kind.timeout_s, kind.backoff_floor_s) == (60.0, 10.0)
