"""Figures that the tests measure on the way; they are shown at the end, and judge nothing."""

from collections.abc import Iterator


class Figures:
    """What was measured, in the order it was."""

    def __init__(self) -> None:
        self._lines: list[tuple[str, str]] = []

    def note(self, what: str, value: float | str, unit: str = "") -> None:
        """Remember one."""
        text = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
        self._lines.append((what, f"{text} {unit}".strip()))

    def lines(self) -> Iterator[str]:
        """All of them, as a table."""
        width = max((len(what) for what, _ in self._lines), default=0)
        yield from (f"{what:{width}}  {text}" for what, text in self._lines)
