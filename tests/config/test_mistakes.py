"""The commonest mistakes in TOML are explained, with the line, and never with a secret."""

from pathlib import Path

import pytest

from tests.config.kinds import faults

WORD = "correct-horse"
NEEDS_QUOTES = "a text needs quotes around it"
BOOLEAN = "it is true or false, in small letters"
BACKSLASH = r"a \ in a text needs single quotes around it, 'C:\data', or write / in its place"


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("interval_s = 0,5", "a number has a decimal point, not a comma"),
        ("interval_s = 0,5 # s", "a number has a decimal point, not a comma"),
        ("interval_s = .5", "a number has digits on both sides of its decimal point"),
        ("interval_s = 5 s", "a number stands alone, without its unit"),
        ("slot = 01", "a number does not begin with 0"),
        ("name = plc", NEEDS_QUOTES),
        ("name = Ölpumpe", NEEDS_QUOTES),
        ("host = 192.168.0.10", NEEDS_QUOTES),
        ("time = 07:00", NEEDS_QUOTES),
        ("daily = yes", BOOLEAN),
        ("daily = True", BOOLEAN),
        ("name = “plc”", 'quotes are straight ones: "'),
        ("name = ‘plc’", 'quotes are straight ones: "'),
        ("name =", "there is no value behind the ="),
        ("limit = null", "there is no such value, leave the line out"),
        ('name = "plc', "the quotes are not closed"),
        ("name = 'plc", "the quotes are not closed"),
        ('name: "plc"', "between key and value stands =, not a colon"),
        (r'dir = "C:\data"', BACKSLASH),
        (r'dir = "C:\users"', BACKSLASH),
    ],
)
def test_a_mistake_has_its_line_and_a_hint(tmp_path: Path, line: str, hint: str) -> None:
    (found,) = faults(tmp_path, f"[[device]]\n\n{line}\nenabled = true\n")

    assert found == f"agent.toml: line 3: not TOML: {hint}, in: {line}"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[agent]\n[store]\n[agent]",
         "line 3: not TOML: [agent] stands in line 1 already, a section may be there once"),
        ("[[device]]\n[device]",
         "line 2: not TOML: line 1 has [[device]], the brackets have to be the same"),
        ('[[device.tag]]\nname = "a"\n[[device]]\nname = "b"',
         "line 3: not TOML: [[device.tag]] in line 1 stands above its [[device]], it goes below"),
        ('[[device]]\nname = "a"\nname = "b"\n[[device]]\nname = "c"',
         "line 3: not TOML: 'name' has a value already, in line 2"),
    ],
)  # fmt: skip
def test_what_is_there_twice_is_named_with_both_lines(
    tmp_path: Path, text: str, fault: str
) -> None:
    (found,) = faults(tmp_path, text)

    assert found.startswith(f"agent.toml: {fault}, in: ")


def test_quotes_that_only_another_line_closes_are_not_closed(tmp_path: Path) -> None:
    (found,) = faults(tmp_path, "[agent]\ndata_dir = 'a\nlog_level = 'info'\n")

    assert found == "agent.toml: line 2: not TOML: the quotes are not closed, in: data_dir = 'a"


def test_a_long_line_is_cut_and_what_steers_a_terminal_is_not_repeated(tmp_path: Path) -> None:
    (found,) = faults(tmp_path, f"name = \x1b[2J{'x' * 100}")

    assert found.endswith(rf"in: name = \x1b[2J{'x' * 46}...")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"password = {WORD}", "in: password = ..."),
        (f"api_key = {WORD}", "in: api_key = ..."),
        (f"Token={WORD}", "in: Token = ..."),
        (f'secret: "{WORD}"', "in: secret = ..."),
        (f'"pass word" = {WORD}', "in: ..."),
        (f'x = {{ a = 1, password = "{WORD}" b', "in: x = ..."),
        (f'tokens = [\n  "a",\n  "{WORD}" "b",\n]', "in: ..."),
        (f'password = """\nx={WORD}', "in the text that begins in line 1"),
        (f"password = '''\nx={WORD}\x01\n'''", "in the text that begins in line 1"),
        (f'password = """{WORD}', "in: password = ..."),
    ],
)
def test_a_line_that_may_hold_a_secret_is_not_repeated(
    tmp_path: Path, text: str, shown: str
) -> None:
    (found,) = faults(tmp_path, text)

    assert WORD not in found
    assert found.endswith(shown)


@pytest.mark.parametrize(
    ("line", "section"),
    [
        ('data_dir = "x"', "[agent]"),
        ('data_dir = { env = "X" }', "[agent]"),
        ("retention_days = 5", "[store]"),
        ('time = "07:00"', "[reports]"),
        ("interval_s = 5", "a [[device]]"),
    ],
)
def test_a_key_above_all_sections_is_told_its_own(tmp_path: Path, line: str, section: str) -> None:
    key = line.split(maxsplit=1)[0]

    assert faults(tmp_path, f"{line}\n[agent]") == [
        f"agent.toml: '{key}' stands outside of any section; it belongs in {section}"
    ]


@pytest.mark.parametrize("header", ["[time]", "[[time]]"])
def test_a_section_of_a_keys_name_is_an_unknown_section(tmp_path: Path, header: str) -> None:
    (found,) = faults(tmp_path, header)

    assert found.startswith("agent.toml: unknown section 'time'")


@pytest.mark.parametrize("key", ["host", "password"])
@pytest.mark.parametrize(("word", "meant"), [("flie", "file"), ("evn", "env"), ("File", "file")])
def test_a_misspelt_reference_is_recognised(
    tmp_path: Path, key: str, word: str, meant: str
) -> None:
    device = '[[device]]\nname = "p"\nkind = "press"\n'
    host = "" if key == "host" else 'host = "plc"\n'

    (found,) = faults(tmp_path, f'{device}{host}{key} = {{ {word} = "{WORD}" }}')

    assert found.startswith(f"agent.toml: device 'p': {key}: found a table, allowed: ")
    assert found.endswith(f", did you mean '{meant}'?")
    assert WORD not in found
