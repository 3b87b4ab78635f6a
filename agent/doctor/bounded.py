"""Calls that may never return, given up in time: a dead network drive stops nobody."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class NotYetError(TimeoutError):
    """A call has not come to its end."""


class Call(Generic[T]):
    """A function that runs in a thread of its own from now on; nothing waits for its end."""

    def __init__(self, function: Callable[[], T], name: str) -> None:
        self._function = function
        self._answer: T
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def answer(self, within_s: float) -> T:
        """What the function returned.

        Raises:
            NotYetError: It has not returned yet.
            BaseException: What it raised.
        """
        self._thread.join(max(0.0, within_s))
        if self._thread.is_alive():
            raise NotYetError(f"no end within {within_s:g} s")
        if self._error is not None:
            raise self._error
        return self._answer

    def _run(self) -> None:
        try:
            self._answer = self._function()
        except BaseException as exc:  # noqa: BLE001 - raised where the answer is wanted
            self._error = exc
