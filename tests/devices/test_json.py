"""The JSON driver against the simulator: exact values, what is missing, what comes back."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from agent.config.options import Secret
from agent.devices.json import Options, Tag
from agent.devices.json.driver import Json
from agent.errors import DeviceError
from agent.model import MetricType, Reason, Value
from hw_sim.json import MODES, JsonSimulator
from tests.devices.json_script import ScriptedLink, answer, scripted, tcp, web

TIMEOUT_S = 5.0


@pytest.fixture(params=MODES)
def station(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JsonSimulator]:
    path = tmp_path / "station"
    with JsonSimulator(request.param, path=path, period_s=0.02, frozen=True) as simulator:
        yield simulator


def options(simulator: JsonSimulator, *tags: Tag) -> Options:
    """How it is read, whatever it speaks."""
    address = simulator.address
    if address.startswith("http"):
        return Options(url=address, tag=tags)
    if address.startswith("/"):
        return Options(serial=address, request="report", tag=tags)
    request = "" if simulator.mode == "lines" else "report"
    return Options(host=simulator.host, port=simulator.port, request=request, tag=tags)


def read_once(simulator: JsonSimulator, *tags: Tag) -> Mapping[str, Value]:
    driver = Json(options(simulator, *tags), TIMEOUT_S)
    try:
        return driver.read()
    finally:
        driver.close()


def error_of(driver: Json) -> Reason | None:
    """Why a read fails, if it does."""
    try:
        driver.read()
    except DeviceError as error:
        return error.reason
    return None


def test_values_are_what_the_device_says(station: JsonSimulator) -> None:
    station.set_value(("outdoor", "temperature"), -3.5)
    station.set_value(("channels", 1, "name"), "Küche")
    tags = (
        Tag("temperature", "outdoor.temperature", "FLOAT"),
        Tag("tenths", "outdoor.temperature", scale=10.0, offset=1.0),
        Tag("serial", "station.serial", "INT"),
        Tag("room", "channels[1].name", "TEXT"),
        Tag("ok", "ok", "BOOL"),
    )

    values = read_once(station, *tags)

    assert values == {
        "temperature": -3.5, "tenths": -34.0, "serial": 4711, "room": "Küche", "ok": True,
    }  # fmt: skip
    assert station.write_requests == 0


def test_without_tags_all_values_are_taken(station: JsonSimulator) -> None:
    document = station.document()

    values = read_once(station)

    assert values["outdoor.wind.speed"] == document["outdoor"]["wind"]["speed"]
    assert values["meter.phases.2.voltage"] == document["meter"]["phases"][2]["voltage"]
    assert values["channels.1.name"] == "Küche"
    assert len(values) == 28


def test_a_new_value_is_read_each_time(station: JsonSimulator) -> None:
    driver = Json(options(station, Tag("a", "uptime_s")), TIMEOUT_S)
    seen = []
    for number in range(3):
        station.set_value(("uptime_s",), number)
        wanted = {"a": number}
        seen.append(any(driver.read() == wanted for _ in range(9)))  # a line may be on its way
    driver.close()

    assert seen == [True, True, True]


def test_it_comes_back_after_the_device_was_away(station: JsonSimulator) -> None:
    driver = Json(options(station, Tag("ok", "ok")), TIMEOUT_S)
    driver.read()
    station.stop()
    errors = [error for _ in range(99) if (error := error_of(driver))]  # or what came before
    station.start()

    values = driver.read()

    driver.close()
    assert values == {"ok": True}
    assert len(errors) > 90
    assert errors[-1] in (Reason.REFUSED, Reason.UNREACHABLE)


def test_a_connection_is_kept_between_reads() -> None:
    with JsonSimulator("request", frozen=True) as station:
        driver = Json(options(station), TIMEOUT_S)
        before = station.sessions
        for _ in range(3):
            driver.read()
        driver.close()

        assert station.sessions - before == 1


def test_a_tag_that_is_not_there_is_none_and_told() -> None:
    link = ScriptedLink([b'{"main": {"temp": 1, "hum": null}}\n'] * 2)
    tags = (Tag("t", "main.temp"), Tag("h", "main.hum"), Tag("p", "main.press"))
    driver = scripted(tcp(request="x", tag=tags), link)

    values = driver.read()

    assert values == {"t": 1, "h": None, "p": None}
    assert driver.warnings() == ["p: main.press is not in the answer"]
    assert driver.describe() == [
        "JSON from 192.0.2.1:7",
        "3 tags",
        "p: main.press is not in the answer, in its place is an object with temp, hum",
    ]


def test_warnings_stay_the_same_while_values_move_and_go_with_their_cause() -> None:
    said = [b'{"a": 1, "b": [1]}\n', b'{"a": "n/a", "b": [1, 2]}\n', b'{"a": "x", "b": [3]}\n']
    link = ScriptedLink([*said, b'{"a": 2, "b": 3}\n'])
    driver = scripted(tcp(request="x", tag=(Tag("a", "a"), Tag("b", "b"))), link)
    found = []
    for _ in range(4):
        driver.read()
        found.append(list(driver.warnings()))

    assert found[1] == [
        "a: a: wanted a number, got a text that is none",
        "b: b: wanted a number, got a list",
    ]
    assert found[1] == found[2]
    assert found[3] == []


def test_when_no_tag_is_there_that_is_an_error() -> None:
    link = ScriptedLink([b'{"error": "busy", "code": 5}\n'])
    driver = scripted(tcp(request="x", tag=(Tag("a", "a"), Tag("b", "b.c"))), link)

    with pytest.raises(DeviceError) as caught:
        driver.read()

    assert str(caught.value) == (
        "reading 192.0.2.1:7: no tag is in the answer: "
        "in the place of a is an object with error, code"
    )
    assert link.is_closed


def test_the_first_value_tells_the_type_where_the_tag_does_not() -> None:
    said = [b'{"a": null, "b": "x", "c": true}\n', b'{"a": 5, "b": 7, "c": 0}\n']
    tags = (Tag("a", "a"), Tag("b", "b"), Tag("c", "c"))
    driver = scripted(tcp(request="x", tag=tags), ScriptedLink([*said, said[1]]))

    first, types = driver.read(), [metric.type for metric in driver.metrics]
    second = driver.read()
    metrics = driver.metrics
    driver.read()

    assert first == {"a": None, "b": "x", "c": True}
    assert types == [MetricType.FLOAT, MetricType.TEXT, MetricType.BOOL]
    assert second == {"a": 5, "b": "7", "c": False}
    assert driver.metrics is metrics


def test_without_tags_metrics_are_those_of_all_answers_so_far() -> None:
    said = [b'{"a": 1}\n', b'{"b": "x"}\n', b'{"a": 2, "b": "y"}\n']
    driver = scripted(tcp(request="x"), ScriptedLink(said))

    values = [driver.read() for _ in said]

    assert values == [{"a": 1}, {"b": "x"}, {"a": 2, "b": "y"}]
    assert [metric.name for metric in driver.metrics] == ["a", "b"]
    assert driver.describe()[1].startswith("no [[device.tag]] is configured: all 2 values")


def test_types_are_kept_and_new_names_refused_once_there_are_too_many() -> None:
    many = "{" + ",".join(f'"a{number}": 1' for number in range(300))
    first, second = f'{many}, "x": 21.5}}\n', many.replace("a", "b") + ', "x": "n/a"}\n'
    said = [first, second, '{"x": "off"}\n', '{"y": 1}\n']
    driver = scripted(tcp(request="x"), ScriptedLink([each.encode() for each in said]))
    driver.read()

    values = driver.read()

    hint = "name those that you want with [[device.tag]]"
    warning = f"the answers had more than 500 names by now, new ones are left out: {hint}"
    assert (len(values), len(driver.metrics)) == (200, 500)
    assert driver.warnings() == [
        "x: wanted a number, got a text that is none",
        warning,
    ]
    assert driver.read() == {"x": None}
    with pytest.raises(DeviceError, match="more than 500 names by now"):
        driver.read()


def test_more_values_than_can_be_taken_are_told() -> None:
    deep = b"[" * 40 + b"1" + b"]" * 40
    body = b'{"deep": ' + deep + b', "list": [' + b",".join([b"1"] * 600) + b"]}"
    driver = scripted(web(), ScriptedLink([answer(body)]))

    values = driver.read()

    hint = "name those that you want with [[device.tag]]"
    assert len(values) == 500
    assert driver.warnings() == [
        f"the answer has more than 500 values: {hint}",
        f"some values are nested too deep and left out: {hint}",
    ]


def test_what_is_described_before_the_first_read_is_where_it_will_be_read() -> None:
    driver = Json(Options(url="http://10.0.0.7/a?key=1", tag=(Tag("a", "a"),)), 1.0)

    assert driver.describe() == ["JSON from http://10.0.0.7/a"]
    assert driver.warnings() == []


def test_a_user_who_may_read_is_let_in() -> None:
    with JsonSimulator(user="me", password="wörd", frozen=True) as station:
        good = Options(url=station.address, user="me", password=Secret("wörd"))
        bad = Options(url=station.address, user="me", password=Secret("secret-word"))

        driver = Json(good, TIMEOUT_S)
        values = driver.read()
        driver.close()
        with pytest.raises(DeviceError) as caught:
            Json(bad, TIMEOUT_S).read()

    assert values["ok"] is True
    assert "401 Unauthorized; check user, password and headers" in str(caught.value)
    assert "secret-word" not in str(caught.value)
