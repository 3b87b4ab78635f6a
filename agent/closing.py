"""What is closed at the end of its ``with``."""

from abc import ABC, abstractmethod
from typing import Self


class Closing(ABC):
    """Can be a context manager, since it has ``close()``."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what it holds."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
