"""Units of a serial line that may still answer an earlier request, and what ends that doubt.

Answers carry no number there: one that is late would be taken for that to the next request.
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import Final

import attrs

from agent.clock import Deadline
from agent.devices.modbus.connection import RtuConnection, SilentError
from agent.devices.modbus.plan import Block, Limits, Request, odd_request
from agent.devices.modbus.refusals import RefusedError
from agent.devices.modbus.types import Cells
from agent.devices.modbus.wire import NoFrameError

MOST_WAITING: Final = 4  # requests that a slow unit may have to answer, each as late as the first
LONGEST_SILENCE_S: Final = 30.0  # enough for any unit
SHORTEST_SILENCE_S: Final = 0.01  # what came while nobody listened is there by then
FAIR_SHARE: Final = 0.5  # of the time for a request: who is silent so long does not like it


class LateError(TimeoutError):
    """What the unit says is not taken: it may be the answer to an earlier request."""

    def __init__(self, unit_id: int) -> None:
        text = f"unit {unit_id} did not answer in time before: waiting until no late answer"
        super().__init__(f"{text} can come, so that none gets into a wrong tag; raise timeout_s")


@attrs.define
class Doubt:
    """A unit that may still answer what it was asked ``since_s``.

    ``under_way``: area and bytes of those answers. ``is_answered``: it said something since, and
    once ``heard_s`` is long enough ago (``must_rest``) no more is to come.
    """

    since_s: float
    under_way: set[tuple[str, int]] = attrs.Factory(set)
    heard_s: float = 0.0
    is_answered: bool = False
    is_silent: bool = False  # to what it was asked last
    must_rest: bool = False


class Doubts:
    """What is not sure on one serial line; outlives its connections, as late answers do.

    Args:
        plan: What is read of a unit.
        limits: Of one answer.
        timeout_s: Of one poll.
        clock: Seconds that only rise.
    """

    def __init__(
        self,
        plan: Callable[[int], Sequence[Block]],
        limits: Limits,
        timeout_s: float,
        clock: Callable[[], float],
    ) -> None:
        self._plan = plan
        self._limits = limits
        self._timeout_s = timeout_s
        self._clock = clock
        self._doubts: dict[int, Doubt] = {}
        self._shy: set[int] = set()  # units that answer no odd request

    def ask(self, line: RtuConnection, request: Request, deadline: Deadline) -> Cells:
        """As ``Connection.ask``; what is no frame is asked for again, since noise is usual."""
        if request.unit_id in self._doubts:
            self._end(line, request, deadline)
        since_s = self._clock()
        try:
            return line.ask(request, deadline)
        except NoFrameError:
            self._begin(request, since_s)  # both may be answered
            return line.ask(request, deadline)
        except (OSError, ValueError):
            self._begin(request, since_s)
            raise

    def _begin(self, request: Request, since_s: float) -> None:
        answer = request.area, request.size_bytes
        self._doubts[request.unit_id] = Doubt(since_s, {answer})

    def _end(self, line: RtuConnection, request: Request, deadline: Deadline) -> None:
        """Ask what no former request can be answered with: its answer is the end of all of those.

        A unit that was silent to this is asked as always first, to see whether it is there at
        all. If it likes only such requests, what ends the doubt is a long silence.
        """
        unit_id = request.unit_id
        doubt, begin_s = self._doubts[unit_id], self._clock()
        odd = None
        if not doubt.must_rest and unit_id not in self._shy:
            odd = odd_request(self._plan(unit_id), doubt.under_way, self._limits)
        if not doubt.must_rest and (odd is None or doubt.is_silent):
            self._hear(line, request, doubt, deadline)
            doubt.must_rest = odd is None
            if odd and deadline.left_s() < FAIR_SHARE * deadline.timeout_s:
                raise LateError(unit_id)
        if odd is None:
            self._rest(line, unit_id, doubt, deadline)
        else:
            self._ask_odd(line, odd, doubt, deadline)
        del self._doubts[unit_id]
        if deadline.left_s() < self._clock() - begin_s:  # else too short, and in doubt once more
            raise LateError(unit_id)

    def _hear(
        self, line: RtuConnection, request: Request, doubt: Doubt, deadline: Deadline
    ) -> None:
        """Ask for anything at all, and take nothing of it."""
        doubt.is_silent = True
        try:
            self._exchange(line, request, doubt, deadline)
        except SilentError:
            self._shy.discard(request.unit_id)  # perhaps it was just off
            raise
        doubt.is_silent = False
        doubt.is_answered = True
        doubt.heard_s = self._clock()

    def _ask_odd(self, line: RtuConnection, odd: Request, doubt: Doubt, deadline: Deadline) -> None:
        try:
            self._exchange(line, odd, doubt, deadline)
        except SilentError:
            doubt.is_silent = True
            if doubt.is_answered:
                self._shy.add(odd.unit_id)
                doubt.must_rest = True
            raise
        except (OSError, ValueError):
            doubt.is_silent = True
            raise

    def _exchange(
        self, line: RtuConnection, request: Request, doubt: Doubt, deadline: Deadline
    ) -> None:
        doubt.under_way.add((request.area, request.size_bytes))
        with contextlib.suppress(RefusedError):
            line.ask(request, deadline)

    def _rest(self, line: RtuConnection, unit_id: int, doubt: Doubt, deadline: Deadline) -> None:
        """Listen, as long as late answers may come: so late as the first, each of them.

        Raises:
            LateError: It goes on in the next poll.
        """
        late_s = min(MOST_WAITING * (doubt.heard_s - doubt.since_s), LONGEST_SILENCE_S)
        wanted_s = doubt.heard_s + max(late_s, self._timeout_s) - self._clock()
        left_s = deadline.left_s()
        if not line.is_silent(min(max(wanted_s, SHORTEST_SILENCE_S), left_s)):
            doubt.heard_s = self._clock()
            raise LateError(unit_id)
        if wanted_s > left_s:
            raise LateError(unit_id)


@attrs.frozen
class SureConnection:
    """A serial line whose answers are those to what was asked."""

    line: RtuConnection
    doubts: Doubts

    def ask(self, request: Request, deadline: Deadline) -> Cells:
        return self.doubts.ask(self.line, request, deadline)

    def close(self) -> None:
        self.line.close()
