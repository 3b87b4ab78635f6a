"""Values that are referred to: they come from where they lie, and no error shows them."""

import json
from pathlib import Path

import attrs
import pytest

from agent.config import Config, FaultyConfigError
from agent.config.options import Secret
from agent.console.commands import check_report
from tests.config.kinds import PressOptions, faults, loaded

PRESS = '[[device]]\nname = "press"\nkind = "press"\nhost = "plc"\n'
WORD = "correct-horse"
ENVIRON = {"WORD": WORD}


def password(config: Config) -> Secret | None:
    options = config.devices[0].options
    assert isinstance(options, PressOptions)
    return options.password


def test_a_secret_comes_from_a_variable(tmp_path: Path) -> None:
    config = loaded(tmp_path, PRESS + 'password = { env = "WORD" }', ENVIRON)

    assert password(config) == Secret(WORD)


@pytest.mark.parametrize("content", [WORD, f"{WORD}\n", f"\ufeff{WORD}\r\n"])
def test_a_secret_comes_from_a_file_beside_the_configuration(tmp_path: Path, content: str) -> None:
    (tmp_path / "word.txt").write_bytes(content.encode())

    config = loaded(tmp_path, PRESS + 'password = { file = "word.txt" }')

    assert password(config) == Secret(WORD)


def test_a_secret_comes_from_the_variable_of_the_option(tmp_path: Path) -> None:
    config = loaded(tmp_path, PRESS, {"AGENT_DEVICE_PRESS_PASSWORD": WORD})

    assert password(config) == Secret(WORD)


def test_any_text_may_be_referred_to(tmp_path: Path) -> None:
    config = loaded(tmp_path, '[agent]\nlog_level = { env = "LEVEL" }', {"LEVEL": "debug"})

    assert config.agent.log_level == "debug"


def test_a_secret_that_is_written_out_is_a_fault_that_does_not_repeat_it(tmp_path: Path) -> None:
    assert faults(tmp_path, PRESS + f'password = "{WORD}"') == [
        "agent.toml: device 'press': password: found it written out, allowed: "
        '{ file = "path" } or { env = "NAME" }, so that it stands in no configuration'
    ]


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ('{ env = "NONE" }', "environment variable 'NONE' is not set"),
        ('{ file = "none" }', "file 'none': cannot be read: No such file or directory"),
        ('{ file = "." }', "file '.': cannot be read: Is a directory"),
        ('{ file = "a\\u0000" }', r"file 'a\x00': embedded null byte"),
        ('{ file = "~nobody_here/x" }', "file '~nobody_here/x': "),
        ('{ file = "latin" }', "file 'latin': line 1: not UTF-8, save it with that encoding"),
        ('{ file = "long" }', "file 'long': larger than 65536 bytes"),
    ],
)
@pytest.mark.parametrize("key", ["password", "mode", "port"])
def test_a_reference_that_leads_nowhere_is_one_fault(
    tmp_path: Path, key: str, value: str, fault: str
) -> None:
    (tmp_path / "latin").write_bytes(b"M\xfcller")
    (tmp_path / "long").write_bytes(b"x" * 70_000)

    (found,) = faults(tmp_path, f"{PRESS}{key} = {value}")

    assert found.startswith(f"agent.toml: device 'press': {key}: {fault}")


@pytest.mark.parametrize(
    "text",
    [
        '[agent]\nlog_level = { env = "WORD" }\ntimezone = { file = "word" }',
        '[agent]\ndata_dir = 5\nx = { env = "WORD" }',
        'agent = { env = "WORD" }',
        'x = { env = "WORD" }\n[[y]]\nz = { env = "WORD" }',
        '[device]\npassword = { env = "WORD" }\nx = "correct-horse"',
        'device = { env = "WORD" }',
        'device = [{ env = "WORD" }, [{ env = "WORD" }]]',
        '[[device]]\nname = { env = "WORD!" }\nkind = { env = "WORD" }',
        PRESS + 'port = { env = "WORD" }\nmode = { env = "WORD" }\nratio = { file = "word" }',
        PRESS + 'words = { env = "WORD" }\ntag = { env = "WORD" }\nverbose = { file = "word" }',
        PRESS + 'tag = [{ env = "WORD" }, { name = "a", address = { env = "WORD" } }]',
        PRESS + 'password = ["correct-horse"]\npasword = "correct-horse"',
        PRESS + 'password = { value = "correct-horse" }\nwords = [{ env = "WORD" }, 1]',
    ],
)
def test_no_fault_shows_what_was_referred_to(tmp_path: Path, text: str) -> None:
    (tmp_path / "word").write_text(WORD)

    found = faults(tmp_path, text, {"WORD": WORD, "WORD!": f"{WORD}!"})

    assert WORD not in "\n".join(found)


def test_a_secret_shows_in_no_text_of_the_configuration(tmp_path: Path) -> None:
    config = loaded(tmp_path, PRESS + 'password = { env = "WORD" }', ENVIRON)

    texts = [repr(config), str(config), check_report(config, as_json=False)]

    assert WORD not in "".join(texts)
    assert str(password(config)) == "***"


def test_a_secret_is_masked_in_json_however_deep_it_lies(tmp_path: Path) -> None:
    config = loaded(tmp_path, PRESS + 'password = { env = "WORD" }', ENVIRON)
    options = config.devices[0].options
    deep = attrs.evolve(options, words=(Secret(WORD), {"a": [Secret(WORD)]}))
    config = attrs.evolve(config, devices=(attrs.evolve(config.devices[0], options=deep),))

    text = check_report(config, as_json=True)

    assert WORD not in text
    found = json.loads(text)["config"]["devices"][0]["options"]
    assert (found["password"], found["words"]) == ("***", ["***", {"a": ["***"]}])


def test_the_error_has_no_cause_that_holds_a_secret(tmp_path: Path) -> None:
    with pytest.raises(FaultyConfigError) as caught:
        loaded(tmp_path, PRESS + 'port = { env = "WORD" }', ENVIRON)

    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
