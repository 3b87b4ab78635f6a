"""Answers that a device still owes, because its requests were repeated while it was only slow."""

from collections.abc import Callable, Sequence

from agent.clock import Deadline
from agent.devices.json.values import Answer, parse

More = Callable[[Deadline], Sequence[bytes]]


class Owed:
    """Waits for the answers to repeated requests; each later read would be behind by as many.

    A device that missed those requests is silent for as long as its first answer took.

    Args:
        echo: A line that is no answer.
        more: The next lines, until a deadline.
    """

    def __init__(self, echo: bytes, more: More) -> None:
        self.count = 0
        self._echo = echo
        self._more = more
        self._slow_s = 0.0  # the longest that an answer takes

    def newest(self, first: Answer, lines: Sequence[bytes], deadline: Deadline) -> Answer:
        """The last answer that comes by the deadline, beginning with the first that came.

        Args:
            lines: What came with it.
        """
        self._slow_s = deadline.timeout_s - _left_s(deadline)
        return self.wait(deadline, lines) or first

    def wait(self, deadline: Deadline, lines: Sequence[bytes] = ()) -> Answer | None:
        """The last answer of those that are owed; later ones are owed to the next read."""
        newest = None
        quiet = Deadline(self._slow_s)
        while self.count:
            for answer in filter(None, map(self._answer, lines)):
                newest, quiet = answer, Deadline(self._slow_s)
                self.count = max(0, self.count - 1)
            left_s = min(_left_s(quiet), _left_s(deadline))
            if not left_s:
                break
            try:
                lines = self._more(Deadline(left_s)) if self.count else ()
            except TimeoutError:
                lines = ()
            except ConnectionError:
                break  # the next read finds that too
        if not _left_s(quiet):
            self.count = 0
        return newest

    def _answer(self, line: bytes) -> Answer | None:
        try:
            return parse(line) if line != self._echo else None
        except ValueError:
            return None


def _left_s(deadline: Deadline) -> float:
    try:
        return deadline.left_s()
    except TimeoutError:
        return 0.0
