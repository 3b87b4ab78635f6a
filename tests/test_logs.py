"""Where log lines go, and what they look like."""

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.logs import JournalFormatter, TerminalFormatter, leads_to_journal, set_up


def record(text: str, level: int = logging.WARNING) -> logging.LogRecord:
    return logging.LogRecord("agent.poller", level, "", 0, text, (), None)


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root of all loggers, put back afterwards."""
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


def test_a_line_for_the_terminal_has_time_and_level() -> None:
    line = TerminalFormatter().format(record("plc: no answer"))

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} WARNING plc: no answer", line)


@pytest.mark.parametrize(
    ("level", "prefix"),
    [(logging.DEBUG, "<7>"), (logging.INFO, "<6>"), (logging.ERROR, "<3>"), (25, "<6>")],
)
def test_a_line_for_the_journal_begins_with_its_level(level: int, prefix: str) -> None:
    line = JournalFormatter().format(record("one\ntwo", level))

    assert line == f"{prefix}one\n{prefix}two"


@pytest.mark.parametrize("formatter", [TerminalFormatter(), JournalFormatter()])
def test_a_line_cannot_steer_the_terminal(formatter: logging.Formatter) -> None:
    line = formatter.format(record("plc: \x1b[2J\x07"))

    assert line.endswith(r"plc: \x1b[2J\x07")


def test_a_stream_of_the_journal_is_known_by_its_file(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as stream:
        status = os.fstat(stream.fileno())
        name = f"{status.st_dev}:{status.st_ino}"

        assert leads_to_journal({"JOURNAL_STREAM": name}, stream.fileno())
        assert not leads_to_journal({"JOURNAL_STREAM": "1:2"}, stream.fileno())
        assert not leads_to_journal({}, stream.fileno())


def test_a_descriptor_that_is_closed_is_no_journal(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as stream:
        descriptor = stream.fileno()

    assert not leads_to_journal({"JOURNAL_STREAM": "1:2"}, descriptor)


def test_setting_up_twice_logs_each_line_once(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up("debug", {})
    set_up("info", {})

    logging.getLogger("agent.test").info("once")
    logging.getLogger("agent.test").debug("never")

    assert capsys.readouterr().err.count("once") == 1
    assert root.level == logging.INFO
