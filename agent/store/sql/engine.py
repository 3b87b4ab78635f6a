"""An SQLite of its own, in memory, that sees the store as tables and can change nothing.

It never opens the store's file: two SQLite libraries of one process with one file open would take
each other's locks away. What is in the file comes through the reader.
"""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from pathlib import Path
from typing import cast

import apsw
import attrs

from agent.closing import Closing
from agent.errors import AgentError, ConfigError, StoreError
from agent.store.codec import Damaged
from agent.store.query import Reader
from agent.store.rows import HOST_KIND
from agent.store.schema import quoted
from agent.store.sealed import DamagedBlock
from agent.store.sql.aggregated import AggregatedTable
from agent.store.sql.allowed import allowed
from agent.store.sql.bounds import SQL
from agent.store.sql.device import DeviceTable, positions_of
from agent.store.sql.facts import facts
from agent.store.sql.hints import explained
from agent.store.sql.hosts import Hosts, SystemSample, cpu_core, process_sample
from agent.store.sql.index import Index
from agent.store.sql.spans import HOURS, MINUTES, Days
from agent.store.sql.tables import Module, Table
from agent.store.views import HOST_VIEWS

log = logging.getLogger(__name__)

STEPS = 20_000  # instructions of SQLite between two looks at the clock, some milliseconds
TRAINING_VIEW = "training_view"
COMMENT = re.compile(r"--[^\n]*|/\*.*?(\*/|$)|[\s;]", re.DOTALL)

Row = tuple[SQL, ...]


@attrs.frozen
class Answer:
    """The names of the columns, and the rows while they are read."""

    columns: Sequence[str]
    rows: Iterator[Row]


class Engine(Closing):
    """Answers queries about a store as it was when this was made; use as a context manager.

    Args:
        zone: Whose days the tables of days have.
        heap_bytes: What SQLite may take for itself; 0 for as much as it likes.
        has_time: Asked now and then; a query ends when there is none left.

    Raises:
        StoreError: From the constructor and while rows are read: the file can't be read.
    """

    def __init__(
        self,
        path: Path,
        zone: tzinfo,
        *,
        heap_bytes: int = 0,
        has_time: Callable[[], bool] = lambda: True,
    ) -> None:
        self._connection = apsw.Connection(":memory:")
        self._reader = Reader(path)
        self._index = Index(self._reader)
        self._zone = zone
        self._has_time = has_time
        self._heap_bytes = heap_bytes
        self._tables: dict[str, str] = {}  # lower-case name to name
        self.left_out: list[str] = []
        """Names of devices that SQLite can't have as a table."""
        try:
            self._add_all()
            self._restrict()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file; twice is fine."""
        self._connection.close(force=True)
        self._reader.close()

    @property
    def path(self) -> Path:
        """The file that is read: while a newer agent's is in its place, not the one asked for."""
        return self._reader.file.path

    @property
    def damaged(self) -> Sequence[DamagedBlock]:
        """What was met that can't be read, and is left out of what was answered."""
        return self._reader.damaged

    def _add_all(self) -> None:
        devices = self._reader.devices()
        of_hosts = [positions_of(self._reader, each) for each in devices if each.kind == HOST_KIND]
        hosts = Hosts(self._reader, of_hosts, self._index)
        for table in (SystemSample(hosts), cpu_core(hosts), process_sample(hosts)):
            self._add(table)
        self._connection.execute(f"CREATE VIEW {TRAINING_VIEW} AS {HOST_VIEWS[TRAINING_VIEW]}")
        self._tables[TRAINING_VIEW] = TRAINING_VIEW
        for device in devices:
            self._add(DeviceTable(self._reader, device, self._index))
        for device in devices:
            if device.name in self.left_out:
                continue
            for span in (MINUTES, HOURS, Days(self._zone)):
                self._add(AggregatedTable(self._reader, device, self._index, span))
        for listed in facts(self._reader, self._index):
            self._add(listed)

    def _add(self, table: Table) -> None:
        """Make a table known, unless one before has its name."""
        if table.name.lower() in self._tables:
            return
        module = f"table {len(self._tables)}"
        self._connection.create_module(
            module,
            cast("apsw.VTModule", Module(table)),  # its protocol has what writes, too
            use_bestindex_object=True,
            read_only=True,
        )
        try:
            self._connection.execute(
                f"CREATE VIRTUAL TABLE {quoted(table.name)} USING {quoted(module)}"
            )
        except apsw.SQLError as exc:  # such as sqlite_sequence
            log.debug("no table %r: %s", table.name, exc)
            self.left_out.append(table.name)
            return
        self._tables[table.name.lower()] = table.name

    def _restrict(self) -> None:
        connection = self._connection
        # Names in double quotes that are none would be texts: a mistake would go unnoticed.
        for option in (apsw.SQLITE_DBCONFIG_DQS_DML, apsw.SQLITE_DBCONFIG_DQS_DDL):
            connection.config(option, 0)
        connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
        connection.limit(apsw.SQLITE_LIMIT_ATTACHED, 0)
        connection.set_authorizer(allowed)
        connection.set_progress_handler(lambda: not self._has_time(), STEPS)
        apsw.hard_heap_limit(self._heap_bytes)

    def select(self, sql: str) -> Answer:
        """Begin to answer a query; the rows come when they are asked for.

        Raises:
            ConfigError: The query is wrong.
            AgentError: It takes too long, or too much memory; from the rows, too.
        """
        columns: list[str] = []

        def begin(cursor: apsw.Cursor, statement: str, _: object) -> bool:
            if COMMENT.sub("", statement):
                rest = sql.partition(statement)[2]
                if COMMENT.sub("", rest):
                    more = rest.strip("; \n")[:40]
                    raise ConfigError(f"one statement at a time, there is another: {more!r}")
                columns[:] = [name for name, *_ in cursor.get_description()]
            return True

        cursor = self._connection.cursor()
        cursor.exec_trace = begin
        with self._errors(sql):
            cursor.execute(sql)
            if not columns:
                raise ConfigError("there is no statement in it, such as: SELECT * FROM devices")
        return Answer(columns, self._rows(cursor, sql))

    def _rows(self, cursor: apsw.Cursor, sql: str) -> Iterator[Row]:
        with self._errors(sql):
            yield from cursor

    @contextmanager
    def _errors(self, sql: str) -> Iterator[None]:
        try:
            yield
        except apsw.InterruptError as exc:
            raise AgentError(
                "the query took longer than it may: ask for a shorter stretch of time, use "
                "the tables of hours or days, or give it more time with --timeout"
            ) from exc
        except (apsw.NoMemError, MemoryError) as exc:
            raise AgentError(
                "the query needs more memory than it may take: ask for less at once, "
                "or allow more with --memory-mb"
            ) from exc
        except (apsw.FullError, apsw.IOError, apsw.CantOpenError) as exc:
            raise AgentError(
                f"the query sorts more than fits into memory, and there is no room for it: {exc}; "
                "free some space in /var/tmp, or name another folder in SQLITE_TMPDIR"
            ) from exc
        except Damaged as exc:
            raise StoreError(f"a block is damaged inside: {exc}; see: agent store verify") from exc
        except apsw.Error as exc:
            raise ConfigError(explained(exc, sql, self._columns())) from exc

    def _columns(self) -> dict[str, Sequence[str]]:
        """The columns of each table, to say which there are."""
        sql = "SELECT name FROM pragma_table_info(?)"
        return {
            name: [str(column) for (column,) in self._connection.execute(sql, (name,))]
            for name in self._tables.values()
        }
