"""Simulated stations whose answers are numbered: which of them lie in a store, and how often."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hw_sim.json import JsonSimulator
from tests.proofs.stored import rows_of


class Numbered:
    """A station that counts its answers; the number is the metric ``n``."""

    def __init__(self) -> None:
        self._sessions: list[int] = []  # of each look at the clock; the first is its own start
        self.simulator = JsonSimulator("request", clock=self._count)

    def _count(self) -> float:
        self._sessions.append(self.simulator.sessions if len(self._sessions) else 0)
        return float(len(self._sessions))

    @property
    def answers(self) -> int:
        """How many it gave; each look at the clock is one."""
        return len(self._sessions) - 1

    def device(self, name: str, interval_s: float = 0.1) -> str:
        """Its ``[[device]]`` table."""
        return (
            f'[[device]]\nname = "{name}"\nkind = "json"\nhost = "127.0.0.1"\n'
            f'port = {self.simulator.port}\nrequest = "report"\n'
            f"interval_s = {interval_s}\ntimeout_s = 2.0\n"
            '[[device.tag]]\nname = "n"\npath = "uptime_s"\ntype = "INT"'
        )

    def lost_and_doubled(self, path: Path, device: str) -> tuple[list[int], list[int]]:
        """Numbers of answers that are missing in the file, and those that are there twice.

        The last answer of a connection may have been on its way when the agent was killed.
        """
        stored = Counter(int(row.text.strip("[]")) for row in rows_of(path, device))
        in_hand = {
            number
            for number in range(1, self.answers + 1)
            if number == self.answers or self._sessions[number] != self._sessions[number + 1]
        }
        lost = set(range(1, self.answers + 1)) - set(stored) - in_hand
        return sorted(lost), sorted(number for number, count in stored.items() if count > 1)


@contextmanager
def numbered(count: int) -> Iterator[list[Numbered]]:
    """So many stations on free ports."""
    with ExitStack() as stack:
        stations = [Numbered() for _ in range(count)]
        for station in stations:
            stack.enter_context(station.simulator)
        yield stations
