"""Commands that look back on a past run, on a log that no system is writing."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from ops import cli
from ops.past.lines import Kept
from store.log import Log

GOLDEN = Path(__file__).parent / "logs" / "wine.jsonl"
Ask = Callable[..., Result]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home whose log holds one real run."""
    home = tmp_path_factory.mktemp("home")
    decode = msgspec.json.Decoder(Kept).decode
    events = [decode(line) for line in GOLDEN.read_text().splitlines()]
    with Log.open(home / "log.duckdb") as log:
        log.append([(event.seq, event) for event in events])
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
    assert page[0].endswith("; ran ok in 2.9 s [45]")
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
