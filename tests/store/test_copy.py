"""A copy of the store, also where root makes it in a folder of somebody else."""

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.model import Sample
from agent.store import Store
from agent.store.copy import copy_store
from agent.store.query import Reader
from tests.fakes import FakeClock

SERVICE = (64123, 64124)  # a user and a group that nobody has here
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder with a store, below one that only root writes to; both are the service's."""
    with tempfile.TemporaryDirectory() as above:
        Path(above).chmod(0o755)
        folder = Path(above, "data")
        folder.mkdir()
        clock = FakeClock()
        store = Store(folder / "telemetry.db", clock)
        store.add_device("host", "host", 1.0)
        store.append(Sample("host", clock.stamp(), {"x": 1}))
        assert store.flush()
        store.close()
        if os.getuid() == 0:
            for path in (folder, *folder.iterdir()):
                os.chown(path, *SERVICE)
        folder.chmod(0o2770)
        (folder / "telemetry.db").chmod(0o660)
        yield folder


def test_a_copy_has_all_and_is_its_owners(shared: Path) -> None:
    copy_store(shared / "telemetry.db", shared / "copy")

    found, wanted = (shared / "copy").stat(), (shared / "telemetry.db").stat()
    assert (found.st_uid, found.st_gid) == (wanted.st_uid, wanted.st_gid)
    assert stat.S_IMODE(found.st_mode) == 0o660
    with Reader(shared / "copy") as reader:
        assert [device.name for device in reader.devices()] == ["host"]


@needs_root
def test_root_writes_with_the_rights_of_the_folders_owner_and_has_its_own_again(
    shared: Path,
) -> None:
    before = os.geteuid(), os.getegid(), os.getgroups()
    (shared / "telemetry.db").chmod(0o660)
    os.chown(shared / "telemetry.db", 0, 0)  # the owner of the folder may not read it

    with pytest.raises(StoreError, match=r"telemetry\.db"):
        copy_store(shared / "telemetry.db", shared / "copy")

    assert not (shared / "copy").exists()
    assert (os.geteuid(), os.getegid(), os.getgroups()) == before


def test_a_link_that_is_there_is_not_written_through(shared: Path) -> None:
    (shared / "copy").symlink_to(shared.parent / "victim")

    with pytest.raises(StoreError, match="cannot write"):
        copy_store(shared / "telemetry.db", shared / "copy")

    assert not (shared.parent / "victim").exists()
