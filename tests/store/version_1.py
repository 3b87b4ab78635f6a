"""A file as the first version wrote it, for tests of what becomes of it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.fakes import NOON_MS

SCRIPT = f"""
PRAGMA page_size = 4096;
PRAGMA journal_mode = WAL;
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE run(
    id INTEGER PRIMARY KEY, boot_id TEXT NOT NULL, version TEXT NOT NULL,
    start_ms INTEGER NOT NULL, end_ms INTEGER
);
CREATE TABLE clock(
    id INTEGER PRIMARY KEY, boot_id TEXT NOT NULL, monotonic_ms INTEGER NOT NULL,
    ts_ms INTEGER NOT NULL, synchronised INTEGER
);
CREATE TABLE device(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, kind TEXT NOT NULL
);
CREATE TABLE metric(
    device INTEGER NOT NULL, position INTEGER NOT NULL, path TEXT NOT NULL,
    name TEXT NOT NULL, unit TEXT NOT NULL, type TEXT NOT NULL, help TEXT NOT NULL,
    PRIMARY KEY(device, position)
) WITHOUT ROWID;
CREATE TABLE layout(id INTEGER PRIMARY KEY, device INTEGER NOT NULL, positions TEXT NOT NULL);
CREATE TABLE row(
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL, ts_ms INTEGER NOT NULL,
    layout INTEGER NOT NULL, clock INTEGER NOT NULL, v TEXT NOT NULL
);
CREATE TABLE host_row(
    ts INTEGER PRIMARY KEY, device INTEGER NOT NULL, ts_ms INTEGER NOT NULL,
    layout INTEGER NOT NULL, clock INTEGER NOT NULL, v TEXT NOT NULL
);
CREATE TABLE gap(
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL, start_ms INTEGER NOT NULL,
    end_ms INTEGER, reason TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE VIEW press AS SELECT ts_ms, json_extract(v, '$[0]') AS "level" FROM row WHERE device = 1;
CREATE VIEW host AS SELECT ts_ms, json_extract(v, '$[2]') AS "load1" FROM host_row WHERE device = 2;
CREATE VIEW batch AS SELECT ts_ms, json_extract(v, '$[0]') AS "count" FROM row WHERE device = 3;
CREATE VIEW system_sample AS SELECT ts FROM host_row;
CREATE VIEW cpu_core AS SELECT ts FROM host_row;
CREATE VIEW process_sample AS SELECT ts FROM host_row;
CREATE VIEW training_view AS SELECT ts FROM system_sample;
INSERT INTO run VALUES(1, 'boot 1', '0.1.0', {NOON_MS - 9000}, {NOON_MS - 1000});
INSERT INTO clock VALUES(1, 'boot 1', 991000, {NOON_MS - 9000}, 1);
INSERT INTO device VALUES(1, 'press', 's7'), (2, 'host', 'host'), (3, 'batch', 's7');
INSERT INTO metric VALUES
    (1, 0, '0', 'level', 'mm', 'int', 'How full'), (2, 0, '2', 'load1', '', 'float', ''),
    (3, 0, '0', 'count', '', 'int', '');
INSERT INTO layout VALUES(1, 1, '0'), (2, 2, '0'), (3, 3, '0');
INSERT INTO row VALUES
    ({NOON_MS - 8000}000, 1, {NOON_MS - 8000}, 1, 1, '[1]'),
    ({NOON_MS - 7000}000, 1, {NOON_MS - 7000}, 1, 1, '[2]'),
    ({NOON_MS - 6000}000, 3, {NOON_MS - 6000}, 3, 1, '[3]');
INSERT INTO host_row VALUES({NOON_MS // 1000 - 8}, 2, {NOON_MS - 8000}, 2, 1, '[null,null,0.5]');
PRAGMA application_id = {0x41474E54};
PRAGMA user_version = 1;
"""


def write_version_1(path: Path) -> None:
    """Two samples of a press, one of a host, and one of a device called ``batch``."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCRIPT)
