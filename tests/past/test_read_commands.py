"""The commands that read a log, on one that no system is writing."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from ops import cli
from ops.errors import Problem
from ops.past.lines import Kept
from ops.past.runs import meant
from ops.recording.live_tables import LiveTables
from schemas.envelope import Vocabulary
from store.log import Log

GOLDEN = Path(__file__).parent / "logs" / "wine.jsonl"
EVENTS = len(GOLDEN.read_text().splitlines())

Ask = Callable[..., Result]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home whose log holds one real run, and the live tables of then."""
    home = tmp_path_factory.mktemp("home")
    decode = msgspec.json.Decoder(Kept).decode
    events = [decode(line) for line in GOLDEN.read_text().splitlines()]
    with Log.open(home / "log.duckdb") as log:
        log.append([(event.seq, event) for event in events])
        tables = LiveTables(log, Vocabulary())
        tables.take(Vocabulary().read(event, event.seq) for event in events)
        tables.write()
    return home


@pytest.fixture
def ask(home: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.setenv("FLOWSTONE_HOME", str(home))
    monkeypatch.delenv("FLOWSTONE_NATS_URL", raising=False)
    return lambda *arguments: CliRunner().invoke(cli.flowstone, arguments)


@pytest.fixture
def changed(home: Path) -> Iterator[Callable[[str], None]]:
    """Return the way to change the log behind everybody's back; undone afterwards."""
    file = home / "log.duckdb"
    kept = file.read_bytes()

    def change(statement: str) -> None:
        with Log.open(file) as log, log.writing() as cursor:
            cursor.execute(statement)

    yield change
    file.write_bytes(kept)
    file.with_name("log.duckdb.wal").unlink(missing_ok=True)


def _told(result: Result) -> str:
    assert result.exception is not None
    return cli.told(result.exception)[0]


def test_sql_is_tab_separated_for_programs(ask: Ask) -> None:
    said = ask("sql", "select key, data->>'action' as action, null as n from nodes order by key")
    assert said.output.splitlines()[:2] == ["key\taction\tn", "n1\tdraft\t"]
    assert said.exit_code == 0
    assert ask("sql", "select e'a\\tb\\n' as text").output == "text\na\\tb\\n\n"


def test_sql_as_json_and_as_csv(ask: Ask) -> None:
    statement = "select 1 as a, 'x,\"y' as b, 0.5::double as c, null as d"
    assert json.loads(ask("sql", statement, "--json").output) == {
        "a": 1,
        "b": 'x,"y',
        "c": 0.5,
        "d": None,
    }
    assert ask("sql", statement, "--csv").output == 'a,b,c,d\n1,"x,""y",0.5,\n'


def test_sql_says_when_there_is_more(ask: Ask) -> None:
    said = ask("sql", "select * from range(5)", "--limit", "2")
    assert said.stdout == "range\n0\n1\n"
    assert said.stderr == "there are more than 2 rows; see them with --limit\n"


def test_a_table_for_people(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    from ops.past import shown  # noqa: PLC0415 - what writes to the terminal

    monkeypatch.setattr(shown, "_for_people", lambda: True)
    said = ask("sql", "select '[red]' as text, 7 as number")
    assert "[red]" in said.output
    assert "number" in said.output.splitlines()[1]


def test_log_tells_a_line_for_each_event(ask: Ask) -> None:
    told = ask("log", "last").output.splitlines()
    assert len(told) == EVENTS
    assert told[0].split()[2] == "RunStarted"
    assert [line.split()[2:4] for line in ask("log", "wi", "--limit", "2").output.splitlines()] == [
        line.split()[2:4] for line in told[-2:]
    ]


def test_log_chooses_types_and_nodes(ask: Ask) -> None:
    graded = ask("log", "last", "--type", "SolutionGraded").output.splitlines()
    assert [line.split()[3] for line in graded] == ["n1", "n2", "n3", "n4"]
    of_node = [line.split()[2] for line in ask("log", "last", "--node", "n2").output.splitlines()]
    assert of_node == [
        "NodeProposed",
        "ModelAsked",
        "ModelAnswered",
        "SolutionWritten",
        "JobQueued",
        "ExecutionStarted",
        "ExecutionFinished",
        "SolutionGraded",
    ]


def test_log_as_json_is_what_was_recorded(ask: Ask) -> None:
    assert ask("log", "wine", "--json").output == GOLDEN.read_text()


def test_status_tells_how_a_run_stands(ask: Ask) -> None:
    said = ask("status", "--json")
    assert json.loads(said.stdout) == {
        "run": "wine",
        "task": "wine",
        "state": "finished: nodes",
        "nodes": 4,
        "graded": 4,
        "best": pytest.approx(0.07462, abs=1e-5),
        "metric": "log-loss",
        "time": "1:27",
        "of": "1:00:00",
    }
    assert "no system is up" in ask("status", "wine").stderr


def test_verify_finds_the_first_changed_event(ask: Ask, changed: Callable[[str], None]) -> None:
    assert ask("verify").output == f"whole: {EVENTS} events of 1 runs, every hash holds\n"
    changed("update events set data = data || ' ' where seq = 20")
    assert "public event 20 of wine: its hash is not the chain's" in _told(ask("verify"))


def test_replay_gives_the_live_tables(ask: Ask) -> None:
    said = ask("replay", "last")
    assert said.exit_code == 0
    assert said.output.startswith("wine: identical: 13 rows of the live tables rebuilt from ")


@pytest.mark.parametrize(
    ("statement", "difference"),
    [
        (
            "update projections set data = replace(data, '\"order\":2', '\"order\":9')",
            "wine: tree n2: order is 9 in the live table, 2 by the log",
        ),
        (
            "delete from projections where projection = 'experience' and key = 'n3'",
            "wine: experience n3: the log gives a row that the live table lacks",
        ),
        (
            "insert into projections values ('ledger', 'wine', 'nobody', 1, '{}')",
            "wine: ledger nobody: the live table has a row that the log does not give",
        ),
    ],
)
def test_replay_shows_the_first_difference(
    ask: Ask, changed: Callable[[str], None], statement: str, difference: str
) -> None:
    changed(statement)
    assert difference in _told(ask("replay", "last"))


def test_replay_shows_the_past(ask: Ask) -> None:
    told = ask("replay", "last", "--at", "20").output.splitlines()
    assert told[0].startswith("wine after event 20, ")
    assert ask("replay", "last", "--at", "0").output == "wine: nothing had happened yet\n"


def test_replay_decides_again(ask: Ask, changed: Callable[[str], None]) -> None:
    said = ask("replay", "last", "--verify")
    assert "identical: decided again 12 of coder, 4 of curator, 9 of planner" in said.output
    changed(
        'update events set data = replace(data, \'"why":"nodes"\', \'"why":"luck"\') '
        "where type = 'RunFinished'"
    )
    said = ask("replay", "last", "--verify")
    assert said.exit_code == 1
    assert "why is recorded as 'luck', decided again as 'nodes'" in said.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["sql", "drop table events"], "DROP is not allowed; only queries that read are"),
        (["sql", "select * from read_text('/etc/passwd')"], "may not stand in `from`"),
        (["sql", "selec 1"], "syntax error"),
        (["log", "wyne"], "there is no run 'wyne'; did you mean wine?"),
        (["log", "last", "--follow"], "no system is up in this home, and --follow needs one"),
        (["stop", "last"], "no system is up in this home, and speaking to a run needs one"),
        (["say", "last", "hello"], "start one with `flowstone up`"),
        (["start", "package:wine"], "no system is up in this home, and starting a run needs one"),
        (["replay", "last", "--at", "1", "--verify"], "--at and --verify do not go together"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(ask: Ask, arguments: list[str], says: str) -> None:
    result = ask(*arguments)
    assert result.exit_code
    if result.stderr:  # click has told it already
        assert says in result.stderr
    else:
        assert says in _told(result)
        assert "\n" not in _told(result)


def test_without_a_log_nothing_is_made(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWSTONE_HOME", str(tmp_path / "none"))
    for arguments in (["sql", "select 1"], ["status"], ["verify"], ["replay", "last"]):
        assert "there is no log yet; start a run with `flowstone run`" in _told(ask(*arguments))
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("name", "run"), [("last", "wine-2b"), ("wine-1", "wine-1"), ("wine-2", "wine-2b"), ("s", "sp")]
)
def test_a_run_is_named_by_its_beginning(name: str, run: str) -> None:
    assert meant(name, ["sp", "wine-1", "wine-12", "wine-2b"]) == run


def test_two_runs_that_begin_alike_are_told_apart() -> None:
    with pytest.raises(Problem, match="2 runs begin with 'wine': wine-1, wine-2; write more"):
        meant("wine", ["wine-1", "wine-2"])
