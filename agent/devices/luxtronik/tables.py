"""What is in the tables of a Luxtronik: name, form and title of each entry, by index.

Names and classes come from the package luxtronik 0.3.14, which knows 251 calculations, 1126
parameters and 355 visibilities; its code that talks to controllers is not used. Where published
clients and a real capture know better, ``CLASSES`` and ``CODES`` say so.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

import attrs

from agent.devices.luxtronik.titles import CALCULATION_TITLES, PARAMETER_TITLES
from agent.devices.luxtronik.values import FORMS, NUMBER, Form, selection
from agent.devices.luxtronik.visible import VISIBILITY_TITLES
from agent.devices.luxtronik.wire import CALCULATIONS, PARAMETERS, VISIBILITIES, Table

UNNAMED: Final = "Unknown"  # so begin the names of entries that the package has no name for

CLASSES: Final[Mapping[tuple[str, int], str]] = {
    ("calculations", 124): "Icon",  # not a Bool: luxtronik2 knows 0, 1 and 3
    ("calculations", 145): "Seconds",
    ("calculations", 200): "Kelvin",  # subcooling is a difference
    ("calculations", 232): "Celsius",
    ("calculations", 233): "Celsius",
    ("calculations", 236): "Frequency",
    ("calculations", 237): "Frequency",
    ("calculations", 238): "Frequency",
    ("calculations", 239): "Kelvin",
    ("calculations", 240): "Kelvin",
    ("calculations", 242): "Kelvin",
    ("calculations", 243): "Kelvin",
    ("calculations", 258): "MajorMinor",
    ("calculations", 267): "Celsius",
    ("calculations", 268): "Power",
    ("parameters", 1): "Kelvin",  # an offset of at most 5 K
    ("parameters", 13): "Kelvin",  # by how much the night is colder
    ("parameters", 87): "Celsius",
    ("parameters", 88): "Kelvin",
    ("parameters", 98): "Celsius",
    ("parameters", 111): "Celsius",
    ("parameters", 134): "Kelvin",  # a difference to the ambient, as 135 and 967
    ("parameters", 135): "Kelvin",
    ("parameters", 967): "Kelvin",
    ("parameters", 979): "Celsius",
    ("parameters", 1119): "Timestamp",
    ("parameters", 1136): "Energy",
    ("parameters", 1137): "Energy",
    ("parameters", 1139): "Energy",
}
"""Classes of entries that the package has none for, or a wrong one."""

CODES: Final[Mapping[str, Mapping[int, str]]] = {
    "SwitchoffFile": {  # the package's are off by one for the first four
        0: "heatpump error",
        1: "system error",
        2: "operation mode second heat generator",
        3: "evu lock",
        5: "air defrost",
        6: "maximal usage temperature",
        7: "minimal usage temperature",
        8: "lower usage limit",
        9: "no request",
        10: "external energy source",
        11: "flow rate",
        12: "low pressure pause",
        13: "superheat pause",
        14: "inverter pause",
        17: "other",
        19: "PV max",
        20: "hot gas pause",
        22: "no request",
        24: "LPC",
        25: "restart",
    },
    "BivalenceLevel": {3: "additional heat generator allowed to run"},
    "MainMenuStatusLine1": {5: "waiting on LIN connection"},
    "MainMenuStatusLine3": {13: "heating external energy source"},
}
"""Words that replace the package's, which are wrong or misspelt."""
REPLACED_WHOLE: Final = frozenset({"SwitchoffFile"})

TITLES: Final[Mapping[str, Mapping[int, str]]] = {
    CALCULATIONS.name: CALCULATION_TITLES,
    PARAMETERS.name: PARAMETER_TITLES,
    VISIBILITIES.name: VISIBILITY_TITLES,
}


@attrs.frozen
class Entry:
    """One value of a table.

    Args:
        name: The vendor's; "" where nobody knows it.
        title: What it is, for people; "" where nobody knows.
    """

    index: int
    name: str
    form: Form
    title: str

    @property
    def is_known(self) -> bool:
        """Whether anybody knows what it is."""
        return bool(self.name or self.title)


def entry(table: Table, index: int) -> Entry:
    """What is known of a value; beyond the package's tables that is little."""
    name, of_class = _package_tables()[table.name].get(index, ("", "Unknown"))
    of_class = CLASSES.get((table.name, index), of_class)
    form = _forms().get(of_class, NUMBER)
    title = TITLES[table.name].get(index, "")
    return Entry(index, "" if name.startswith(UNNAMED) else name, form, title)


@cache
def _package_tables() -> Mapping[str, Mapping[int, tuple[str, str]]]:
    """Name and class of every entry, by table and index."""
    from luxtronik.calculations import Calculations
    from luxtronik.parameters import Parameters
    from luxtronik.visibilities import Visibilities

    tables = {
        CALCULATIONS.name: Calculations.calculations,
        PARAMETERS.name: Parameters.parameters,
        VISIBILITIES.name: Visibilities.visibilities,
    }
    return {
        name: {index: (each.name, type(each).__name__) for index, each in table.items()}
        for name, table in tables.items()
    }


@cache
def _forms() -> Mapping[str, Form]:
    """The form of every class, those with codes included."""
    from luxtronik import datatypes

    with_codes = {
        each.__name__: selection(_codes(each.__name__, each.codes))
        for each in datatypes.SelectionBase.__subclasses__()
    }
    return {**FORMS, **with_codes}


def _codes(name: str, codes: Mapping[int, str]) -> Mapping[int, str]:
    return {**({} if name in REPLACED_WHOLE else codes), **CODES.get(name, {})}
