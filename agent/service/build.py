"""Which build of the one file runs here; loads nothing large, as ``agent version`` asks it."""

import json
import sys
from pathlib import Path

BUILD_FILE = "build.json"  # written by build/agent.spec


def unpacked_folder() -> Path | None:
    """The folder with what is inside of the one file; ``None`` from source."""
    folder = getattr(sys, "_MEIPASS", None)
    return Path(folder) if folder else None


def this_build() -> str | None:
    """Names the build: SHA-256 of what went in; ``None`` from source."""
    folder = unpacked_folder()
    if folder is None:
        return None
    try:
        found = json.loads((folder / BUILD_FILE).read_text("utf-8")).get("build")
    except (OSError, ValueError, AttributeError):
        return None
    return found if isinstance(found, str) else None
