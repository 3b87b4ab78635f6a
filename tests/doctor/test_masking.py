"""What looks like a secret is hidden, and what is harmless stays readable."""

import pytest

from agent.doctor.hosts import HostMask
from agent.doctor.masking import Mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Authorization: Bearer abc.def-ghi", "Authorization: ***"),
        ("got 'Basic dXNlcjpwYXNz' there", "got 'Basic ***' there"),
        ("http://me:word@plc/x?key=1&b=2#c", "http://***@plc/x?key=***&b=***#c"),
        ("GET /x?token=abc HTTP/1.1", "GET /x?token=*** HTTP/1.1"),
        ("set password=hunter2, then", "set password=***, then"),
        ('{"api_key": "hunter2", "x": 1}', '{"api_key": ***, "x": 1}'),
        ("Set-Cookie: a=b; c=d", "Set-Cookie: ***"),
        ('{"Authorization": "Basic a\\"b", "x": 1}', '{"Authorization": "***", "x": 1}'),
        ('{"Cookie": "a=b"}', '{"Cookie": "***"}'),
        ('Authorization: Digest user="me", nonce="x"', "Authorization: ***"),
        ('authorization = "a" and more', "authorization = ***"),
        ('Authorization: "***" and more', "Authorization: ***"),
        ("http://hue/api/hunter2/lights/1", "http://hue/api/***/lights/1"),
        ("http://x/API/v1.2/word/lights?a#b", "http://x/API/v1.2/***/lights?a#b"),
        ("http://x/rest/api-key/word", "http://x/rest/api-key/***"),
        ("http://x/token/word;", "http://x/token/***"),
        ("SetCredentialEncrypted=pw: abc", "SetCredentialEncrypted=***"),
        ("http://hue/api/abcdefghij0123456789abcd/lights", "http://hue/api/***/lights"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----", "***"),
        ("mac 12:34:56:ab:cd:ef, AA-BB-CC-DD-EE-FF", "mac 12:34:56:xx:xx:xx, AA-BB-CC-xx-xx-xx"),
        ("uid 2C003D001457435735363620", "uid 2C003D00..."),
        ("boot 1b4e28ba-2fa1-11d2-883f-0016d3cca427", "boot 1b4e28ba-..."),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, masked: str) -> None:
    assert Mask([])(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "plc: 12 values in 34 ms",
        "2026-11-20T12:00:00.123+0000 pi agent[1]: ok",
        'password = { env = "NAME" }',
        '"password": null, "verify_tls": true',
        "build 0123456789abcdef",
        '{"Authorization": {"env": "NAME"}, "x": 1}',
        'Authorization = { file = "NAME" }',
        '"Authorization": {\n "env": "NAME"\n}',
        '"authorization": "***",\n"cookie": "***"',
        "http://plc/rpc/Switch.GetStatus",
        "http://plc/api/v1",
        "/usr/lib/api/word",
        "10.0.0.7:102, fd00::7",
    ],
)
def test_what_is_harmless_stays(text: str) -> None:
    assert Mask([])(text) == text


def test_sentences_of_the_agent_about_secrets_stay() -> None:
    text = "device 'a': password: found it written out, allowed: { env = \"NAME\" }"

    assert Mask([])(text, is_ours=True) == text


def test_a_short_secret_is_hidden_where_it_stands_alone() -> None:
    assert Mask(["ab"])("ab table ab.") == "*** table ***."


def test_the_beginning_of_a_long_secret_is_enough() -> None:
    secret = "abcdefghijklmnopqrstuvwxyz0123456789"

    assert Mask([secret])(f"found '{secret[:25]}...'") == "found '***qrstuvwxy...'"


def test_lines_of_a_secret_of_several_are_hidden_each() -> None:
    mask = Mask(["first line\nsecond line\nx"])

    assert mask("first line and second line") == "*** and ***"


def test_hosts_have_the_same_placeholder_everywhere() -> None:
    hide = HostMask(["plc.local", "nas"])

    text = hide("PLC.local 10.0.0.7 fd00::7%eth0 nas:/x plc.local [fd00:0::7]:1 lan-box.fritz.box")

    assert text == "host-1 host-2 host-3 host-4:/x host-1 [host-3]:1 host-5"


@pytest.mark.parametrize(
    "text", ["127.0.0.1 ::1 0.0.0.0", "12:34:56", "version 1.2.3.4.5", "Python 3.11.7", "a::b::c"]
)
def test_what_is_no_host_stays(text: str) -> None:
    assert HostMask([])(text) == text
