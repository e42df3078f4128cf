"""`flowstone import` on real homes: what it lays down is a run like any other, and nobody acts on it."""

import fcntl
import json
import re
from pathlib import Path

import pytest

from tests.importing.test_recording import BROKEN, node
from tests.runs.harness import Run, check_log, end_all, events, flowstone, settled, told
from tests.runs.tasks import write_recording, write_task

GOLDEN = Path(__file__).parents[1] / "past" / "logs" / "wine.jsonl"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home into which a recording and a written-out run were imported, twice."""
    home = tmp_path_factory.mktemp("imported") / "home"
    recorded = home.parent / "toy_nodes.json"
    recorded.write_text(json.dumps([[node(1), node(2, 1, metric=0.75), node(3, 1, **BROKEN)]]))
    first = flowstone(home, "import", str(recorded), str(GOLDEN))
    again = flowstone(home, "import", str(recorded), str(GOLDEN))
    assert first.returncode == again.returncode == 0, first.stderr + again.stderr
    assert [line.partition(": ")[2] for line in first.stdout.splitlines()] == [
        "18 events, 18 of them new",
        "47 events, 47 of them new",
    ]
    assert [line.partition(", ")[2] for line in again.stdout.splitlines()] == ["0 of them new"] * 2
    return home


def test_imported_runs_are_runs_like_others(home: Path) -> None:
    check_log(home)
    assert flowstone(home, "verify").stdout == "whole: 65 events of 2 runs, every hash holds\n"
    rows = [line.split("\t") for line in flowstone(home, "status").stdout.splitlines()]
    assert [(row[1], row[2], row[3], row[5][:7]) for row in rows[1:]] == [
        ("Toy task", "finished: the recording ends", "3", "0.75"),
        ("wine", "finished: nodes", "4", "0.07462"),
    ]
    for run in ("toy", "wine"):
        assert "identical: " in flowstone(home, "replay", run).stdout
        assert flowstone(home, "replay", run, "--verify").returncode == 0
    asked = flowstone(home, "sql", "select key from nodes where run like 'toy%' order by key")
    assert asked.stdout.split() == ["key", "n1", "n2", "n3"]


def test_a_written_out_run_keeps_ids_and_its_decisions(home: Path) -> None:
    written = flowstone(home, "log", "wine", "--json").stdout.splitlines()
    names = ("id", "cause", "time", "source", "subject", "data")
    kept = [[json.loads(line)[name] for name in names] for line in written[1:]]
    assert kept == [
        [json.loads(line)[name] for name in names] for line in GOLDEN.read_text().splitlines()
    ]
    said = flowstone(home, "replay", "wine", "--verify").stdout
    assert "identical: decided again 12 of coder, 4 of curator, 9 of planner" in said


@pytest.mark.long
def test_nobody_acts_on_an_imported_run(home: Path, tmp_path: Path) -> None:
    before = [each for each in events(home) if each[1] != "system"]
    task = write_task(tmp_path / "more")
    recording = write_recording(tmp_path / "recording.json")
    run = Run(
        home, "run", str(task), "--recording", str(recording), "--nodes", "3", papers=tmp_path
    )
    try:
        assert run.end() == 0, run.output
    finally:
        end_all([run])
    assert len(settled(home, run.name)) == 3
    assert [each for each in events(home) if each[1] not in {"system", run.name}] == before
    check_log(home)


def test_a_home_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with (tmp_path / "home" / "lock").open("w") as lock:
        lock.write("4711\n")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = flowstone(tmp_path / "home", "import", str(GOLDEN))
    assert "in use by process 4711; wait for it, stop it" in told(refused)
    assert not (tmp_path / "home" / "log.duckdb").exists()


def test_another_run_of_that_name_is_refused(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text(re.sub(r'"seed":\d+', '"seed":1', GOLDEN.read_text()))
    refused = flowstone(home, "import", str(other))
    assert "there is another run 'wine' here; import it in another home" in told(refused)


def test_a_file_that_is_neither_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello\n")
    refused = flowstone(tmp_path / "home", "import", str(tmp_path / "notes.txt"))
    assert refused.returncode == 2
    assert "notes.txt: " in told(refused)
    assert "give recorded nodes, or what `flowstone log RUN --json` wrote" in told(refused)
