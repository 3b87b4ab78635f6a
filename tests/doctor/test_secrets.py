"""No secret gets into the report, wherever it stands and however it is written."""

import base64
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote, quote_plus

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.clock import SystemClock
from agent.config.options import Secret
from agent.config.structure import base_type, is_tuple
from agent.console.toml import value as toml
from agent.devices import KINDS
from agent.devices.contract import Kind
from agent.doctor.case import Case
from agent.doctor.configuration import check_configuration
from agent.doctor.finding import Finding, problem
from agent.doctor.report import report_text
from agent.doctor.secrets import hints_of_class
from hw_sim.registry import SIMULATED
from tests.doctor.machines import Programs, Tree, case_of, shown

WORD = "correct-horse/7 ä+\"x'"
secrets = st.text(
    st.characters(codec="utf-8", exclude_characters="\0*", exclude_categories=["Zs", "Zl", "Zp"]),
    min_size=6,
    max_size=50,
).filter(lambda text: len(text.strip()) >= 6)
ADDRESSES = {"benchlab": "/dev/ttyACM9", "json": "http://127.0.0.1:1/", "host": "/nonexistent"}


def table_of(kind: str) -> dict[str, Any]:
    """A sound table of a kind, as its simulator writes one."""
    text = SIMULATED[kind].load().table("device", ADDRESSES.get(kind, "127.0.0.1:1"))
    (table,) = tomllib.loads(text)["device"]
    found: dict[str, Any] = table
    return found


def places(section: type[Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The options of a class that may hold a text, those inside of lists of tables too."""
    for key, hint in hints_of_class(section).items():
        base = base_type(hint)
        if is_tuple(base) and attrs.has(base_type(get_args(base)[0])):
            yield from places(base_type(get_args(base)[0]), (*path, key))
        elif base in (str, Secret):
            yield (*path, key)


OPTIONS = [(kind, place) for kind in KINDS for place in places(KINDS[kind]().options)]
SECRET_KEYS = [
    (kind, key)
    for kind in KINDS
    for key, hint in hints_of_class(KINDS[kind]().options).items()
    if base_type(hint) is Secret
]


def planted(kind: str, place: tuple[str, ...], content: Any, **more: Any) -> str:
    """A configuration with something at one option of one kind."""
    table = table_of(kind) | more
    inner: dict[str, Any] = table
    for key in place[:-1]:
        if not inner.get(key):
            inner[key] = [{"name": "X-Key"}]
        inner = inner[key][0]
    inner[place[-1]] = content
    return "device = [" + toml(table) + "]\n"


def report_of(case: Case, *findings: Finding) -> str:
    """The report with findings of the configuration and others."""
    return report_text(case, [*check_configuration(case), *findings], is_without_hosts=False)


def forms(secret: str) -> set[str]:
    """Ways in which a secret must not stand in a text."""
    data = secret.encode()
    basic = base64.b64encode(b"me:" + data).decode().rstrip("=")
    found = {secret, json.dumps(secret)[1:-1], quote(secret, safe=""), quote_plus(secret), basic}
    return {form for form in found if form}


def assert_absent(secret: str, report: str) -> None:
    assert [form for form in forms(secret) if form in report] == []


def spoken(secret: str) -> Programs:
    """A journal and a unit in which a secret stands in every way."""
    data = base64.b64encode(b"me:" + secret.encode()).decode()
    lines = (
        f"pi agent[1]: GET /x?key={quote(secret, safe='')} HTTP/1.1",
        f"pi agent[1]: Authorization: Basic {data}",
        f"pi agent[1]: sent {secret!r} and {json.dumps({'x': secret})}",
        f"pi agent[1]: it was {secret}",
    )
    return Programs(
        {"systemctl show": shown(), "journalctl": "\n".join(lines), "systemctl status": secret}
    )


@pytest.mark.parametrize(("kind", "place"), OPTIONS, ids=str)
@pytest.mark.parametrize("way", ["env", "file"])
def test_a_secret_that_any_option_refers_to_is_not_in_the_report(
    tree: Tree, tmp_path: Path, kind: str, place: tuple[str, ...], way: str
) -> None:
    (tmp_path / "WORD").write_text(f"{WORD}\n", "utf-8")
    tree.boot_systemd()
    config = planted(kind, place, {way: "WORD"})

    case = case_of(tree, config, environ={"WORD": WORD}, run=spoken(WORD), clock=SystemClock())

    assert_absent(WORD, report_of(case, problem(f"the device says {WORD}", "x")))


@pytest.mark.parametrize(("kind", "key"), SECRET_KEYS)
def test_a_secret_of_a_variable_of_an_option_is_not_in_the_report(
    tree: Tree, kind: str, key: str
) -> None:
    tree.boot_systemd()
    config = "device = [" + toml(table_of(kind)) + "]\n"
    environ = {f"AGENT_DEVICE_DEVICE_{key.upper()}": WORD}

    case = case_of(tree, config, environ=environ, run=spoken(WORD), clock=SystemClock())

    assert_absent(WORD, report_of(case, problem(f"the device says {WORD}", "x")))


def test_there_are_secret_options_among_those_that_are_tried() -> None:
    assert ("json", ("password",)) in OPTIONS
    assert ("json", ("headers", "secret")) in OPTIONS
    assert ("json", "password") in SECRET_KEYS


@pytest.mark.parametrize("word", ["env", "file"])
def test_what_a_configuration_refers_to_that_is_no_toml_is_hidden(
    tree: Tree, tmp_path: Path, word: str
) -> None:
    (tmp_path / "WORD").write_text(WORD, "utf-8")
    config = f'[[device\npassword = {{ {word} = "WORD" }}\n'

    case = case_of(tree, config, environ={"WORD": WORD}, clock=SystemClock())

    assert_absent(WORD, report_of(case, problem(f"it says {WORD}", "x")))


@settings(max_examples=30)  # each makes a whole report, with the look-ups of one
@given(secrets)
def test_no_secret_is_recognised_whatever_its_characters(
    tmp_path_factory: pytest.TempPathFactory, secret: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    tree = Tree(folder / "machine")
    tree.boot_systemd()
    config = planted("json", ("password",), {"env": "WORD"}, user="me")

    case = case_of(tree, config, environ={"WORD": secret}, run=spoken(secret), clock=SystemClock())

    assert_absent(secret, report_of(case, problem(f"{secret} and {secret!r}", secret)))


@pytest.mark.parametrize(
    "lines",
    [
        f"password = '''{WORD}'''",
        f"pasword = '''{WORD}'''",
        f"# it was {WORD}",
        f"timeout_s = 5.0 # {WORD}",
        "url = 'http://me:hunter2hunter2@10.0.0.7/x'",
        "url = 'http://10.0.0.7/x?key=hunter2hunter2&b=1'",
        "url = 'http://10.0.0.7/api/hunter2hunter2hunter2AB/lights'",
        "url = 'http://10.0.0.7/api/hunter2/lights'",
        "headers = [{ name = 'Authorization', value = 'Basic hunter2hunter2' }]",
        "headers = [{ name = 'X-Mine', value = 'hunter2hunter2' }]",
        "headers = { Authorization = 'Basic hunter2hunter2' }",
        "extra = { a = { b = ['hunter2hunter2'] } }",
        "token = 20061201",
        "user = { pass = 'hunter2hunter2' }",
        "request = 'GET ALL token=hunter2hunter2'",
    ],
)
@pytest.mark.parametrize("before", ["", "[broken\n", "x = = 1\n"])
def test_a_secret_that_stands_where_it_must_not_is_not_in_the_report(
    tree: Tree, lines: str, before: str
) -> None:
    config = f'{before}[[device]]\nname = "a"\nkind = "json"\n{lines}\n'

    report = report_of(case_of(tree, config, clock=SystemClock()))

    assert '"a"' in report
    for secret in (WORD, "hunter2", "20061201"):
        assert_absent(secret, report)


def test_lines_of_a_text_of_many_lines_are_not_shown(tree: Tree) -> None:
    config = f'[agent\nname = "x"\npassword = """\nhost = "{WORD[:9]}"\n"""\nport = 5\n'

    report = report_of(case_of(tree, config, clock=SystemClock()))

    assert WORD[:9] not in report
    assert "port = 5" in report


@pytest.mark.parametrize("name", ["MY_TOKEN", "AGENT_DEVICE_GONE_PASSWORD", "DB_PASS"])
def test_variables_that_sound_secret_are_hidden_wherever_they_appear(tree: Tree, name: str) -> None:
    environ = {name: WORD}
    case = case_of(tree, "", environ=environ, clock=SystemClock())

    assert_absent(WORD, report_of(case, problem(f"it says {WORD}", "x")))


def test_the_file_with_the_variables_of_the_service_is_hidden(tree: Tree, tmp_path: Path) -> None:
    tree.boot_systemd()
    env = tree.write("etc/agent/agent.env", f"PLC_WORD={WORD}\n")
    command = f"{{ argv[]=/x run --config {tmp_path}/agent.toml ; }}"
    programs = spoken(WORD)
    programs.answers["systemctl show"] = shown(ExecStart=command, EnvironmentFiles=str(env))
    config = planted("json", ("password",), {"env": "PLC_WORD"})

    case = case_of(tree, config, run=programs, clock=SystemClock())

    assert_absent(WORD, report_of(case))


def test_a_bug_in_hiding_shows_less_and_not_more(tree: Tree) -> None:
    config = planted("json", ("request",), WORD)

    def broken() -> Kind:
        raise ZeroDivisionError

    case = attrs.evolve(case_of(tree, config, clock=SystemClock()), kinds={"json": broken})

    report = report_text(case, [problem(f"it says {WORD}", "x")], is_without_hosts=False)

    assert_absent(WORD, report)
    assert "ZeroDivisionError" in report
