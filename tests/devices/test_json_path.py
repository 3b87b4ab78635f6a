"""Paths into a JSON answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.devices.json.path import AbsentError, Step, cleaned, find, parse_path, what_is
from agent.devices.tags import AddressError

ANSWER = {
    "main": {"temp": 21.5, "odd key": {"x": 1}, "a.b": 2, "": 3, "0": 4},
    "list": [{"x": 5}, [6, 7], None],
}


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("main", ("main",)),
        ("main.temp", ("main", "temp")),
        (" main.temp ", ("main", "temp")),
        ("$.main.temp", ("main", "temp")),
        ("$", ()),
        ("[0]", (0,)),
        ("$[0][ 1 ].x", (0, 1, "x")),
        ("list.0.x", ("list", "0", "x")),
        ('main["odd key"].x', ("main", "odd key", "x")),
        ("['odd key'].x", ("odd key", "x")),
        (r'["a\"b"]', ('a"b',)),
        ('["a.b"]', ("a.b",)),
        ('[""]', ("",)),
        ("Küche.°C", ("Küche", "°C")),
        ("1-0:1.8.0", ("1-0:1", "8", "0")),
        ("a-b_c d", ("a-b_c d",)),
    ],
)
def test_a_path_has_these_steps(text: str, steps: tuple[Step, ...]) -> None:
    assert parse_path(text) == steps


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", ""),
        (".", ""),
        ("a.", ""),
        ("a..b", "to one value; for several write several tags"),
        ("a[*].b", "to one value; for several write several tags"),
        ("a[-1]", "an index counts from 0, and not from the end"),
        ("a[-0]", "an index counts from 0, and not from the end"),
        ("a[1", ""),
        ("a]b", ""),
        ("a[b]", ""),
        ("a[1.5]", ""),
        ("a[9999999999]", ""),
        ("a b .c", 'a key with blanks around it stands in [" "]'),
        ("main/temp[]", "with dots in place of slashes"),
        (".".join("x" * 33), "at most 32 steps long"),
    ],
)
def test_another_text_is_no_path(text: str, hint: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_path(text)

    assert caught.value.hint == hint
    assert (caught.value.key, caught.value.found) == ("path", text)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("main.temp", 21.5),
        ('main["odd key"].x', 1),
        ('main["a.b"]', 2),
        ('main[""]', 3),
        ("main.0", 4),
        ("main[0]", 4),
        ("list[0].x", 5),
        ("list.0.x", 5),
        ("list[1][1]", 7),
        ("list[2]", None),
        ("$", ANSWER),
    ],
)
def test_a_path_leads_to_a_value(path: str, value: object) -> None:
    assert find(ANSWER, parse_path(path)) == value


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("main.hum", "an object with temp, odd key, a.b, , 0"),
        ("list[3]", "a list of 3"),
        ("list.x", "a list of 3"),
        ("list.²", "a list of 3"),
        ("main.temp.x", "a number"),
        ("list[2].x", "null"),
    ],
)
def test_a_path_that_leads_nowhere_says_what_is_there(path: str, there: str) -> None:
    with pytest.raises(AbsentError) as caught:
        find(ANSWER, parse_path(path))

    assert caught.value.there == there


def test_what_an_answer_is_stays_short() -> None:
    text = what_is({f"key {number} {'x' * 90}": 0 for number in range(100)})

    assert text.startswith("an object with key 0 xxx")
    assert text.endswith(", ...")
    assert len(text) < 300


@given(st.text(max_size=60))
def test_any_text_is_a_path_or_an_error(text: str) -> None:
    try:
        steps = parse_path(text)
    except AddressError:
        return
    assert steps or "$" in text


@given(st.text(max_size=20))
def test_any_key_can_be_quoted(key: str) -> None:
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    if "\n" in key:
        return  # options stand on one line

    assert parse_path(f'["{quoted}"]') == (key,)


@given(st.text())
def test_a_cleaned_text_can_be_printed(text: str) -> None:
    assert cleaned(text).isprintable()
