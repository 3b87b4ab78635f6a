"""The simulated heat pump is read by other clients, which get what the driver gets."""

from collections.abc import Mapping

import pytest

from agent.devices.luxtronik import Options
from agent.devices.luxtronik.driver import Luxtronik
from agent.devices.luxtronik.tables import CLASSES, entry
from agent.devices.luxtronik.values import VERSION_END, VERSION_FIRST
from agent.devices.luxtronik.wire import CALCULATIONS, PARAMETERS, VISIBILITIES
from agent.model import Value
from hw_sim.luxtronik import PROFILES, LuxtronikSimulator
from tests.devices.luxtronik_replay import replayed
from tests.peers_luxtronik import LUXTRONIK2, luxtronik2_read, missing_luxtronik2, package_read

pytestmark = pytest.mark.peer
needs_node = pytest.mark.skipif(
    bool(missing_luxtronik2()), reason=missing_luxtronik2() or "is there"
)
TABLES = {each.name: each for each in (CALCULATIONS, PARAMETERS, VISIBILITIES)}
SWITCHED_OFF = (*range(106, 111), *range(217, 222))  # the package's words are off by one
OTHER_WORDS = {("calculations", index) for index in SWITCHED_OFF}

# luxtronik2's names, and where the same value is with us; it rounds hours.
SAME = {
    "temperature_supply": 10,
    "temperature_return": 11,
    "temperature_target_return": 12,
    "temperature_hot_gas": 14,
    "temperature_outside": 15,
    "temperature_outside_avg": 16,
    "temperature_hot_water": 17,
    "temperature_hot_water_target": 18,
    "temperature_heat_source_in": 19,
    "temperature_heat_source_out": 20,
    "starts_compressor1": 57,
    "starts_compressor2": 59,
    "Time_WPein_akt": 67,
    "Time_ZWE1_akt": 68,
    "Time_ZWE2_akt": 69,
    "Timer_EinschVerz": 70,
    "Time_SSPAUS_akt": 71,
    "Time_SSPEIN_akt": 72,
    "Time_VDStd_akt": 73,
    "Time_HRM_akt": 74,
    "Time_HRW_akt": 75,
    "Time_LGS_akt": 76,
    "Time_SBW_akt": 77,
    "typeHeatpump": 78,
    "firmware": 81,
    "AdresseIP_akt": 91,
    "SubNetMask_akt": 92,
    "Add_Broadcast": 93,
    "Add_StdGateway": 94,
    "error_count": 105,
    "heatpump_duration": 120,
    "opStateHotWater": 124,
    "opStateHeating": 125,
    "opStateMixer1": 126,
    "opStateMixer2": 127,
    "Temperatur_RFV2": 142,
    "Temperatur_RFV3": 143,
    "thermalenergy_total": 154,
    "flowRate": 155,
    "Time_Heissgas": 158,
    "Temp_Lueftung_Zuluft": 159,
    "Temp_Lueftung_Abluft": 160,
    "Durchfluss_WQ": 173,
}
SWITCH_NAMES = """
ASDin BWTin EVUin HDin MOTin NDin PEXin SWTin AVout BUPout HUPout MA1out MZ1out VENout VBOout VD1out
VD2out ZIPout ZUPout ZW1out ZW2SSTout ZW3SSTout FP2out SLPout SUPout MZ2out MA2out
"""
SWITCHES = {name: index for index, name in enumerate(SWITCH_NAMES.split(), 29)}
RAW = {
    "bivalentLevel": 79,
    "WP_BZ_akt": 80,
    "heatpump_state1": 117,
    "heatpump_state2": 118,
    "heatpump_state3": 119,
    "LIN_TUE": 175,
    "LIN_HD": 180,
    "LIN_ND": 181,
}
HOURS = {"hours_compressor1": 56, "hours_compressor2": 58, "Zaehler_BetrZeitSW": 145}
SETTINGS = {
    "heating_temperature": 1,
    "warmwater_temperature": 2,
    "deltaHeatingReduction": 13,
    "hotWaterTemperatureHysteresis": 74,
    "temperature_hot_water_target": 105,
    "cooling_release_temperature": 110,
    "thresholdTemperatureSetBack": 111,
    "cooling_inlet_temp": 132,
    "thresholdHeatingLimit": 700,
    "returnTemperatureTargetMin": 979,
}


def read(port: int, values: str = "scaled") -> Mapping[str, Value]:
    driver = Luxtronik(Options("127.0.0.1", port, values=values), 5.0)
    try:
        return driver.read()
    finally:
        driver.close()


def name_of(table: str, index: int) -> str:
    return f"{table}.{entry(TABLES[table], index).name or index}"


def differences(pump: LuxtronikSimulator) -> tuple[list[object], int]:
    """The values of the package that the driver has otherwise, and how many were compared.

    Entries for which the driver knows a class better are compared by the number that was sent.
    """
    theirs = package_read(pump.port)
    ours, raw = read(pump.port), read(pump.port, "raw")
    found: list[object] = []
    compared = 0
    for table, entries in theirs.items():
        for index, _, value in entries:
            name, place = name_of(table, index), (table, index)
            if name not in ours or place in OTHER_WORDS:
                continue
            wanted = str(raw[name]) if value is None else value  # a code without a word
            compared += 1
            if wanted != ours[name] and not (place in CLASSES and wanted == raw[name]):
                found.append((name, ours[name], wanted))
    return found, compared


@pytest.mark.parametrize("profile", PROFILES)
def test_the_driver_gets_what_the_package_gets(profile: str) -> None:
    with LuxtronikSimulator(profile=profile, frozen=True) as pump:
        found, compared = differences(pump)

        assert found == []
        letters = VERSION_END - VERSION_FIRST - 1
        assert compared >= sum(PROFILES[profile].counts.values()) - letters - len(OTHER_WORDS)
        assert pump.write_requests == 0


def test_the_differences_from_the_package_are_those_that_are_known() -> None:
    with LuxtronikSimulator(frozen=True) as pump:
        for index, value in ((106, 1), (107, 0), (108, 4), (119, 13), (78, 200), (232, -32)):
            pump.set_value(CALCULATIONS.command, index, value)
        theirs = {index: value for index, _, value in package_read(pump.port)["calculations"]}

        ours = read(pump.port)

    words = {index: ours[name_of("calculations", index)] for index in (106, 107, 108, 119, 78, 232)}
    assert words == {
        106: "system error",
        107: "heatpump error",
        108: "4",
        119: "heating external energy source",
        78: "200",
        232: -3.2,
    }
    assert [theirs[index] for index in words] == [
        "heatpump error",
        None,
        "operation mode second heat generator",
        "heating external engery source",
        None,
        -32,
    ]


@needs_node
@pytest.mark.parametrize("profile", PROFILES)
def test_the_driver_gets_what_luxtronik2_gets(profile: str) -> None:
    with LuxtronikSimulator(profile=profile, frozen=True) as pump:
        theirs = luxtronik2_read(pump.port)

        ours, raw = read(pump.port), read(pump.port, "raw")

        assert pump.write_requests == 0
    shown, settings = theirs["values"], theirs["parameters"]
    calculation = {index: ours.get(name_of("calculations", index)) for index in range(200)}
    sent = {index: raw[name_of("calculations", index)] for index in range(200)}
    expected = {name: calculation[index] for name, index in SAME.items()}
    if shown["flowRate"] == "no":  # it was set so that there is no meter
        del expected["flowRate"]
    expected |= {name: int(bool(calculation[index])) for name, index in SWITCHES.items()}
    expected |= {name: sent[index] for name, index in RAW.items()}
    expected |= {name: round(_number(sent[index]) / 3600) for name, index in HOURS.items()}
    assert {name: shown[name] for name in expected} == expected
    assert {name: settings[name] for name in SETTINGS} == {
        name: ours[name_of("parameters", index)] for name, index in SETTINGS.items()
    }
    assert len(expected) + len(SETTINGS) > 80


def _number(value: Value) -> float:
    assert isinstance(value, int | float)
    return value


@needs_node
def test_the_capture_that_comes_with_luxtronik2_is_read() -> None:
    folder = LUXTRONIK2 / "test" / "data"
    script = {command: (folder / str(command)).read_bytes() for command in (3003, 3004, 3005)}

    values = replayed(script, 1001).read()

    assert len(values) == 200 - 9 + 1086 + 336
    assert values["calculations.ID_WEB_Temperatur_TVL"] == 34.2
    assert values["calculations.ID_WEB_SoftStand"] == "V1.80"
    assert values["calculations.ID_WEB_WP_BZ_akt"] == "no request"
    assert values["calculations.ID_WEB_Switchoff_file_Nr0"] == "no request"
    assert values["calculations.ID_WEB_Switchoff_file_Nr1"] == "system error"
    assert values["parameters.ID_Einst_TRBegr_akt"] == 45.0
    assert values["parameters.ID_Einst_HRHyst_akt"] == 2.0
    assert values["visibilities.ID_Visi_Temp_Vorlauf"] == 1
