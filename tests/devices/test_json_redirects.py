"""Redirects are followed at the same server alone, and no text shows what may be secret in them."""

import pytest

from agent.config.faults import ReferencedText
from agent.config.options import Secret
from agent.errors import DeviceError
from tests.devices.json_script import ScriptedLink, answer, scripted, web

WHOLE = answer(b'{"a": 1}')


def test_redirects_at_the_same_address_are_followed() -> None:
    moved = answer(b"", "Location: new?x=1", "Content-Length: 0", status="302 Found")
    whole = answer(b"", "Location: http://192.0.2.1/there", "Content-Length: 0", status="307 T")
    link = ScriptedLink([moved, whole, WHOLE])

    values = scripted(web(url="http://192.0.2.1/old/page"), link).read()

    assert values == {"a": 1}
    assert [line.split(b" ")[1] for line in link.sent] == [b"/old/page", b"/old/new?x=1", b"/there"]


@pytest.mark.parametrize(
    ("location", "text"),
    [
        ("https://192.0.2.1/state?token=x", "write it as url: https://192.0.2.1/state"),
        ("http://192.0.2.1:81/", "write it as url: http://192.0.2.1:81/"),
        ("//evil.example/x", "to another place, which is not followed"),
        ("ftp://192.0.2.1/x?y", "to 'ftp://192.0.2.1', which is no URL we can read"),
        ("http://u:p@192.0.2.1/x", "to 'http://192.0.2.1', which is no URL we can read"),
        ("http://u:p?x@192.0.2.1/x", "to 'http://u', which is no URL we can read"),
        ("http://[u:p", "to another place, which is no URL we can read"),
        ("mailto:u:p", "to another place, which is no URL we can read"),
        ("", "the answer is a redirect (302), and does not say where to"),
        ("/state", "more than 3 redirects, the last one to http://192.0.2.1/state"),
    ],
)
def test_redirects_elsewhere_are_not_followed_and_told(location: str, text: str) -> None:
    moved = answer(b"", f"Location: {location}", "Content-Length: 0", status="302 Found")
    link = ScriptedLink([moved] * 9)

    with pytest.raises(DeviceError) as caught:
        scripted(web(password=Secret("secret"), user="me"), link).read()

    assert text in str(caught.value)
    assert "u:p" not in str(caught.value)
    assert str(caught.value).isprintable()
    assert link.is_closed
    assert len(link.sent) in (1, 4)


@pytest.mark.parametrize(
    ("location", "text"),
    [
        ("https://192.0.2.1/hook/SECRET?key=SECRET", "write it as url: https://192.0.2.1"),
        ("//evil.example/hook/SECRET", "write it as url: http://evil.example"),
        ("/hook/SECRET?key=SECRET", "more than 3 redirects, the last one to http://192.0.2.1"),
        ("ftp://192.0.2.1/hook/SECRET", "to 'ftp://192.0.2.1', which is no URL we can read"),
        ("http://me:SECRET@192.0.2.1/", "to 'http://192.0.2.1', which is no URL we can read"),
        ("/hook/SEC RET", "to 'http://192.0.2.1', which is no URL we can read"),
    ],
)
def test_a_redirect_of_a_hidden_url_shows_no_more_than_its_host(location: str, text: str) -> None:
    moved = answer(b"", f"Location: {location}", "Content-Length: 0", status="302 Found")
    url = ReferencedText("http://192.0.2.1/hook/SECRET?key=SECRET")

    with pytest.raises(DeviceError) as caught:
        scripted(web(url=url), ScriptedLink([moved] * 9)).read()

    assert str(caught.value).endswith(text)
    assert "SEC" not in str(caught.value)


def test_what_follows_a_redirect_unasked_is_not_taken_for_the_answer() -> None:
    moved = answer(b"", "Location: /there", "Content-Length: 0", status="302 Found")
    links = [ScriptedLink([moved + WHOLE]), ScriptedLink([answer(b'{"a": 2}')])]

    assert scripted(web(), *links).read() == {"a": 2}


def test_a_server_that_closes_after_a_redirect_is_asked_over_a_new_connection() -> None:
    moved = answer(b"", "Location: /there", "Content-Length: 0", status="302 Found")
    links = [ScriptedLink([moved], closes=True), ScriptedLink([WHOLE])]

    assert scripted(web(), *links).read() == {"a": 1}
