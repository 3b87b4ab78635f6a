"""Entries of the journal, as its protocol has them; and what happens when it takes none."""

import io
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from agent.logs import JournalFormatter, MessageFormatter
from agent.service.journal import KEPT, JournalHandler
from tests.service.listener import Listener

LARGE = "x" * 3_000_000  # more than a datagram takes


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Listener]:
    with Listener(tmp_path / "journal") as listener:
        yield listener


class Logger:
    """A logger of its own with the journal's handler, and a file as its standard error."""

    def __init__(self, path: Path, stream: io.TextIOWrapper) -> None:
        self.handler = JournalHandler(stream, JournalFormatter().format, path)
        self.handler.setFormatter(MessageFormatter())
        self.log = logging.Logger("agent.poller", logging.DEBUG)  # noqa: LOG001 - known to nobody
        self.log.addHandler(self.handler)


@pytest.fixture
def stream(tmp_path: Path) -> Iterator[io.TextIOWrapper]:
    with (tmp_path / "stderr").open("w", encoding="utf-8") as stream:
        yield stream


@pytest.fixture
def logger(journal: Listener, stream: io.TextIOWrapper) -> Iterator[Logger]:
    logger = Logger(Path(journal.address), stream)
    yield logger
    logger.handler.close()


def test_an_entry_has_its_level_its_device_and_its_place(
    logger: Logger, journal: Listener, tmp_path: Path
) -> None:
    logger.log.warning("%s: no answer", "plc", extra={"device": "plc"})

    (entry,) = journal.entries
    line = entry.pop("CODE_LINE")
    assert int(line) > 0
    assert entry == {
        "MESSAGE": "plc: no answer",
        "PRIORITY": "4",
        "SYSLOG_IDENTIFIER": "agent",
        "LOGGER": "agent.poller",
        "THREAD_NAME": "MainThread",
        "CODE_FILE": __file__,
        "CODE_FUNC": "test_an_entry_has_its_level_its_device_and_its_place",
        "DEVICE": "plc",
    }
    assert (tmp_path / "stderr").read_text() == ""


@pytest.mark.parametrize(
    ("level", "priority"),
    [
        (logging.DEBUG, "7"),
        (logging.INFO, "6"),
        (logging.WARNING, "4"),
        (logging.ERROR, "3"),
        (logging.CRITICAL, "2"),
        (25, "6"),
    ],
)
def test_levels_are_those_of_the_journal(
    level: int, priority: str, logger: Logger, journal: Listener
) -> None:
    logger.log.log(level, "text")

    assert [entry["PRIORITY"] for entry in journal.entries] == [priority]
    assert "DEVICE" not in journal.entries[0]


def test_a_traceback_stays_one_entry(logger: Logger, journal: Listener) -> None:
    try:
        raise ValueError("a bug\nin two lines")
    except ValueError:
        logger.log.exception("plc failed")

    (entry,) = journal.entries
    assert entry["MESSAGE"].startswith("plc failed\nTraceback")
    assert entry["MESSAGE"].endswith("ValueError: a bug\nin two lines")
    assert entry["EXCEPTION"].startswith("Traceback")


def test_what_devices_say_adds_no_field_and_steers_no_terminal(
    logger: Logger, journal: Listener
) -> None:
    logger.log.error("plc: \x1b[2J\nPRIORITY=0\nDEVICE=other")

    (entry,) = journal.entries
    assert entry["MESSAGE"] == "plc: \\x1b[2J\nPRIORITY=0\nDEVICE=other"
    assert entry["PRIORITY"] == "3"
    assert "DEVICE" not in entry


def test_what_is_too_large_for_a_datagram_goes_as_a_sealed_file(
    logger: Logger, journal: Listener, tmp_path: Path
) -> None:
    logger.log.info(LARGE)
    logger.log.info("small")

    assert [entry["MESSAGE"] for entry in journal.entries] == [LARGE, "small"]
    assert (tmp_path / "stderr").read_text() == ""


def test_without_a_journal_lines_with_levels_go_to_standard_error(
    tmp_path: Path, stream: io.TextIOWrapper
) -> None:
    logger = Logger(tmp_path / "nothing here", stream)

    logger.log.warning("one\ntwo")
    logger.log.info("three")
    logger.handler.close()

    assert (tmp_path / "stderr").read_text() == "<4>one\n<4>two\n<6>three\n"


def test_a_journal_that_comes_back_is_used_again(tmp_path: Path, stream: io.TextIOWrapper) -> None:
    path = tmp_path / "journal"
    logger = Logger(path, stream)

    with Listener(path) as journal:
        logger.log.info("one")
        before = journal.entries
    logger.log.info("two")
    path.unlink()
    with Listener(path) as journal:
        logger.log.info("three")
        after = journal.entries
    logger.handler.close()

    assert [entry["MESSAGE"] for entry in (*before, *after)] == ["one", "three"]
    assert (tmp_path / "stderr").read_text() == "<6>two\n"


def test_a_journal_that_reads_nothing_costs_no_line_and_no_time(
    logger: Logger, journal: Listener, tmp_path: Path
) -> None:
    for number in range(2000):  # more than its queue takes
        logger.log.info("%d", number)

    sent = [entry["MESSAGE"] for entry in journal.entries]
    lines = (tmp_path / "stderr").read_text().splitlines()
    assert lines
    assert sent + [line.removeprefix("<6>") for line in lines] == [str(n) for n in range(2000)]


class Full:
    """A standard error that takes nothing until it is read."""

    def __init__(self) -> None:
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(writer, False)
        self.stream = os.fdopen(writer, "w", encoding="utf-8")
        with suppress(BlockingIOError):
            while True:
                os.write(writer, b"." * 4096)

    def read(self) -> str:
        """All that is in it."""
        found = b""
        with suppress(BlockingIOError):
            while part := os.read(self._reader, 1 << 16):
                found += part
        return found.decode().lstrip(".")

    def close(self) -> None:
        self.stream.close()
        os.close(self._reader)


@pytest.fixture
def full() -> Iterator[Full]:
    full = Full()
    yield full
    full.close()


def test_what_nobody_takes_goes_before_what_comes_later(tmp_path: Path, full: Full) -> None:
    logger = Logger(tmp_path / "journal", full.stream)

    logger.log.info("one")
    logger.log.info("two")
    with Listener(tmp_path / "journal") as journal:
        logger.log.info("three")
        sent = [entry["MESSAGE"] for entry in journal.entries]
    logger.handler.close()

    assert sent == ["one", "two", "three"]
    assert full.read() == ""


def test_what_nobody_takes_has_a_bound_and_the_rest_is_counted(tmp_path: Path, full: Full) -> None:
    logger = Logger(tmp_path / "journal", full.stream)

    for number in range(KEPT + 5):
        logger.log.info("%d", number)
    full.read()
    logger.handler.close()

    *lines, last = full.read().splitlines()
    assert lines == [f"<6>{number}" for number in range(5, KEPT + 5)]
    assert last == "<4>5 log messages were lost, the journal took none"


def test_standard_error_that_leads_to_the_journal_has_its_fields_sent(
    journal: Listener, tmp_path: Path
) -> None:
    code = (
        "import logging, os, sys\n"
        "from pathlib import Path\n"
        "from agent.logs import set_up\n"
        "found = os.fstat(2)\n"
        "environ = {'JOURNAL_STREAM': f'{found.st_dev}:{found.st_ino}'}\n"
        "set_up('info', environ, Path(sys.argv[1]))\n"
        "logging.getLogger('agent.health').info('hello', extra={'device': 'plc'})\n"
    )

    with (tmp_path / "stderr").open("wb") as stream:
        command = [sys.executable, "-c", code, journal.address]
        subprocess.run(command, stderr=stream, check=True)

    (entry,) = journal.entries
    assert (entry["MESSAGE"], entry["DEVICE"]) == ("hello", "plc")
