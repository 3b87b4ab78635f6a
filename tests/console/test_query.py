"""``agent query``: forms of an answer, files, limits, and how it ends."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from agent.cli import main
from agent.console.query_output import FIRST_ROWS, FORMATS
from agent.model import Metric, Value
from tests.console.commands import LIMIT_S, ROOT, Machine
from tests.store.laid import At, Laid, damage

VALUES: Mapping[str, Value] = {"level": 1.5, "mode": 'a,"b"\n', "note": None, "on": True}
QUERY = 'SELECT level, mode, note, "on" FROM press'
ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT {} FROM c"


@pytest.fixture
def stored(machine: Machine) -> Machine:
    machine.store(VALUES, Metric("level", "bar"))
    return machine


def written(form: str, columns: list[str], rows: Sequence[Sequence[object]]) -> str:
    return "".join(FORMATS[form](columns, iter(rows)))


ROWS = [
    (1, -0.5, None, "plain"),
    (2**62, 1e-7, "", 'comma, "quote"\r\nline'),
    (-3, float("inf"), "|", "ä\\b "),
    (0, 0.1 + 0.2, b"\x00\xff", " "),
]
COLUMNS = ["n", "x", "a|b", "x"]


def test_csv_is_read_back_by_a_reader_of_csv() -> None:
    found = [*csv.reader(io.StringIO(written("csv", COLUMNS, ROWS), newline=""))]

    assert found == [
        COLUMNS,
        ["1", "-0.5", "", "plain"],
        ["4611686018427387904", "1e-07", "", 'comma, "quote"\r\nline'],
        ["-3", "inf", "|", "ä\\b "],
        ["0", "0.30000000000000004", "00ff", " "],
    ]


def test_csv_of_one_column_has_a_row_also_for_nothing() -> None:
    text = written("csv", ["a"], [(None,), (1,), ("",)])

    assert [*csv.reader(io.StringIO(text))] == [["a"], [""], ["1"], [""]]


def test_json_is_read_back_by_a_reader_of_json() -> None:
    found = json.loads(written("json", COLUMNS, ROWS))

    assert found == [
        {"n": 1, "x": -0.5, "a|b": None, "x:1": "plain"},
        {"n": 2**62, "x": 1e-7, "a|b": "", "x:1": 'comma, "quote"\r\nline'},
        {"n": -3, "x": None, "a|b": "|", "x:1": "ä\\b "},
        {"n": 0, "x": 0.1 + 0.2, "a|b": "00ff", "x:1": " "},
    ]
    assert json.loads(written("json", COLUMNS, [])) == []


def test_markdown_has_one_line_for_each_row_and_no_cell_breaks_it() -> None:
    lines = written("markdown", COLUMNS, ROWS).splitlines()

    assert lines == [
        "| n | x | a\\|b | x |",
        "| ---: | ---: | --- | --- |",
        "| 1 | -0.5 |  | plain |",
        '| 4611686018427387904 | 1e-07 |  | comma, "quote"\\\\r\\\\nline |',
        "| -3 | inf | \\| | ä\\\\b  |",
        "| 0 | 0.30000000000000004 | 00ff |   |",
    ]
    assert written("markdown", ["a"], []) == "| a |\n| --- |\n"


def test_a_table_is_as_wide_as_its_first_rows_and_streams_the_rest() -> None:
    rows = ((number, f"text {number}") for number in range(FIRST_ROWS + 5))
    lines = FORMATS["table"](["n", "text"], rows)

    first = next(lines)
    rest = [*lines]

    assert first == "  n  text\n".replace("  n", " n")
    assert rest[0] == " 0  text 0\n"
    assert rest[-1] == "104  text 104\n"


def test_a_table_without_rows_has_its_header() -> None:
    assert written("table", ["a", "b"], []) == "a  b\n"


@pytest.mark.parametrize("form", FORMATS)
def test_each_form_can_be_asked_for(stored: Machine, form: str) -> None:
    result = stored.run("query", QUERY, "--format", form)

    rows = [(1.5, 'a,"b"\n', None, 1)]
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == written(form, ["level", "mode", "note", "on"], rows)


def test_programs_get_csv_and_json_is_short_for_its_form(stored: Machine) -> None:
    plain = stored.run("query", "SELECT level FROM press")
    as_json = stored.run("query", "SELECT level FROM press", "--json")

    assert plain.stdout == "level\n1.5\n"
    assert json.loads(as_json.stdout) == [{"level": 1.5}]


@pytest.mark.parametrize(
    ("name", "form"), [("a.csv", "csv"), ("a.json", "json"), ("a.md", "markdown"), ("a", "csv")]
)
def test_a_file_gets_the_form_of_its_ending_and_replaces_an_older_one(
    stored: Machine, name: str, form: str
) -> None:
    target = stored.folder / name
    words = ["query", "SELECT level FROM press", "--output", str(target)]

    first = stored.run(*words)
    again = stored.run(*words) if "." in name else first

    text = written(form, ["level"], [(1.5,)])
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert target.read_text() == text
    assert again.stdout == f"{target}  1 row, {len(text)} B\n"
    assert [path.name for path in stored.folder.glob(".*")] == []


def test_a_query_that_fails_leaves_the_file_as_it_was(stored: Machine) -> None:
    target = stored.folder / "kept.csv"
    target.write_text("before")

    result = stored.run(
        "query", "SELECT abs(level - 9223372036854775809) FROM pres", "-o", str(target)
    )
    late = stored.run("query", ENDLESS.format("x"), "--timeout", "0.2", "-o", str(target))

    assert (result.exit_code, late.exit_code) == (2, 1)
    assert "took longer than it may" in late.stderr
    assert target.read_text() == "before"
    assert [path.name for path in stored.folder.glob(".*")] == []


@pytest.mark.parametrize("name", ["agent.toml", "data/telemetry.db", "data/telemetry.db-wal"])
def test_no_file_of_the_agent_is_written_over(stored: Machine, name: str) -> None:
    target = stored.folder / name
    before = target.read_bytes() if target.exists() else None

    result = stored.run("query", "SELECT 1", "--output", str(target))

    assert result.exit_code == 2
    assert (target.read_bytes() if target.exists() else None) == before


def test_a_query_comes_from_a_file_or_standard_input(stored: Machine) -> None:
    file = stored.folder / "query.sql"
    file.write_text("\ufeffSELECT level -- the level\nFROM press;\n", "utf-8")
    config = ["--config", str(stored.config)]

    of_file = stored.run("query", "--file", str(file))
    by_dash = CliRunner().invoke(main, ["query", "-", *config], input=file.read_bytes())
    by_option = CliRunner().invoke(main, ["query", "-f", "-", *config], input=file.read_bytes())

    assert [each.stdout for each in (of_file, by_dash, by_option)] == ["level\n1.5\n"] * 3


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "the query is missing"),
        (["SELECT 1", "--file", "x.sql"], "one at a time"),
        (["SELECT 1", "--json", "--format", "csv"], "one at a time"),
        (["--file", "none.sql"], "cannot read the query from none.sql: No such file"),
        (["SELECT * FROM pres"], "no such table: pres, did you mean press"),
        (["SELECT 1", "--timeout", "0"], "--timeout"),
        (["SELECT 1", "--memory-mb", "0"], "--memory-mb"),
    ],
)
def test_a_wrong_use_is_said(stored: Machine, words: list[str], text: str) -> None:
    result = stored.run("query", *words)

    assert result.exit_code == 2
    assert text in result.stderr


def test_a_file_with_no_text_is_no_query(stored: Machine) -> None:
    file = stored.folder / "query.sql"
    file.write_bytes(b"SELECT '\xff'")

    result = stored.run("query", "--file", str(file))

    assert result.exit_code == 2
    assert "a query is UTF-8 text" in result.stderr


def test_without_a_store_it_says_what_to_do(machine: Machine) -> None:
    result = machine.run("query", "SELECT 1")

    assert result.exit_code == 4
    assert "there is no store yet, start the agent with: agent run" in result.stderr


def started(stored: Machine, *words: str) -> subprocess.Popen[str]:
    """The command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "agent", "query", *words, "--config", str(stored.config)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_rows_come_at_once_and_ctrl_c_ends_it_in_order(stored: Machine) -> None:
    with started(stored, ENDLESS.format("x")) as process:
        assert process.stdout is not None
        first = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=LIMIT_S)

    assert first == ["x\n", "1\n", "2\n"]
    assert process.returncode == 130
    assert "Traceback" not in errors


def test_progress_is_told_and_ctrl_c_leaves_no_file(stored: Machine) -> None:
    """Takes two seconds: until then nothing is said."""
    target = stored.folder / "endless.csv"
    with started(stored, ENDLESS.format("x"), "--output", str(target)) as process:
        assert process.stderr is not None
        told = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=LIMIT_S)

    assert "rows in 2 s; Ctrl+C ends it" in told
    assert (process.returncode, output) == (130, "")
    assert not [path for path in stored.folder.iterdir() if "endless" in path.name]


def test_what_is_damaged_is_told_beside_the_answer(stored: Machine, tmp_path: Path) -> None:
    path = stored.folder / "data/telemetry.db"
    path.unlink()
    laid = Laid(path, "s7", ["level"])
    for number in range(2):
        laid.block([At(number * 1000, number, (0,), [number])])
    laid.close()
    damage(path, "block", 1)

    with started(stored, "SELECT level FROM press") as process:
        output, errors = process.communicate(timeout=LIMIT_S)

    assert (process.returncode, output) == (0, "level\n1\n")
    assert "1 sample of press from 1970-01-01" in errors
    assert "are left out, they are damaged" in errors


def test_who_has_read_enough_ends_it(stored: Machine) -> None:
    with started(stored, ENDLESS.format("x")) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        errors = process.stderr.read()
        code = process.wait(LIMIT_S)

    assert (code, errors) == (0, "")


def test_it_does_not_load_what_a_query_needs_for_its_help(tmp_path: Path) -> None:
    script = "import sys; sys.argv = ['agent', 'query', '--help']; sys.exit = lambda *_: None\n"
    script += "from agent.cli import main\nmain(standalone_mode=False)\n"
    script += "print('apsw' in sys.modules, file=sys.stderr)"

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=LIMIT_S,
    )  # fmt: skip

    assert done.stderr == "False\n"
