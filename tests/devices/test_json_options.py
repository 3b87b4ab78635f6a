"""All faults of a JSON device's options are found, and no text shows a secret."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.config import FaultyConfigError, load
from agent.config.faults import ReferencedText
from agent.config.options import Secret
from agent.config.structure import structure
from agent.devices import KINDS
from agent.devices.json import Header, Options, Tag
from agent.devices.json.address import UrlError, parse_url
from agent.devices.json.driver import Json
from agent.errors import ConfigError
from agent.model import Metric, MetricType

URL = "http://10.0.0.7/state"
WORD = "correct-horse"


def faults(**options: Any) -> dict[str, str]:
    """Key of each fault and what is allowed there."""
    return {each.key: f"{each.allowed}{each.hint}" for each in Options(**options).check()}


@pytest.mark.parametrize(
    "options",
    [
        {"url": URL},
        {"url": "https://station.local:8443/a?b=c&d=%20"},
        {"url": "http://[fe80::1]:80"},
        {"host": "10.0.0.7", "port": 8000},
        {"host": "10.0.0.7", "port": 8000, "request": "get\tall", "line_end": "\r\n"},
        {"serial": "/dev/ttyUSB0", "baud": 9600, "parity": "even", "stop_bits": 2},
        {"url": URL, "user": "me", "password": Secret(WORD), "verify_tls": False},
        {"url": URL, "headers": (Header("X-Api-Key", secret=Secret(WORD)), Header("A", "b"))},
        {"url": URL, "tag": (Tag("a", "x.y", "INT", scale=0.1), Tag("b", "x.y"))},
    ],
)
def test_good_options_have_no_fault(options: Mapping[str, Any]) -> None:
    assert faults(**options) == {}


@pytest.mark.parametrize(
    ("options", "key", "text"),
    [
        ({}, "url", 'one of url = "http://...", host and port, or serial = "/dev/..."'),
        ({"url": URL, "host": "a", "port": 1}, "host", "one way to the device alone, there is url"),
        ({"host": "a", "port": 1, "serial": "/dev/x"}, "serial", "there is host"),
        ({"host": "a"}, "port", "the TCP port of the device; for HTTP write url in place of host"),
        ({"url": URL, "port": 80}, "port", "no port: it goes with host, there is url"),
        ({"url": URL, "request": "x"}, "request", "nothing: request goes with host or serial"),
        ({"url": URL, "baud": 9600}, "baud", "nothing: baud goes with serial, there is url"),
        ({"host": "a", "port": 1, "user": "x"}, "user", "nothing: user goes with url"),
        ({"serial": "/dev/x", "verify_tls": False}, "verify_tls", "nothing: verify_tls goes with"),
        ({"host": "a", "port": 1, "headers": (Header("A", "b"),)}, "headers", "goes with url"),
        ({"host": "a", "port": 1, "request": "a\nb"}, "request", "line_end follows by itself"),
        ({"url": "10.0.0.7/state"}, "url", "http or https, as in 'http://10.0.0.7/state'"),
        ({"url": "ftp://10.0.0.7/"}, "url", "http or https"),
        ({"url": "http:10.0.0.7"}, "url", "http or https"),
        ({"url": "http:///state"}, "url", "with a host name or an address in it"),
        ({"url": "http://a b/"}, "url", "without blanks; in a path a blank is %20"),
        ({"url": "http://a:0/"}, "url", "with a host name"),
        ({"url": "http://a:99999/"}, "url", "port out of range"),
        ({"url": "http://[::1/"}, "url", "invalid IPv6 URL"),
        ({"url": "http://kü.de/"}, "url", "with a host name"),
        ({"url": "http://me:word@10.0.0.7/"}, "url", "these are options of their own"),
        ({"url": URL, "user": "a:b"}, "user", "without a colon"),
        ({"url": URL, "password": Secret("x")}, "user", "a name, since password is given"),
        ({"url": URL, "user": "a", "password": Secret("x\n")}, "password", "a text on one line"),
        ({"url": URL, "headers": (Header("a b", "c"),)}, "headers[1].name", "without blanks"),
        ({"url": URL, "headers": (Header("A", "c"), Header("a", "d"))}, "headers[2].name",
         "a name that no other header has"),
        ({"url": URL, "headers": (Header("A"),)}, "headers[1].secret", "a secret, or a value"),
        ({"url": URL, "headers": (Header("A", "b", Secret("c")),)}, "headers[1].value",
         "one of the two"),
        ({"url": URL, "headers": (Header("A", "b\r\nC: d"),)}, "headers[1].value", "on one line"),
        ({"url": URL, "headers": (Header("A", secret=Secret("b\n")),)}, "headers[1].secret",
         "on one line"),
        ({"url": URL, "headers": (Header("Connection", "x"),)}, "headers[1].name",
         "another, this one is set by itself"),
        ({"url": URL, "headers": (Header("Authorization", WORD),)}, "headers[1].name",
         'secret = { env = "NAME" }'),
        ({"url": URL, "user": "me", "headers": (Header("Authorization", secret=Secret("x")),)},
         "user", "no user: there is a header Authorization"),
        ({"url": URL, "tag": (Tag("a", "x..y"),)}, "tag[1].path", "a path such as main.temp"),
        ({"url": URL, "tag": (Tag("a", "x"), Tag("A", "y"))}, "tag[2].name", "no other tag has"),
        ({"url": URL, "tag": (Tag("time", "x"),)}, "tag[1].name", "another name"),
        ({"url": URL, "tag": (Tag("a", "x", "TEXT", scale=2.0),)}, "tag[1].scale",
         "no scale: TEXT is no number"),
        ({"url": URL, "tag": (Tag("a", "x", scale=0.0),)}, "tag[1].scale", "other than 0"),
    ],
)  # fmt: skip
def test_a_fault_says_what_is_allowed(options: Mapping[str, Any], key: str, text: str) -> None:
    found = faults(**options)

    assert key in found
    assert text in found[key]
    assert WORD not in str([*Options(**options).check()])


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"host": "http://a"}, "host"),
        ({"port": 0}, "port"),
        ({"max_bytes": 255}, "max_bytes"),
        ({"max_bytes": 16 * 1024 * 1024 + 1}, "max_bytes"),
        ({"line_end": ""}, "line_end"),
        ({"parity": "E"}, "parity"),
        ({"stop_bits": 3}, "stop_bits"),
        ({"data_bits": 6}, "data_bits"),
        ({"password": "written out"}, "password"),
        ({"headers": [{"name": "A", "secret": "written out"}]}, "headers[1].secret"),
        ({"headers": {"A": "b"}}, "headers"),
        ({"tag": [{"name": "a", "path": "x", "type": "float"}]}, "tag[1].type"),
        ({"tag": [{"name": "a"}]}, "tag[1].path"),
    ],
)
def test_values_that_no_option_takes_are_refused(table: Mapping[str, Any], key: str) -> None:
    _, found = structure(table, Options)

    assert [name for name, _ in found] == [key]
    assert "written out" not in str(found).replace("found it written out", "")


@pytest.mark.parametrize(
    ("text", "target", "shown"),
    [
        ("http://a", "/", "http://a"),
        ("http://a?x=1", "/?x=1", "http://a"),
        ("http://A:81/b?key=1#c", "/b?key=1", "http://A:81/b"),
        ("https://a/%20ä?ü=%C3", "/%20%C3%A4?%C3%BC=%C3", "https://a/%20%C3%A4"),
        (ReferencedText("http://a:1/key/state"), "/key/state", "http://a:1"),
    ],
)
def test_an_url_is_asked_for_whole_and_shown_without_keys(
    text: str, target: str, shown: str
) -> None:
    url = parse_url(text)

    assert (url.target, url.shown) == (target, shown)


def test_a_bad_url_makes_no_driver() -> None:
    with pytest.raises(UrlError):
        Json(Options(url="nowhere"), 1.0)


def test_a_bad_path_makes_no_driver() -> None:
    with pytest.raises(ConfigError, match=r"'x\.\.y' is not a path such as"):
        Json(Options(url=URL, tag=(Tag("a", "x..y"),)), 1.0)


def test_metrics_are_known_before_the_first_read_as_far_as_tags_tell() -> None:
    tags = (
        Tag("a", "x.y", "INT", unit="W", help="Power"),
        Tag("b", "x.z"),
        Tag("c", "t", "TEXT"),
        Tag("d", "n", "INT", scale=0.1),
    )

    assert Json(Options(url=URL, tag=tags), 1.0).metrics == (
        Metric("a", "W", MetricType.INT, "Power"),
        Metric("b", "", MetricType.FLOAT, "x.z"),
        Metric("c", "", MetricType.TEXT, "t"),
        Metric("d", "", MetricType.FLOAT, "n"),
    )


def test_a_whole_configuration_is_loaded_with_its_secrets(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(f"""
[[device]]
name = "a"
kind = "json"
url = "{URL}"
user = "me"
password = {{ env = "WORD" }}
headers = [{{ name = "X-Key", secret = {{ env = "WORD" }} }}]
""")

    (device,) = load(file, KINDS, {"WORD": WORD}).devices

    options = device.options
    assert (device.interval_s, device.timeout_s) == (10.0, 5.0)
    assert (options.password, options.headers[0].secret) == (Secret(WORD), Secret(WORD))
    assert WORD not in repr(device)


def test_all_faults_of_a_configuration_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text("""
[[device]]
name = "a"
kind = "json"
host = "10.0.0.7"
baud = "fast"
headers = [{ name = "X-Key", secret = "hunter2" }]
[[device.tag]]
name = "t"
path = "x[-1]"
""")

    with pytest.raises(FaultyConfigError) as caught:
        load(file, KINDS, {})

    keys = [fault.text.split(":")[0] for fault in caught.value.faults]
    assert sorted(keys) == ["baud", "headers", "headers[1].secret", "port", "tag[1].path"]
    assert "hunter2" not in str(caught.value)
