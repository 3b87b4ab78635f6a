"""A disk whose power can be cut again and again: a copy of it has what had reached it by then.

An ext4 image lies in another file system, which is frozen while the image is copied. So the copy
is of one moment, what waits in the page cache of the mounted image is not in it, and whoever
writes there is not stopped. Copied without that, the end of the image would be younger than its
beginning: no power cut leaves such a disk.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from tests.loop_disk import TOOLS, DiskError, lacking, made, mounted, run

OUTER_MB, IMAGE_MB = 200, 96


def missing_disk(place: Path) -> str:
    """Why there can't be such a disk here; empty when there can."""
    if missing := lacking((*TOOLS, "fsfreeze")):
        return missing
    try:
        with mounted(made(place / "trial.image", 1), place / "trial"):
            return ""
    except DiskError as exc:
        return str(exc)


class CutDisk:
    """Mounted at ``folder`` for as long as the ``with`` lasts."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._outer = place / "outer"
        self._image = self._outer / "image"
        self.folder = place / "disk"
        self._mounts = ExitStack()
        self._cuts = 0

    def __enter__(self) -> Self:
        with self._mounts as mounts:
            outer = made(self._place / "outer.image", OUTER_MB)
            mounts.enter_context(mounted(outer, self._outer))
            mounts.enter_context(mounted(made(self._image, IMAGE_MB), self.folder))
            self._mounts = mounts.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._mounts.close()

    @contextmanager
    def cut(self) -> Iterator[Path]:
        """The disk as it is found after the power went just now."""
        self._cuts += 1  # an older copy may still be mounted, see below
        copy, found = self._place / f"cut{self._cuts}.image", self._place / f"cut{self._cuts}"
        run("fsfreeze", "--freeze", str(self._outer))
        try:
            run("cp", "--sparse=always", str(self._image), str(copy))
        finally:
            run("fsfreeze", "--unfreeze", str(self._outer))
        with mounted(copy, found):
            yield found
        copy.unlink()
        found.rmdir()
