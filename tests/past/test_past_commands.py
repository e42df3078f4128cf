"""Commands that look back on a past run, on a log that no system is writing."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from agents.descriptor import descriptor
from agents.embedding import embed
from ops import cli
from ops.past.lines import Kept
from schemas.envelope import wrap
from schemas.events import TaskPrepared, WisdomDistilled
from store.log import Log

GOLDEN = Path(__file__).parent / "logs" / "wine.jsonl"
Ask = Callable[..., Result]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home whose log holds one real run, and what an earlier one like it taught."""
    home = tmp_path_factory.mktemp("home")
    decode = msgspec.json.Decoder(Kept).decode
    events = [decode(line) for line in GOLDEN.read_text().splitlines()]
    prepared = next(each for each in events if each.type == "TaskPrepared")
    about = descriptor(msgspec.json.decode(prepared.data, type=TaskPrepared))
    taught = WisdomDistilled(
        task="cider",
        descriptor=about,
        embedding=embed(about),
        data_summary="d" * 30,
        model_summary="m" * 30,
        rests_on=(),
    )
    earlier = wrap(taught, run="earlier", source="test", time=events[0].time, cause=None)
    with Log.open(home / "log.duckdb") as log:
        log.append([(1, earlier), *((event.seq, event) for event in events)])
    return home


@pytest.fixture
def ask(home: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.setenv("FLOWSTONE_HOME", str(home))
    monkeypatch.delenv("FLOWSTONE_NATS_URL", raising=False)
    return lambda *arguments: CliRunner().invoke(cli.flowstone, arguments)


def _told(result: Result) -> str:
    assert result.exception is not None
    return cli.told(result.exception)[0]


def test_why_is_a_page_of_plain_lines(ask: Ask) -> None:
    page = ask("why", "last", "n4").output.splitlines()
    assert page[0].startswith("n4 ")
    assert re.search(r"; ran ok in \d+\.\d s \[45\]$", page[0])
    assert any(line.startswith("    knowledge of phase 1, ") for line in page)
    assert any(line.strip().startswith("curator asked knowledge-1: ") for line in page)
    assert max(map(len, page)) <= 80


def test_why_as_json_has_the_same_tree(ask: Ask) -> None:
    tree = json.loads(ask("why", "wine", "n4", "--json").output)
    assert (tree["kind"], tree["name"], tree["event"]) == ("solution", "n4", 45)
    assert tree["facts"]["outcome"] == "ok"
    kinds = [each["kind"] for each in tree["rests_on"]]
    assert kinds[-1] == "question"


def test_why_of_what_is_not_there_names_the_nearest(ask: Ask) -> None:
    assert _told(ask("why", "last", "n44")).startswith(
        "flowstone: wine: there is no node 'n44'; did you mean n4"
    )
    assert "see them with `flowstone log wine --type NodeProposed`" in _told(
        ask("why", "last", "?")
    )
    assert "there is no run 'wyne'; did you mean wine?" in _told(ask("why", "wyne", "n1"))


def test_context_with_the_settings_of_the_run_is_what_was_recorded(ask: Ask) -> None:
    said = ask("context", "last")
    assert said.stderr == ""
    header, *rows = [line.split("\t") for line in said.stdout.splitlines()]
    assert header[:4] == ["call", "node", "action", "then"]
    assert [row[0] for row in rows] == ["n1-1", "n2-1", "n3-1", "n4-1", "total", "peak"]
    assert all(row[3:7] == row[7:] for row in rows)


def test_context_under_another_policy(ask: Ask, tmp_path: Path) -> None:
    picture = tmp_path / "memory.svg"
    wish = ("--set", "memory.tiers=experience", "--set", "memory.scope=phase")
    found = json.loads(ask("context", "last", *wish, "--json", "-o", str(picture)).stdout)
    assert (found["run"], found["now"]["tiers"]) == ("wine", ["experience"])
    assert all(each["now"]["knowledge"] == 0 for each in found["calls"])
    assert found["peak"]["now"] > 0
    assert found["total"]["now"] == sum(sum(each["now"].values()) for each in found["calls"])
    assert "memory.tiers=experience, memory.scope=phase: peak" in picture.read_text()


@pytest.mark.parametrize(
    ("assignment", "recalled"),
    [
        ("memory.allow_same_task=true", True),
        ("memory.recall_limit=2", False),
        ("memory.recall_limit=0", False),
        ("memory.recall_threshold=2", False),
        ("memory.budget_tokens=4000", False),
    ],
)
def test_context_recalls_again_where_the_policy_recalls_otherwise(
    ask: Ask, assignment: str, *, recalled: bool
) -> None:
    found = json.loads(ask("context", "last", "--set", assignment, "--json").stdout)
    assert {each["now"]["wisdom"] > 0 for each in found["calls"]} == {recalled}
    assert {each["then"]["wisdom"] for each in found["calls"]} == {0}


def test_context_in_tiers_as_in_the_paper(ask: Ask) -> None:
    header, *rows = [
        line.split("\t") for line in ask("context", "last", "--paper").output.splitlines()
    ]
    assert header == ["phase", "events", "graded", "everything", "in tiers"]
    assert [row[0] for row in rows] == ["0", "1", "2", "peak"]
    assert int(rows[-1][3]) > int(rows[-1][4]) > 0
    found = json.loads(ask("context", "last", "--paper", "--json").output)
    assert len(found["points"]) == len(GOLDEN.read_text().splitlines())
    assert found["peak"] == {"raw": int(rows[-1][3]), "tiers": int(rows[-1][4])}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--set", "memory.tier=wisdom"], "did you mean memory.tiers?"),
        (["--set", "search.drafts=1"], "search.drafts has no part in what was shown"),
        (["--set", "search.phase_nodes=1"], "or search.phase_nodes with --paper"),
        (["--paper", "--set", "search.phase_nodes=1"], "phases with lessons are as they were"),
        (["--set", "memory.scope"], "'memory.scope' has no value; write KEY=VALUE"),
        (["-o", "/nowhere/at/all.svg"], "No such file or directory; choose another with -o"),
    ],
)
def test_context_says_what_it_cannot_do(ask: Ask, arguments: list[str], says: str) -> None:
    assert says in _told(ask("context", "last", *arguments))
