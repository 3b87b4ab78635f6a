"""What a query may do: read, and nothing else."""

import apsw

PRAGMAS = frozenset({
    "collation_list", "compile_options", "database_list", "function_list", "index_list",
    "module_list", "pragma_list", "table_info", "table_list", "table_xinfo",
})  # fmt: skip
FORBIDDEN_FUNCTIONS = frozenset({"load_extension", "fts3_tokenizer"})
READING = frozenset(
    {apsw.SQLITE_SELECT, apsw.SQLITE_READ, apsw.SQLITE_RECURSIVE, apsw.SQLITE_FUNCTION}
)


def allowed(
    action: int, first: str | None, second: str | None, _: str | None, __: str | None
) -> int:
    """SQLite's question about each part of a statement."""
    if action == apsw.SQLITE_PRAGMA:
        is_allowed = (first or "").lower() in PRAGMAS
    elif action == apsw.SQLITE_FUNCTION:
        is_allowed = (second or "").lower() not in FORBIDDEN_FUNCTIONS
    else:
        is_allowed = action in READING
    return apsw.SQLITE_OK if is_allowed else apsw.SQLITE_DENY
