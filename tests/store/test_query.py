"""SQL for people reads what it may, and nothing it says can do anything else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.failures import QueryRefused
from store.log import Log
from store.query import query
from store.tables import Tables
from tests.store.envelopes import batch, numbered

SCORE = "0.987654"


@pytest.fixture(scope="module")
def shared_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    """Return one log for all examples of a law."""
    with Log.open(tmp_path_factory.mktemp("log") / "my_log.duckdb") as log:
        log.append(batch(1, 3))
        secret = numbered(1, stream="private", data=b'{"score":%s}' % SCORE.encode())
        log.append([(1, secret)], "private")
        yield log


@pytest.fixture(scope="module", params=["writer", "reader"])
def log(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Log]:
    """Return a log as the recorder holds it, and as a command opens it."""
    path = tmp_path_factory.mktemp("log") / "my log.duckdb"
    with Log.open(path) as log:
        log.append([(n, numbered(n, data=b'{"metric":%d.5}' % n)) for n in range(1, 6)])
        secret = numbered(1, stream="private", data=b'{"score":%s}' % SCORE.encode())
        log.append([(1, secret)], "private")
        Tables(log).write("tree", "run", {"n1": '{"metric":1}'}, 5)
    with Log.open(path, read_only=request.param == "reader") as log:
        yield log


ALLOWED = [
    ("select data->>'metric' from events order by seq limit 1", [("1.5",)]),
    ("from events select count(*)", [(5,)]),
    ("with e as (from events) select max(seq) from e", [(5,)]),
    ("values (1), (2)", [(1,), (2,)]),
    ("select sum(range) from range(4)", [(6,)]),
    ("select run, key, data->>'metric' from nodes", [("run", "n1", "1")]),
    ("select count(*) from information_schema.tables where table_name = 'meta'", [(1,)]),
    ("-- a comment\nselect 1;", [(1,)]),
    ("select min(time) from events", None),
    ("describe events", None),
    ("show tables", None),
    ("summarize events", None),
    ("explain select * from events", None),
    ("explain analyze select * from events", None),
    ("select value from events, json_each(data)", None),
]


@pytest.mark.parametrize(("sql", "rows"), ALLOWED)
def test_people_can_read(log: Log, sql: str, rows: list[tuple[object, ...]] | None) -> None:
    found = query(log, sql)
    assert found.rows
    assert rows is None or found.rows == rows


ATTACKS = [
    "create table x (a int)",
    "create temp table x (a int)",
    "create or replace view events as select 1",
    "insert into events select * from events",
    "update events set data = '{}'",
    "delete from events",
    "drop table events",
    "alter table events add column x int",
    "truncate events",
    "copy events to '/tmp/flowstone-stolen.csv'",
    "copy events from '/etc/passwd'",
    "export database '/tmp/flowstone-stolen'",
    "attach '/tmp/flowstone-stolen.duckdb'",
    "detach log",
    "use memory",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "reset lock_configuration",
    "set variable a = 1",
    "pragma database_list",
    "pragma disable_object_cache",
    "call force_checkpoint()",
    "checkpoint",
    "vacuum",
    "begin transaction",
    "commit",
    "prepare p as select 1",
    "execute p",
    "select 1; drop table events",
    "select 1; select 2",
    "",
    "   -- nothing",
    "explain create table x (a int)",
    "explain analyze delete from events",
    "explain analyze insert into events select * from events",
    "with gone as (delete from events returning *) select * from gone",
    "select * from read_text('/etc/passwd')",
    "select * from read_blob('/etc/passwd')",
    "select * from read_csv('/etc/passwd')",
    "select * from read_json('/etc/passwd')",
    "select * from read_parquet('/tmp/x')",
    "select * from read_duckdb('/tmp/x')",
    "select * from sniff_csv('/etc/passwd')",
    "select * from glob('/*')",
    "select * from '/etc/passwd'",
    "select * from 'https://example.org/x.csv'",
    "select getenv('HOME')",
    "select current_setting('home_directory')",
    "select * from duckdb_settings()",
    "select * from duckdb_secrets()",
    "select * from pragma_storage_info('events')",
    "select * from enable_logging()",
    "select * from truncate_duckdb_logs()",
    "select * from checkpoint()",
    "select * from force_checkpoint()",
    "select * from query('select * from events')",
    "select * from query_table('events')",
    "select * from QUERY('select 1')",
    "select (select count(*) from query('select 1'))",
    "select * from json_execute_serialized_sql(json_serialize_sql('select 1'))",
    "select write_log('x')",
    "select nextval('s')",
    "select * from log",
    "select * from self",
    "summarize (from query('select * from events'))",
    "describe select * from read_text('/etc/passwd')",
    "select 1 from events where exists (from glob('/*'))",
    "selec 1",
]


@pytest.mark.parametrize("sql", ATTACKS)
def test_nothing_else_is_possible(log: Log, sql: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        query(log, sql)
    assert "\n" not in str(refused.value)
    assert len(list(log.read())) == 5
    assert log.verify() is None


PEEKS = [
    "select * from events where stream = 'private'",
    'select * from "my log".main.events',
    'select * from "my log".events',
    "select * from main.events",
    "select * from MAIN.EVENTS",
    "select * from main.main.events",
    "select stats(data) from events",
    "select main.stats(data) from events",
    "select STATS(seq) from events",
    "summarize events",
    "summarize main.events",
    "describe main.events",
    "explain analyze select * from main.events",
    "select * from query_table('main.events')",
    "select * from pragma_storage_info('main.events')",
    "with events as (select * from main.events) select * from events",
    "select * from temp.main.events",
    "select * from events as of (version => 1)",
    "select * from system.main.events",
    "select max(data), min(data), count(distinct stream) from events",
    "select * from events tablesample 100%",
    "select sql from duckdb_views()",
    "select * from duckdb_tables()",
]


@pytest.mark.parametrize("sql", PEEKS)
def test_the_private_stream_is_not_there(log: Log, sql: str) -> None:
    assert SCORE not in _said(log, sql)


def _said(log: Log, sql: str) -> str:
    """Return all that comes back, the refusal too."""
    try:
        return str(query(log, sql).rows)
    except QueryRefused as refused:
        return str(refused)


def test_who_may_sees_the_private_stream(log: Log) -> None:
    found = query(log, "select data->>'score' from events where stream = 'private'", private=True)
    assert found.rows == [(SCORE,)]
    with pytest.raises(QueryRefused):
        query(log, "delete from events", private=True)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "select",
                "*",
                "from",
                "events",
                ",",
                "main",
                ".",
                "my_log",
                "(",
                ")",
                "'private'",
                "query",
                "stats",
                "data",
                "join",
                "where",
                "true",
                "union",
                "all",
                "with",
                "e",
                "as",
                "describe",
                "summarize",
                "explain",
                "delete",
                "drop",
                "table",
                ";",
                "--",
                "\n",
                "'/etc/passwd'",
                "read_text",
                "insert",
                "into",
                "values",
                "1",
            ]
        ),
        max_size=12,
    ).map(" ".join)
)
def test_no_mixture_of_words_tells_or_changes_anything(shared_log: Log, sql: str) -> None:
    assert SCORE not in _said(shared_log, sql)
    assert len(list(shared_log.read())) == 3


def test_a_local_variable_is_no_table(log: Log) -> None:
    events_of_mine = [1]
    with pytest.raises(QueryRefused, match="does not exist"):
        query(log, "select * from events_of_mine")
    assert events_of_mine


def test_too_slow_and_too_many(log: Log) -> None:
    endless = (
        "select count(*) from range(100000000) a, range(100000000) b where a.range % 7 = b.range"
    )
    with pytest.raises(QueryRefused, match="took longer than"):
        query(log, endless, seconds=0.2)
    many = query(log, "select * from range(10000000)", limit=3)
    assert (len(many.rows), many.more) == (3, True)
    assert not query(log, "select * from range(3)", limit=3).more
    assert query(log, "select count(*) from events").columns == ("count_star()",)


def test_a_query_does_not_see_what_is_half_written(tmp_path: Path) -> None:
    with Log.open(tmp_path / "log.duckdb") as log:
        log.append(batch(1, 3))
        with log.writing() as cursor:
            cursor.execute("insert into projections values ('tree', 'run', 'n1', 1, '{}')")
            assert query(log, "select count(*) from nodes").rows == [(0,)]
        assert query(log, "select count(*) from nodes").rows == [(1,)]
