"""The words that options are declared with: ranges, choices, and faults between options."""

import re
from typing import Annotated, Any

import attrs


@attrs.frozen
class Between:
    """A number from ``low`` to ``high``, both allowed."""

    low: float
    high: float
    unit: str = ""

    def allows(self, value: Any) -> bool:
        return bool(self.low <= value <= self.high)

    def __str__(self) -> str:
        return f"{decimal(self.low)} to {decimal(self.high)}" + (
            f" {self.unit}" if self.unit else ""
        )


def decimal(value: float) -> str:
    """A number with all its digits, and no point where it needs none.

    >>> decimal(36500.0), decimal(0.01), decimal(-1e15)
    ('36500', '0.01', '-1e+15')
    """
    return f"{value:.15g}"


@attrs.frozen
class OneOf:
    """One of some words."""

    words: tuple[str, ...]

    def allows(self, value: Any) -> bool:
        return value in self.words

    def __str__(self) -> str:
        return "one of " + ", ".join(repr(word) for word in self.words)


@attrs.frozen
class Length:
    """A text of ``low`` to ``high`` characters."""

    low: int
    high: int

    def allows(self, value: Any) -> bool:
        return self.low <= len(value) <= self.high

    def __str__(self) -> str:
        return f"a text of {self.low} to {self.high} characters"


@attrs.frozen
class HostName:
    """An IPv4 or IPv6 address, or a name, of a device in the network."""

    def allows(self, value: str) -> bool:
        import ipaddress

        if not 1 <= len(value) <= 253:
            return False
        address, _, zone = value.partition("%")
        if ":" not in address and not re.fullmatch(r"[0-9.]+", value):
            return re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", value) is not None
        if "%" in value and not re.fullmatch(r"[A-Za-z0-9_.-]+", zone):
            return False
        try:
            ipaddress.ip_address(address)
        except ValueError:
            return False
        return True

    def hint(self, value: str) -> str:
        """What to leave out, where that is plain.

        >>> HostName().hint("http://plc:102"), HostName().hint("plc ")
        (", without 'http://'; the port is an option of its own: port = 102", ', without blanks')
        """
        found = re.fullmatch(
            r"\s*([A-Za-z]{1,9}://)?(\[[^\]]*\]|[^:/]*)(?::(\d{1,5}))?(/.*)?\s*", value
        )
        if found is None:
            return ", without blanks" if re.search(r"\s", value) else ""
        scheme, host, port, path = found.groups()
        hint = f", without {scheme!r}" if scheme else ""
        hint += ", without [ ]" if host.startswith("[") else ""
        hint += f", without {path[:20]!r}" if path else ""
        hint += ", without blanks" if re.search(r"\s", value) else ""
        return hint + (f"; the port is an option of its own: port = {port}" if port else "")

    def __str__(self) -> str:
        return 'an address or a name such as "192.168.0.10"'


@attrs.frozen
class OptionFault:
    """A fault that shows only when options are seen together; ``key`` as in ``tag[2].address``."""

    key: str
    found: object
    allowed: str
    hint: str = ""


@attrs.frozen
class Claim:
    """What a device needs to itself: two enabled ones that claim the same are a fault.

    Options say so in a property ``claims``.

    Args:
        what: As the fault names it, such as ``the serial port /dev/ttyUSB0``.
        hint: What to do instead.
        is_alone: ``False`` claims a share, which only one who is alone disputes.
    """

    what: str
    hint: str = ""
    is_alone: bool = True


Port = Annotated[int, Between(1, 65535)]
Host = Annotated[str, HostName()]


@attrs.frozen
class Secret:
    """A text that no log, error or table shows; ``value`` is it."""

    value: str = attrs.field(repr=False)

    def __str__(self) -> str:
        return "***"
