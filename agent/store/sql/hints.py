"""What went wrong with a query, in the user's words, and what to do."""

import re
from collections.abc import Mapping, Sequence

import apsw

SHOWN = 12  # names that are listed
AROUND = 24  # characters shown on each side of a mistake

Names = Mapping[str, Sequence[str]]  # tables with their columns


def explained(error: apsw.Error, sql: str, names: Names) -> str:
    """A mistake in a query."""
    text = str(error)
    if isinstance(error, apsw.AuthError) or text.endswith("may not be modified"):
        return f"{text}: a query may only read; allowed are SELECT, WITH, VALUES and EXPLAIN"
    if isinstance(error, apsw.BindingsError):
        return "the query has parameters such as ? or :name, write the values themselves"
    if found := re.match(r"no such table: (.+)", text):
        return f"{text}{_other(found[1], [*names])}"
    if found := re.match(r'no such column: "(.+)" - should this be a string', text):
        name = found[1]
        return (
            f'no such column: "{name}"{_columns_hint(name, sql, names)}; '
            f"if it is a text, it stands in single quotes: '{name}'"
        )
    if found := re.match(r"no such column: (.+)", text):
        return f"{text}{_columns_hint(found[1], sql, names)}"
    if "syntax error" in text or "unrecognized token" in text:
        hint = QUOTES if re.match(r'near "[^\w(),;]', text) else ""
        return f"{text}{_place(sql, getattr(error, 'error_offset', -1))}{hint}"
    return text


QUOTES = '; names with other signs than letters, digits and _ stand in double quotes: "heat-pump"'


def _columns_hint(name: str, sql: str, names: Names) -> str:
    """Which column of the tables in the query may be meant."""
    asked = [columns for table, columns in names.items() if table.lower() in sql.lower()]
    known = [*dict.fromkeys(column for columns in asked for column in columns)]
    dotted = [each for each in known if "." in each and each.lower().endswith(name.lower())]
    if dotted:
        return f'; a name with dots stands in double quotes: "{dotted[0]}"'
    return _other(name.rpartition(".")[2], known)


def _other(name: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    by_lower = {each.lower(): each for each in known}
    close = get_close_matches(name.strip('"').lower(), by_lower, n=3, cutoff=0.6)
    if close:
        return f", did you mean {' or '.join(by_lower[each] for each in close)}?"
    if not known:
        return ""
    more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    return f"; there are: {', '.join(known[:SHOWN])}{more}"


def _place(sql: str, offset: int) -> str:
    if offset < 0:
        return ""
    before = sql.encode()[:offset].decode("utf-8", "replace")
    rest = sql[len(before) :]
    shown = " ".join(f"{before[-AROUND:]}{rest[:AROUND]}".split())
    return f" in line {before.count(chr(10)) + 1}: ... {shown!r}"
