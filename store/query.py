"""SQL for people: one statement that can only read, within limits. Touches an open log alone.

Three fences: DuckDB itself has files, network, extensions and settings shut off; the statement runs
in a read-only transaction; and its syntax tree may name only what is listed here.
"""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import duckdb
from msgspec import Struct

from store.failures import QueryRefused, first_line
from store.log import Log

SECONDS = 10.0
"""How long a query may take unless told otherwise."""
MEMORY_MB = 512
"""What a query's intermediate results may take, MiB."""

_TABLE_FUNCTIONS = frozenset(
    [
        "range",
        "generate_series",
        "unnest",
        "repeat",
        "repeat_row",
        "json_each",
        "json_tree",
        "summary",
        "duckdb_tables",
        "duckdb_views",
        "duckdb_columns",
        "duckdb_functions",
        "duckdb_types",
        "duckdb_keywords",
        "pragma_version",
    ]
)
"""Functions that may stand in `from`; others read files, run text as SQL or change things."""

_FORBIDDEN_FUNCTIONS = frozenset(("stats", "write_log", "getenv", "current_setting"))
"""`stats` would tell of private events; the others look or write outside the log."""

_EXPLAIN = re.compile(r"\s*explain\s+(analyze\s+)?", re.IGNORECASE)


class Table(Struct, frozen=True, kw_only=True):
    """An answer; `more` when rows beyond the limit were left off."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    more: bool


def query(
    log: Log, sql: str, *, limit: int = 1000, private: bool = False, seconds: float = SECONDS
) -> Table:
    """Return what *sql* selects; without *private* the private stream does not exist for it.

    Raises QueryRefused with one line that says why.
    """
    with closing(log.cursor()) as cursor:
        try:
            _check(cursor, sql, private=private)
            _fence(cursor, private=private, seconds=seconds)
            cursor.execute(sql)
            columns = tuple(column[0] for column in cursor.description or ())
            rows = cursor.fetchmany(limit + 1)
        except duckdb.InterruptException:
            raise QueryRefused(f"the query took longer than {seconds:g} s; ask for less") from None
        except duckdb.OutOfMemoryException:
            raise QueryRefused("the query needs too much memory; ask for less") from None
        except duckdb.Error as error:
            raise QueryRefused(_explained(error)) from None
    return Table(columns=columns, rows=rows[:limit], more=len(rows) > limit)


def _check(cursor: duckdb.DuckDBPyConnection, sql: str, *, private: bool) -> None:
    """Raise QueryRefused unless *sql* is one statement that only reads what it may."""
    statements = cursor.extract_statements(sql)
    if len(statements) != 1:
        raise QueryRefused(f"{len(statements)} statements; send exactly one")
    kind = statements[0].type
    if kind not in {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}:
        raise QueryRefused(f"{kind.name} is not allowed; only queries that read are")
    select = _EXPLAIN.sub("", sql, count=1) if kind == duckdb.StatementType.EXPLAIN else sql
    found = cursor.execute("select json_serialize_sql(?::varchar)", [select]).fetchone()
    tree = json.loads(found[0]) if found else {"error": True}
    if tree["error"]:
        raise QueryRefused(f"not a query: {tree.get('error_message', 'it cannot be read')}")
    for part in _parts(tree["statements"]):
        _check_part(part, private=private)


def _check_part(part: dict[str, Any], *, private: bool) -> None:
    function = part.get("function_name", "").lower()
    if function in _FORBIDDEN_FUNCTIONS:
        raise QueryRefused(f"the function {function} is not allowed")
    match part.get("type"):
        case "TABLE_FUNCTION":
            called = part["function"]
            name = called.get("function_name", "").lower()
            if name not in _TABLE_FUNCTIONS:
                raise QueryRefused(f"the function {name or '?'} may not stand in `from`")
        case "BASE_TABLE" if not private:
            schema = ".".join(filter(None, (part.get("catalog_name"), part.get("schema_name"))))
            if schema not in {"", "information_schema"}:
                raise QueryRefused(f"name the table without {schema!r} before it")
        case _:
            pass


def _parts(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every node of a syntax tree."""
    waiting = [tree]
    while waiting:
        match waiting.pop():
            case dict() as node:
                yield node
                waiting.extend(node.values())
            case list() as nodes:
                waiting.extend(nodes)
            case _:
                pass


def _fence(cursor: duckdb.DuckDBPyConnection, *, private: bool, seconds: float) -> None:
    """Hide the private stream, set the limits, and let nothing be written from here on."""
    if not private:
        catalog = cursor.execute("select current_database()").fetchone()
        name = str(catalog[0] if catalog else "").replace('"', '""')
        cursor.execute(
            f'create temp view events as select * from "{name}".main.events '  # noqa: S608 - quoted
            "where stream = 'public'"
        )
    cursor.execute(f"set max_execution_time = {max(1, int(seconds * 1000)):d}")
    cursor.execute(f"set operator_memory_limit = '{MEMORY_MB:d}MB'")
    cursor.execute("begin transaction read only")


def _explained(error: duckdb.Error) -> str:
    said = first_line(error)
    if "pytz" in said:
        return "a result has a time zone; cast it with ::timestamp (times in the log are UTC)"
    return said
