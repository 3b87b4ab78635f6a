"""A query can read and nothing else, and ends when it takes too long or too much."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest

from agent.errors import AgentError, ConfigError, StoreError
from agent.store.sql.engine import Engine
from tests.console.commands import ROOT
from tests.store.laid import Laid
from tests.store.sql.asked import HOUR_MS, ask, at, columns

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT {} FROM c"
MEGABYTE = 1 << 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    laid = Laid(tmp_path / "telemetry.db", "s7", ["level", "calculations.ID_Flow", "Mode"])
    laid.block([at(step * HOUR_MS, step, step / 4, "auto") for step in range(20)])
    laid.close()
    return laid.path


@pytest.fixture
def no_limit() -> Iterator[None]:
    """What SQLite may take is a setting of the whole process."""
    yield
    import apsw

    apsw.hard_heap_limit(0)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO press(level) VALUES(1)",
        "UPDATE press SET level = 1",
        "DELETE FROM press",
        "CREATE TABLE t(x)",
        "CREATE TEMP TABLE t AS SELECT 1",
        "CREATE VIRTUAL TABLE t USING fts5(x)",
        "DROP TABLE press",
        "ALTER TABLE press RENAME TO x",
        "ATTACH '/etc/passwd' AS other",
        "VACUUM INTO '/tmp/copy.db'",
        "BEGIN",
        "SAVEPOINT a",
        "ANALYZE",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA temp_store_directory = '/'",
        "PRAGMA hard_heap_limit = 0",
        "SELECT load_extension('/lib/x.so')",
        "SELECT fts3_tokenizer('simple')",
    ],
)
def test_nothing_but_reading_is_allowed(path: Path, sql: str) -> None:
    before = path.read_bytes()

    with pytest.raises(ConfigError, match=r"may only read|not authorized to use|no such function"):
        ask(path, sql)

    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("sql", "first"),
    [
        ("EXPLAIN QUERY PLAN SELECT * FROM press", None),
        ("PRAGMA table_info(press)", (0, "time", "TEXT", 0, None, 0)),
        ("SELECT name FROM pragma_table_list WHERE name = 'press'", ("press",)),
        ("VALUES (1, 'a')", (1, "a")),
        ("SELECT value FROM json_each('[5]')", (5,)),
        (" SELECT 1 ; -- done; really\n/* SELECT 2 */ ;", (1,)),
        ("-- first\nSELECT ';'", (";",)),
        ("SELECT level FROM PRESS WHERE mode = 'auto' LIMIT 1", (0,)),
    ],
)
def test_whatever_only_reads_is_allowed(path: Path, sql: str, first: tuple[object, ...]) -> None:
    found = ask(path, sql)

    assert first is None or found[0] == first


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("SELECT * FROM pres", "no such table: pres, did you mean press"),
        ("SELECT * FROM zzz", "no such table: zzz; there are: system_sample, cpu_core"),
        ("SELECT levle FROM press", "no such column: levle, did you mean level?"),
        ("SELECT p.levle FROM press p", "no such column: p.levle, did you mean level?"),
        ("SELECT zzz FROM press", "no such column: zzz; there are: time, ts_ms, level"),
        (
            "SELECT calculations.ID_Flow FROM press",
            "no such column: calculations.ID_Flow; a name with dots stands in double quotes: "
            '"calculations.ID_Flow"',
        ),
        (
            'SELECT * FROM press WHERE Mode = "auto"',
            "if it is a text, it stands in single quotes: 'auto'",
        ),
        ('SELECT "levle" FROM press', 'no such column: "levle", did you mean level?; if it is'),
        ("SELECT 1 FROM heat-pump", "names with other signs than letters, digits and _ stand in"),
        ("SELCT 1", "near \"SELCT\": syntax error in line 1: ... 'SELCT 1'"),
        ("SELECT 1,\n  2 FORM press", "syntax error in line 2"),
        ("SELECT 'a", "unrecognized token"),
        ("SELECT 1; SELECT 2", "one statement at a time, there is another: 'SELECT 2'"),
        ("", "there is no statement in it, such as: SELECT * FROM devices"),
        (" -- nothing\n;", "there is no statement in it"),
        ("SELECT * FROM press WHERE level > ?", "write the values themselves"),
        ("SELECT nosuch(1)", "no such function: nosuch"),
        ("SELECT abs(-9223372036854775807 - 1)", "integer overflow"),
    ],
)
def test_a_mistake_is_explained(path: Path, sql: str, text: str) -> None:
    with pytest.raises(ConfigError) as error:
        ask(path, sql)

    assert text in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("what", ["count(*)", "x"])
def test_a_query_ends_when_its_time_is_over(path: Path, what: str) -> None:
    asked = iter([True, True, True, False])

    with (
        Engine(path, UTC, has_time=lambda: next(asked, False)) as engine,
        pytest.raises(AgentError, match="took longer than it may"),
    ):
        [*engine.select(ENDLESS.format(what)).rows]


def test_ctrl_c_ends_a_query_at_once(path: Path) -> None:
    def interrupted() -> bool:
        raise KeyboardInterrupt

    with Engine(path, UTC, has_time=interrupted) as engine, pytest.raises(KeyboardInterrupt):
        [*engine.select(ENDLESS.format("count(*)")).rows]


@pytest.mark.usefixtures("no_limit")
def test_a_query_ends_when_it_takes_too_much_memory(path: Path) -> None:
    with (
        Engine(path, UTC, heap_bytes=16 * MEGABYTE) as engine,
        pytest.raises(AgentError, match="--memory-mb"),
    ):
        [*engine.select("SELECT group_concat(zeroblob(1000000)) FROM press, press p").rows]


@pytest.mark.usefixtures("no_limit")
def test_sorting_more_than_fits_goes_to_a_file(path: Path) -> None:
    many = "SELECT p.level, randomblob(50000) AS much FROM press p, press q ORDER BY much"

    with Engine(path, UTC, heap_bytes=8 * MEGABYTE) as engine:
        count = sum(1 for _ in engine.select(many).rows)

    assert count == 400


def test_there_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store yet"):
        ask(tmp_path / "telemetry.db", "SELECT 1")


def test_columns_have_names_also_where_there_is_no_row(path: Path) -> None:
    assert columns(path, "SELECT level, 1 + 1 AS two FROM press WHERE 0") == ["level", "two"]


@pytest.mark.usefixtures("no_limit")
def test_no_room_for_sorting_is_said(path: Path, tmp_path: Path) -> None:
    """In a process of its own: SQLite looks for its folder once."""
    script = (
        "import resource, sys\n"
        "from datetime import UTC\n"
        "from pathlib import Path\n"
        "from agent.store.sql.engine import Engine\n"
        "import signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "sql = 'SELECT p.level, randomblob(50000) AS much FROM press p, press q ORDER BY much'\n"
        "with Engine(Path(sys.argv[1]), UTC, heap_bytes=8 << 20) as engine:\n"
        "    try:\n"
        "        print(sum(1 for _ in engine.select(sql).rows))\n"
        "    except Exception as exc:\n"
        "        print(type(exc).__name__, exc)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        env={"PYTHONPATH": str(ROOT), "SQLITE_TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.stdout.startswith("AgentError the query sorts more than fits into memory")
    assert "SQLITE_TMPDIR" in done.stdout
