"""The DuckDB file: opened with every door shut, laid out, and told from a broken one. Touches it."""

from pathlib import Path

import duckdb

from store.failures import LogBroken, LogTooNew, LogUnavailable, first_line

FORMAT = 1
"""The layout's version; a file with a higher one is refused."""

VIEWS = {
    "nodes": "tree",
    "experience": "experience",
    "knowledge": "knowledge",
    "wisdom": "wisdom",
    "ledger": "ledger",
    "actors": "actors",
}
"""What people call a projection in SQL -> its name."""

_EVENTS = """
create table if not exists events (
    stream varchar not null, seq bigint not null, id uuid not null, run varchar not null,
    type varchar not null, key varchar not null, time timestamp not null, source varchar not null,
    cause uuid, seen bigint not null, schema integer not null, data varchar not null,
    hash blob not null
)"""
# `data` is JSON text. DuckDB's JSON type would parse every value once more on the way in.

_DERIVED = (
    "create table if not exists meta (name varchar primary key, value integer not null)",
    f"insert or ignore into meta values ('format', {FORMAT})",  # noqa: S608 - a constant
    """create table if not exists projections (
        projection varchar, run varchar, key varchar, seq bigint, data varchar,
        primary key (projection, run, key))""",
    *(
        f"create view if not exists {name} as "  # noqa: S608 - our own names
        f"select run, key, seq, data from projections where projection = '{projection}'"
        for name, projection in VIEWS.items()
    ),
)

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    # Nothing that a query says may reach a file, the network, an extension or Python's variables.
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "memory_limit": "1GB",
    "allowed_configs": "[max_execution_time,operator_memory_limit]",
    "lock_configuration": "true",
    # Each checkpoint rewrites the last row group: seldom is faster.
    "checkpoint_threshold": "256MB",
}
_HEADERS_BYTES = 3 * 4096
_PASSING = (
    "No space left",
    "File too large",
    "Disk quota",
    "Too many open files",
    "Input/output error",
    "Permission denied",
    "Cannot allocate memory",
)


def connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """Open the log at *path*, made first where there is none.

    Raises LogUnavailable, LogTooNew or LogBroken.
    """
    _check_reachable(path, read_only=read_only)
    mode = "READ_ONLY" if read_only else "READ_WRITE"
    try:
        connection = duckdb.connect(path, config=_CONFIG | {"access_mode": mode})
    except duckdb.Error as error:
        raise explained(path, error) from error
    try:
        _lay_out(path, connection, read_only=read_only)
        _check_length(path, connection)
    except duckdb.Error as error:
        connection.close()
        raise explained(path, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def wal(path: Path) -> Path:
    """Return where DuckDB keeps the write-ahead log of *path*."""
    return path.with_name(path.name + ".wal")


def _check_reachable(path: Path, *, read_only: bool) -> None:
    """Raise for what is no fault of the file's content. Must come before DuckDB locks the file."""
    if not path.exists():
        if wal(path).exists():
            raise LogBroken(f"{path}: only its write-ahead file is there")
        if read_only:
            raise LogUnavailable(f"{path}: there is no log yet; start a run first")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("rb" if read_only else "ab"):
            pass
    except OSError as error:
        what = "read" if read_only else "written"
        raise LogUnavailable(f"{path}: cannot be {what}: {error.strerror}") from error
    if not read_only and path.stat().st_size == 0 and not wal(path).exists():
        path.unlink()  # DuckDB makes a new file, but takes no empty one


def _check_length(path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    """Read all events when the file looks cut short; a missing block raises duckdb.Error."""
    size = connection.execute(
        "select block_size * total_blocks from pragma_database_size()"
    ).fetchone()
    if size and size[0] and path.stat().st_size < size[0] + _HEADERS_BYTES:
        # Free blocks at the end may be gone rightly, so only reading tells.
        connection.execute("select sum(hash(columns(*))) from events").fetchall()


def _lay_out(path: Path, connection: duckdb.DuckDBPyConnection, *, read_only: bool) -> None:
    tables = {
        name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()
    }
    if "meta" in tables:
        found = connection.execute("select value from meta where name = 'format'").fetchone()
        if found and found[0] > FORMAT:
            raise LogTooNew(
                f"{path}: format {found[0]}, this Flowstone reads up to {FORMAT}; update Flowstone"
            )
    if "events" not in tables and (tables or read_only):
        raise LogUnavailable(f"{path}: is not a Flowstone log; name another file")
    views = connection.execute("select view_name from duckdb_views() where not internal").fetchall()
    whole = {"events", "meta", "projections"} <= tables and len(views) >= len(VIEWS)
    if not read_only and not whole:
        connection.begin()
        for statement in (_EVENTS, *_DERIVED):
            connection.execute(statement)
        connection.commit()


def explained(path: Path, error: duckdb.Error) -> LogUnavailable | LogTooNew | LogBroken:
    """Return what *error* means for the log: what may pass by itself is not the file's fault."""
    said = first_line(error)
    if "Could not set lock" in said:
        return LogUnavailable(f"{path}: is in use by another process; stop it or ask it instead")
    if "newer" in said and "version" in said:
        return LogTooNew(f"{path}: a newer DuckDB wrote it; update Flowstone")
    if isinstance(error, duckdb.OutOfMemoryException) or any(each in said for each in _PASSING):
        return LogUnavailable(f"{path}: cannot be opened now: {said}")
    return LogBroken(f"{path}: {said}")
