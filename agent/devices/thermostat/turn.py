"""When something that is asked seldom is to be asked, and how failures put that off."""

from typing import Final

import attrs

EVERY_S: Final = 3600.0
RETRY_S: Final = 10.0  # after a failure; twice as long after each further one


@attrs.define
class Turn:
    """Due at once, until it is asked."""

    due_s: float = 0.0
    failures: int = 0  # in a row

    def succeed(self, now_s: float) -> None:
        """It was answered."""
        self.due_s, self.failures = now_s + EVERY_S, 0

    def fail(self, now_s: float) -> None:
        """It was not, or there is no use in asking."""
        self.due_s = now_s + min(RETRY_S * 2**self.failures, EVERY_S)
        self.failures = min(self.failures + 1, 10)

    def hurry(self, now_s: float) -> None:
        """Ask anew: at once, but what failed before only soon, and it fails for as long again."""
        self.due_s = min(self.due_s, now_s + RETRY_S) if self.failures else 0.0
