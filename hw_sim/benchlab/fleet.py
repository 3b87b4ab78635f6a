"""Several simulated boards together, as on a test bench."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from hw_sim.benchlab.faults import FAULTS
from hw_sim.benchlab.simulator import BenchlabSimulator
from hw_sim.contract import RunsInside


class Fleet(RunsInside):
    """Boards at the paths PATH0, PATH1 and so on; a single one at PATH itself."""

    FAULTS: ClassVar[Mapping[str, str]] = FAULTS

    def __init__(
        self, path: Path, count: int, product: str, firmware: int | None, seed: int
    ) -> None:
        self._path = path.absolute()
        paths = [path.with_name(f"{path.name}{n}") for n in range(count)] if count > 1 else [path]
        self.boards: Sequence[BenchlabSimulator] = [
            BenchlabSimulator(each, product, firmware, seed=seed + number)
            for number, each in enumerate(paths)
        ]

    @property
    def address(self) -> str:
        """What all their paths begin with."""
        return str(self._path)

    @property
    def write_requests(self) -> int:
        """Of all boards."""
        return sum(board.write_requests for board in self.boards)

    @property
    def requests(self) -> int:
        """How many requests all boards got."""
        return sum(len(board.requests) for board in self.boards)

    def start(self) -> None:
        """Start all, or none.

        Raises:
            OSError: A link can't be made.
        """
        try:
            for board in self.boards:
                board.start()
        except OSError:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop all; twice is fine."""
        for board in self.boards:
            board.stop()

    def set_fault(self, fault: str | None) -> None:
        """Of all boards; ``2 NAME`` of the second one alone, ``2 none`` ends that.

        Raises:
            ValueError: No such fault or board, or an argument it can't have.
        """
        first, _, rest = (fault or "").strip().partition(" ")
        if not first.isdigit():
            for board in self.boards:
                board.set_fault(fault)
            return
        if not 1 <= int(first) <= len(self.boards):
            raise ValueError(f"no board {first}: there are boards 1 to {len(self.boards)}")
        name = rest.strip()
        self.boards[int(first) - 1].set_fault(None if name in ("", "none") else name)
