"""What the one file runs: the agent, with what is seldom needed still packed."""

import sys
from pathlib import Path

import pyimod02_importers  # type: ignore[import-not-found]

# This program, also when a newer one took its name: modules are read when they are first needed.
pyimod02_importers.pyz_archive._filename = "/proc/self/exe"
INSIDE = Path(sys._MEIPASS)  # type: ignore[attr-defined]


class OnDemand:
    """Makes ready what build/agent.spec packed, when the first module of it is imported."""

    def find_spec(self, name: str, *_: object) -> object:
        """Finds what is loaded out of its archive; the rest the usual finders do, after this."""
        if name == "apsw" and (INSIDE / "sql.zip").exists():
            return from_memory(name, INSIDE / "sql.zip")
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
        return None


def from_memory(name: str, path: Path) -> object:
    """A compiled module that is the only file of an archive.

    The unpacked copy of a service is somebody else's, and stays as it is: nothing is written.
    """
    import os
    import zipfile
    from importlib.machinery import ExtensionFileLoader
    from importlib.util import spec_from_loader

    with zipfile.ZipFile(path) as archive:
        content = archive.read(archive.namelist()[0])
    # Open until the end: the names of functions are looked up in it.
    with os.fdopen(os.memfd_create(name), "wb", closefd=False) as stream:
        stream.write(content)
        found = f"/proc/self/fd/{stream.fileno()}"
    return spec_from_loader(name, ExtensionFileLoader(name, found), origin=found)


sys.meta_path.insert(0, OnDemand())

from agent.cli import main  # noqa: E402 - the finder comes first

main(prog_name="agent")
