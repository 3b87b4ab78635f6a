"""Readable names of the heat pump's values: unique, about entries that there are, and right."""

import pytest
from luxtronik.calculations import Calculations
from luxtronik.parameters import Parameters
from luxtronik.visibilities import Visibilities

from agent.devices.luxtronik.layout import Layout
from agent.devices.luxtronik.options import Options
from agent.devices.luxtronik.tables import CLASSES, TITLES
from agent.devices.luxtronik.wire import CALCULATIONS, PARAMETERS, VISIBILITIES
from agent.model import RESERVED_METRICS, Metric
from agent.poller import checked
from hw_sim.luxtronik import PROFILES

PACKAGE = {
    "calculations": Calculations.calculations,
    "parameters": Parameters.parameters,
    "visibilities": Visibilities.visibilities,
}
NEWER = {  # entries that the package's tables end before
    ("calculations", 267),
    ("calculations", 268),
    ("parameters", 1136),
    ("parameters", 1137),
    ("parameters", 1139),
}
WRONG = (
    "Heat Source Temperature",
    "Evaporator Temperature",
    "Condenser Temperature",
    "Tank Temperature Top",
    "Tank Temperature Bottom",
    "RBE Return Temperature",
    "Superheating Target",
    "Superheating",
)
RIGHT = {
    "ID_WEB_Temperatur_TVL": "Flow Temperature",
    "ID_WEB_Temperatur_TRL": "Return Temperature",
    "ID_WEB_Temperatur_TA": "Ambient Temperature",
    "ID_WEB_Temperatur_TBW": "Hot Water Temperature",
    "ID_WEB_Sollwert_TRL_HZ": "Return Temperature Setpoint Heating",
    "ID_WEB_Freq_VD": "Compressor Frequency",
    "ID_WEB_WMZ_Heizung": "Energy Meter Heating",
    "Heat_Output": "Heat Output",
    "ID_WEB_Temperatur_THG": "Hot Gas Temperature",
    "ID_WEB_Temperatur_TWE": "Heat Source In Temperature",
    "ID_WEB_Temperatur_TWA": "Heat Source Out Temperature",
    "ID_WEB_Temperatur_TSK": "Solar Collector Temperature",
    "ID_WEB_Temperatur_TSS": "Solar Tank Temperature",
    "ID_WEB_RBE_RT_Ist": "Room Temperature",
    "ID_WEB_LIN_UH": "Superheat",
    "ID_WEB_LIN_UH_Soll": "Superheat Setpoint",
    "ID_WEB_LIN_VDH": "Compressor Heater Temperature",
}
STATED = (  # what the description of the protocol says the meaning of
    *((("calculations", index)) for index in (*range(10, 82), *range(91, 124), 134)),
    *((("calculations", index)) for index in (*range(138, 141), 147, *range(151, 158), 161)),
    *((("calculations", index)) for index in (159, 160, 173, *range(175, 182), 183, 184, 187)),
    *((("calculations", index)) for index in (188, 189, 191, *range(193, 234), 236, 237, 238)),
    *((("calculations", index)) for index in (239, 240, 241, 242, 243, 254, 257, 258, 267, 268)),
    *((("parameters", index)) for index in (1, 2, 3, 4, 11, 12, 74, 87, 105, 108, 878, 879, 979)),
    *((("parameters", index)) for index in (1119, 1136, 1137, 1139)),
    *((("visibilities", index)) for index in (*range(9), *range(23, 29), *range(29, 32))),
    *((("visibilities", index)) for index in (*range(33, 51), *range(52, 62), 65, 66)),
)


def metrics(profile: str = "new", **options: object) -> list[Metric]:
    made = Options("pump", **options)  # type: ignore[arg-type]
    counts = PROFILES[profile].counts
    tables = {table: counts[table.command] for table in (CALCULATIONS, PARAMETERS, VISIBILITIES)}
    return list(Layout(tables, made).metrics)


@pytest.mark.parametrize("readable", [True, False])
@pytest.mark.parametrize("raw", ["raw", "scaled"])
@pytest.mark.parametrize("profile", PROFILES)
def test_names_are_unique_and_can_be_stored(profile: str, raw: str, readable: bool) -> None:
    names = [each.name for each in metrics(profile, readable_headers=readable, values=raw)]

    lower = [name.lower() for name in names]
    assert len(set(lower)) == len(lower)
    assert not RESERVED_METRICS & set(lower)
    assert list(checked(dict.fromkeys(names, 1))) == names


def test_every_title_is_of_an_entry_that_there_is() -> None:
    titled = {(table, index) for table, titles in TITLES.items() for index in titles}

    known = {(table, index) for table, entries in PACKAGE.items() for index in entries}
    assert titled - known == NEWER
    assert set(CLASSES) - known == NEWER


def test_everything_that_has_a_stated_meaning_has_a_title() -> None:
    missing = [place for place in STATED if place[1] not in TITLES[place[0]]]

    assert missing == []


def test_the_wrong_labels_of_the_former_logger_are_nowhere() -> None:
    names = {each.name.partition(" (")[0] for each in metrics(readable_headers=True)}

    assert names.isdisjoint(WRONG)


@pytest.mark.parametrize(("technical", "title"), RIGHT.items())
def test_a_label_is_right(technical: str, title: str) -> None:
    plain = metrics()
    readable = metrics(readable_headers=True)

    names = {one.name: other.name for one, other in zip(plain, readable, strict=True)}
    assert names[f"calculations.{technical}"] == title


def test_titles_of_the_other_tables_say_which() -> None:
    names = [each.name for each in metrics(readable_headers=True)]

    assert "Flow Temperature (visible)" in names
    assert "Hot Water Setpoint (setting)" in names
    assert "parameters.ID_Transfert_LuxNet" in names
    assert "calculations.260" in names


def test_what_nobody_has_named_is_called_by_its_index() -> None:
    names = [each.name for each in metrics()]

    assert names[:11] == [
        *(f"calculations.{index}" for index in range(10)),
        "calculations.ID_WEB_Temperatur_TVL",
    ]
    assert "calculations.232" in names
    assert "parameters.1186" in names
    assert "visibilities.397" in names
    assert not [name for name in names if "Unknown" in name]


@pytest.mark.parametrize(
    ("name", "unit", "text"),
    [
        ("calculations.ID_WEB_Temperatur_TVL", "°C", "Flow Temperature (calculation 10)"),
        ("calculations.ID_WEB_LIN_HD", "bar", "High Pressure (calculation 180)"),
        (
            "calculations.ID_WEB_ERROR_Time0",
            "Unix s",
            "Error 1 Time; seconds since 1970, 0: never (calculation 95)",
        ),
        ("calculations.268", "W", "Electrical Input (calculation 268)"),
        ("calculations.9", "", "unknown (calculation 9)"),
        ("parameters.ID_Einst_WK_akt", "K", "Heating Offset (parameter 1)"),
        (
            "visibilities.ID_Visi_Temp_Vorlauf",
            "",
            "Flow Temperature; 1: the menu shows it (visibility 23)",
        ),
    ],
)
def test_a_metric_has_its_unit_and_says_what_it_is(name: str, unit: str, text: str) -> None:
    (metric,) = [each for each in metrics() if each.name == name]

    assert (metric.unit, metric.help) == (unit, text)


def test_a_readable_metric_names_the_vendors_name() -> None:
    (metric,) = [each for each in metrics(readable_headers=True) if each.name == "Flow Temperature"]

    assert metric.help == "calculation 10, ID_WEB_Temperatur_TVL"


def test_a_raw_metric_says_how_to_scale_it() -> None:
    found = {each.name: each for each in metrics(values="raw")}

    flow = found["calculations.ID_WEB_Temperatur_TVL"]
    running = found["calculations.ID_WEB_Zaehler_BetrZeitVD1"]
    assert (flow.unit, flow.help) == ("", "Flow Temperature; in °C / 10 (calculation 10)")
    assert running.unit == "s"
