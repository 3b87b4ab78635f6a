"""The service as systemd knows it: started, stopped, asked how it is."""

from collections.abc import Mapping

import attrs

from agent.errors import AgentError
from agent.service.commands import Runner, TooSlowError, must
from agent.service.paths import UNIT_NAME

PROPERTIES = ("ActiveState", "SubState", "Result", "MainPID", "NRestarts", "UnitFileState")
STOP_S = 60.0  # the unit allows 20


@attrs.frozen
class Service:
    """How the service is now."""

    active: str  # "active", "activating", "deactivating", "inactive", "failed"
    sub: str
    result: str
    pid: int
    restarts: int
    enabled: str

    @property
    def is_running(self) -> bool:
        """Whether it runs, or is about to."""
        return self.active in ("active", "activating", "reloading", "deactivating")


class Systemd:
    """The systemd of the machine, or of one user."""

    def __init__(self, runner: Runner, *, is_user: bool) -> None:
        self._runner = runner
        self._scope = ("--user",) if is_user else ()
        self._is_user = is_user

    def service(self) -> Service:
        """How the service is now.

        Raises:
            AgentError: systemd does not answer.
        """
        words = ("show", UNIT_NAME, f"--property={','.join(PROPERTIES)}")
        facts = _facts(self._systemctl(*words))
        return Service(
            facts.get("ActiveState", ""), facts.get("SubState", ""), facts.get("Result", ""),
            _number(facts.get("MainPID")), _number(facts.get("NRestarts")),
            facts.get("UnitFileState", ""),
        )  # fmt: skip

    def seen(self) -> Service:
        """As ``service()``; nothing runs where systemd is not there, which only a dry run meets.

        Raises:
            TooSlowError: systemd is there, and does not answer in time.
        """
        try:
            return self.service()
        except TooSlowError:
            raise
        except AgentError:
            return Service("", "", "", 0, 0, "")

    def reload(self) -> None:
        """Have it read the unit again."""
        self._systemctl("daemon-reload")

    def enable(self) -> None:
        """Start it at boot from now on."""
        self._systemctl("--quiet", "enable", UNIT_NAME)

    def disable(self) -> None:
        """Start it at boot no more."""
        self._systemctl("--quiet", "disable", UNIT_NAME)

    def start(self) -> None:
        """Start it, without waiting for it; what failed before is forgotten."""
        self.forget_failures()
        self._systemctl("start", "--no-block", UNIT_NAME)

    def stop(self) -> None:
        """Stop it, and wait until it has ended."""
        self._systemctl("stop", UNIT_NAME, timeout_s=STOP_S)

    def forget_failures(self) -> None:
        """Forget how often it failed; no error where it is not known."""
        path = self._runner.find("systemctl")
        if path is not None:
            self._runner.run(path, *self._scope, "reset-failed", UNIT_NAME)

    def journal(self, lines: int, since_ms: int) -> list[str]:
        """The newest lines of its log since a time; empty where they can't be had."""
        path = self._runner.find("journalctl")
        if path is None:
            return []
        unit = "--user-unit" if self._is_user else "--unit"
        since = f"--since=@{since_ms // 1000}"
        words = ("--no-pager", "--output=cat", f"--lines={lines}", since, unit, UNIT_NAME)
        try:
            result = self._runner.run(path, *words)
        except AgentError:
            return []
        found = [line for line in result.out.splitlines() if line.strip()]
        return [] if result.code else [line for line in found if not line.startswith("-- ")]

    def _systemctl(self, *words: str, timeout_s: float = 30.0) -> str:
        return must(self._runner, "systemctl", *self._scope, *words, timeout_s=timeout_s).out


def _facts(text: str) -> Mapping[str, str]:
    pairs = (line.partition("=") for line in text.splitlines())
    return {key: value for key, _, value in pairs}


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0
