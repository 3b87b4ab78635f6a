"""Many devices with a fault each, polled by real agents in this process."""

import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import attrs

from agent.app import App
from agent.config import from_tables
from agent.devices.contract import Kind
from agent.health import DeviceHealth
from agent.store import Reader
from tests.agent_process import wait_for
from tests.matrix.choice import Pair
from tests.matrix.trial import GRACE_S, WELL, Row, Trial, judge
from tests.matrix.truth import CanFreeze
from tests.matrix.watched import Watched, watched

WELL_POLLS = 2
START_S = 30.0  # all is well within 4 s; a busy machine is slower
Kinds = Mapping[str, Callable[[], Kind]]

AT_ONCE = 100  # devices; two cores poll and play four times as many, but not all in time
STOP_S = 10.0
FOREVER_MS = 2**50
LOOK_EVERY_S = 0.05


class Agent:
    """One agent that polls some of the devices, in a thread."""

    def __init__(self, trials: Sequence[Trial], folder: Path, kinds: Kinds) -> None:
        self.trials = trials
        raw = {
            "agent": {"data_dir": str(folder / "data")},
            "store": {"flush_interval_s": 1.0},
            "reports": {"daily": False, "weekly": False},
            "device": [trial.table() for trial in trials],
        }
        config = from_tables(raw, "matrix", folder, kinds, {})
        for trial in trials:
            trial.config = config.device(trial.name)
        self._path = config.store_path
        drivers: list[Watched] = []  # in the order of the devices
        self._app = App(config, {name: watched(kinds[name], drivers.append) for name in kinds})
        for trial, driver in zip(trials, drivers, strict=True):
            trial.driver = driver
        self._thread = threading.Thread(target=self._app.run)

    def __enter__(self) -> "Agent":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._app.stop()
        self._thread.join(STOP_S)
        assert not self._thread.is_alive(), f"an agent did not stop within {STOP_S:g} s"

    def health(self) -> dict[str, DeviceHealth]:
        """Each device as the agent knows it now."""
        return {device.name: device for device in self._app.health.devices()}

    def rows(self) -> Iterator[tuple[Trial, Row]]:
        """What became of each trial; to be asked after the end."""
        with Reader(self._path) as reader:
            for trial in self.trials:
                samples = list(reader.samples(trial.name, 0, FOREVER_MS))
                gaps = reader.gaps(trial.name, 0, FOREVER_MS)
                yield trial, judge(trial, samples, gaps)


def run(pairs: Sequence[Pair], kinds: Kinds, at_once: int = AT_ONCE) -> list[Row]:
    """One row for each kind and fault, in the same order; so many devices are polled at once.

    Where nothing of a fault was seen it is tried once more with a connection that is made anew.
    """
    rows = dict(zip(pairs, _run(pairs, kinds, at_once, is_cut_first=False), strict=True))
    untouched = [(case, fault) for (case, fault), row in rows.items()
                 if row.is_untouched and row.can_be_cut]  # fmt: skip
    for pair, row in zip(
        untouched, _run(untouched, kinds, at_once, is_cut_first=True), strict=True
    ):
        if row.problems or not row.is_untouched:
            rows[pair] = attrs.evolve(row, does=f"{WELL}; a new connection: {row.does}")
    return list(rows.values())


def _run(pairs: Sequence[Pair], kinds: Kinds, at_once: int, *, is_cut_first: bool) -> Iterator[Row]:
    for start in range(0, len(pairs), at_once):
        with tempfile.TemporaryDirectory(prefix="matrix-") as name, ExitStack() as simulators:
            trials = []
            for number, (case, fault) in enumerate(pairs[start : start + at_once]):
                own = Path(name) / str(number)
                own.mkdir()
                simulator = simulators.enter_context(case.simulate(own))
                if isinstance(simulator, CanFreeze):
                    simulator.freeze()
                kind = kinds[case.kind]()
                trials.append(Trial(f"d{number}", case, fault, simulator, kind, is_cut_first))
            yield from _run_at_once(trials, kinds, Path(name))


def _run_at_once(trials: Sequence[Trial], kinds: Kinds, folder: Path) -> Sequence[Row]:
    agents = []
    with _switch_interval_kept(), ExitStack() as running:
        for number, group in enumerate(groups(trials)):
            agent = Agent(group, folder / f"agent{number}", kinds)
            agents.append(running.enter_context(agent))
        _try_all(agents)
    rows = {trial.name: row for agent in agents for trial, row in agent.rows()}
    return [rows[trial.name] for trial in trials]


def groups(trials: Iterable[Trial]) -> list[list[Trial]]:
    """The devices of each agent: no two that want the same to themselves."""
    found: list[list[Trial]] = [[]]
    agents: dict[str, int] = {}  # that have such a device
    for trial in trials:
        number = max((agents.get(each, 0) for each in trial.alone), default=0)
        agents.update(dict.fromkeys(trial.alone, number + 1))
        if number == len(found):
            found.append([])
        found[number].append(trial)
    return [group for group in found if group]


def _try_all(agents: Sequence[Agent]) -> None:
    """Well for some polls, each fault for its time, and well again."""
    try:
        _wait(agents, _is_read_well, START_S)
    except TimeoutError as error:
        raise AssertionError(f"not well before any fault: {_those_not_well(agents)}") from error
    for agent in agents:
        health = agent.health()
        for trial in agent.trials:
            trial.begin(now_ms, health[trial.name])
    tried = [(trial, agent) for agent in agents for trial in agent.trials]
    for trial, agent in sorted(tried, key=lambda each: each[0].over_ms):
        _wait_until(trial.over_ms)
        trial.end(now_ms, agent.health()[trial.name])
    patience_s = max(trial.bound_s for trial, _ in tried)
    try:
        _wait(agents, _is_back, patience_s + 2 * GRACE_S)
    except TimeoutError:
        pass  # the row says whose
    for agent in agents:
        health = agent.health()
        for trial in agent.trials:
            trial.at_last = health[trial.name]


def _is_read_well(_: Trial, device: DeviceHealth) -> bool:
    return device.is_well is True and device.polls >= WELL_POLLS


def _those_not_well(agents: Sequence[Agent]) -> str:
    texts = [
        f"{trial.case.id} {trial.fault} after {device.polls} polls: {device.error}"
        for agent in agents
        for trial, device in zip(agent.trials, agent.health().values(), strict=True)
        if not _is_read_well(trial, device)
    ]
    return "; ".join(texts)


def _is_back(trial: Trial, device: DeviceHealth) -> bool:
    return device.is_well is True and (device.last_ok_ms or 0) >= trial.ended_ms


def _wait(
    agents: Sequence[Agent], is_so: Callable[[Trial, DeviceHealth], bool], timeout_s: float
) -> None:
    def is_so_for_all() -> bool:
        for agent in agents:
            health = agent.health()
            if not all(is_so(trial, health[trial.name]) for trial in agent.trials):
                time.sleep(LOOK_EVERY_S)
                return False
        return True

    wait_for(is_so_for_all, timeout_s)


def _wait_until(ms: int) -> None:
    time.sleep(max(0, ms - now_ms()) / 1000)


def now_ms() -> int:
    """The time as samples have it."""
    return time.time_ns() // 1_000_000


@contextmanager
def _switch_interval_kept() -> Iterator[None]:
    """An agent sets it for its whole process."""
    before_s = sys.getswitchinterval()
    try:
        yield
    finally:
        sys.setswitchinterval(before_s)
