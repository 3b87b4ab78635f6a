"""What a table of a BENCHLAB board may say."""

import pytest

from agent.config.structure import structure
from agent.devices.benchlab import Options


@pytest.mark.parametrize("uid", ["", "2C003D001457435735363620", "2c003d001457435735363620"])
def test_a_uid_of_24_hex_digits_or_none_is_taken(uid: str) -> None:
    options, faults = structure({"uid": uid}, Options)

    assert faults == []
    assert options == Options(uid=uid)


@pytest.mark.parametrize(
    ("uid", "hint"),
    [
        ("2C003D0014574357353636", ""),
        ("2C003D0014574357353636GG", ""),
        (
            "2C:00:3D:00:14:57:43:57:35:36:36:20",
            ', write it as "2C003D001457435735363620"',
        ),
        ("0x2C003D001457435735363620", ', write it as "2C003D001457435735363620"'),
    ],
)
def test_any_other_uid_is_refused(uid: str, hint: str) -> None:
    _, faults = structure({"uid": uid}, Options)

    allowed = 'the 24 hex digits that "agent discover" shows, or "" for whichever board is found'
    assert faults == [("uid", f"found {uid!r}, allowed: {allowed}{hint}")]
