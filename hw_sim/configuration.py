"""The ``agent.toml`` of simulated devices."""

from collections.abc import Sequence
from pathlib import Path


def configuration(header: str, data_dir: str, tables: Sequence[str]) -> str:
    """A whole ``agent.toml``; it begins with the header, which says whose it is."""
    sections = [f'[agent]\ndata_dir = "{data_dir}"', "[store]\nflush_interval_s = 2.0", *tables]
    return header + "\n" + "\n\n".join(section.strip() for section in sections) + "\n"


def is_free(file: Path, header: str) -> bool:
    """Whether writing the file costs nobody anything: it is not there, or has our header.

    Raises:
        OSError: It can't be read.
    """
    return not file.exists() or file.read_text("utf-8", "replace").startswith(header)


def write(file: Path, text: str) -> None:
    """Replace the file whole: whoever waits for it never sees half of it."""
    beside = file.with_name(f".{file.name}.new")
    beside.write_text(text, "utf-8")
    beside.replace(file)
