"""One connection to a thermostat: asks, and gets the answer to what it asked, in time."""

from collections.abc import Mapping
from typing import Final

from agent.clock import Deadline
from agent.devices.links.link import Link, Stream
from agent.devices.thermostat.fields import SIGN
from agent.devices.thermostat.wire import LINE_LIMIT, Json, channels, parse_line, shown

# All that is ever sent. None of these changes anything: commands that do have arguments.
QUERIES: Final = frozenset(
    {"report", "output", "pwm", "pid", "b-p", "s-h", "postfilter", "hwrev", "ipv4", "fan"}
)


class UnaskedError(ValueError):
    """The device spoke without being asked, so its next answer may not be to our next request."""


class Session:
    """Requests and answers in step, one after the other; made over a link that is open."""

    def __init__(self, link: Link) -> None:
        self._stream = Stream(link)

    def ask(self, query: str, deadline: Deadline) -> Json:
        """The answer to one of ``QUERIES``.

        Raises:
            RefusedError: It is an error.
            UnaskedError: Something came before we asked.
            ValueError: It is no line of JSON.
            OSError: No answer in time, or the connection ended.
        """
        assert query in QUERIES
        self.check_silence()
        self._stream.send(f"{query}\n".encode("ascii"), deadline)
        return parse_line(self._stream.line(LINE_LIMIT, deadline))

    def check_silence(self) -> None:
        """See that nothing came since the last answer.

        Raises:
            UnaskedError: Something did.
            OSError: The connection ended.
        """
        unasked = self._stream.drain(LINE_LIMIT)
        if unasked:
            text = shown(unasked.decode("latin-1"))
            raise UnaskedError(f"wanted silence before a request, got {text}")

    def is_silent(self, deadline: Deadline) -> bool:
        """Whether nothing comes until the deadline; waits for it.

        Raises:
            OSError: The connection ended.
        """
        try:
            self._stream.link.receive(64, deadline)
        except TimeoutError:
            return True
        return False

    def close(self) -> None:
        """End it; twice is fine."""
        self._stream.close()


def ask_report(session: Session, deadline: Deadline) -> Mapping[int, Mapping[str, Json]]:
    """The objects of a report by their channel; errors as ``Session.ask``."""
    return channels(session.ask("report", deadline), SIGN, "a report")
