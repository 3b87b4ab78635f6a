"""Jobs in processes of their own, which are killed when one read does not end."""

import faulthandler
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any

import attrs

from tests.fuzz.run import Outcome, fuzz
from tests.fuzz.targets import Target

READ_LIMIT_S = 60.0  # of one read, whose deadline is 3 s
LOOK_EVERY_S = 0.5
DUMP_S = 1.0
FORK = multiprocessing.get_context("fork")


@attrs.frozen
class Job:
    """So many answers to a target."""

    target: Target
    answers: int
    seed: int


def outcomes_of(
    jobs: Iterable[Job], processes: int, read_limit_s: float = READ_LIMIT_S
) -> Iterator[Outcome]:
    """What comes of each, as they end.

    A process for each job, so that the memory of one says nothing about that of another.
    """
    left, running = deque(jobs), list[Worker]()
    try:
        while left or running:
            while left and len(running) < processes:
                running.append(Worker(left.popleft()))
            wait([worker.result for worker in running], LOOK_EVERY_S)
            for worker in list(running):
                outcome = worker.outcome(read_limit_s)
                if outcome is not None:
                    running.remove(worker)
                    yield outcome
    finally:
        for worker in running:
            worker.kill()


class Worker:
    """One job in a process."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._began_s = FORK.RawValue("d", time.monotonic())  # the read that runs
        self.result, theirs = FORK.Pipe(duplex=False)
        self._process = FORK.Process(target=_work, args=(job, self._began_s, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def outcome(self, read_limit_s: float) -> Outcome | None:
        """What came of it; ``None`` while it runs, an outcome that says so when it hangs."""
        name = self._job.target.name
        if self.result.poll():
            try:
                outcome: Outcome = self.result.recv()
            except EOFError:
                self._process.join()
                outcome, code = Outcome(name), self._process.exitcode
                outcome.note(f"its process ended with {code} (seed {self._job.seed})")
            self._end()
            return outcome
        if time.monotonic() - self._began_s.value <= read_limit_s:
            return None
        self._show()
        self.kill()
        outcome = Outcome(name)
        outcome.note(f"a read did not end within {read_limit_s:g} s (seed {self._job.seed})")
        return outcome

    def _show(self) -> None:
        """Where it is goes to standard error."""
        if self._process.pid is not None:
            os.kill(self._process.pid, signal.SIGUSR1)
            self._process.join(DUMP_S)

    def kill(self) -> None:
        """End it now."""
        self._process.kill()
        self._end()

    def _end(self) -> None:
        self._process.join()
        self.result.close()


def _work(job: Job, began_s: Any, result: Connection) -> None:
    faulthandler.register(signal.SIGUSR1, file=2)

    def begin() -> None:
        began_s.value = time.monotonic()

    result.send(fuzz(job.target, job.answers, job.seed, begin))
