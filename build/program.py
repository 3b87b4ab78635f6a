"""What the one file runs: the agent, with what is seldom needed still packed."""

import sys
from pathlib import Path

import pyimod02_importers  # type: ignore[import-not-found]

# This program, also when a newer one took its name: modules are read when they are first needed.
pyimod02_importers.pyz_archive._filename = "/proc/self/exe"
INSIDE = Path(sys._MEIPASS)  # type: ignore[attr-defined]


class OnDemand:
    """Makes ready what build/agent.spec packed, when the first module of it is imported."""

    def find_spec(self, name: str, *_: object) -> None:
        """Never finds anything itself: the usual finders do, after this."""
        if name == "_ssl" and not any(INSIDE.glob("libssl*")):
            # Imported here: each command would pay for it otherwise.
            import importlib
            import zipfile

            # TLS is a third of all libraries: without it, each start is 20 ms shorter.
            with zipfile.ZipFile(INSIDE / "tls.zip") as archive:
                archive.extractall(INSIDE)
            importlib.invalidate_caches()
        elif name == "tzdata":
            # For machines without a tzdata package; its 600 files would be unpacked at each start.
            sys.path.append(str(INSIDE / "tzdata.zip"))


sys.meta_path.insert(0, OnDemand())

from agent.cli import main  # noqa: E402 - the finder comes first

main(prog_name="agent")
