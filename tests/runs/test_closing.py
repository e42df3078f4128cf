"""How real runs end: the best solutions are blended, and the blend is handed over only if better."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runs.harness import Run, check_best, check_log, events, flowstone, settled
from tests.runs.tasks import write_recording

PROGRAM = """
import csv
import os
import re

own = int(re.findall("# ([0-9]+)", open("solution.py").read())[0]) % 3
with open("input/test.csv") as file:
    rows = list(csv.DictReader(file))
os.makedirs("submission", exist_ok=True)
with open("submission/submission.csv", "w") as file:
    print("id,more", file=file)
    for number, row in enumerate(rows):
        more = (float(row["a"]) > float(row["b"])) != (WRONG)
        print(row["id"], int(more), sep=",", file=file)
"""
DIFFERING = PROGRAM.replace("WRONG", "number % 3 == own")
"""Each is wrong about another third of the rows, so that their majority is always right."""
OUTVOTED = PROGRAM.replace("WRONG", "own and number % 3 and number % 5 != own")
"""One is right, and the other two are wrong together."""
LUCKY = "seed = 1\n" + PROGRAM.replace(
    "WRONG", "number % 4 == 1 or (own == 2 and number % 5 == 2) if own else seed > 1"
)
"""One is right with its own seed alone, the other two are nearly right with any."""
# So many rows are set aside that every program is wrong about some of them.
ASIDE = ("--set", "grader.heldout_share=0.5")
NODES = ("--nodes", "3", "--set", "search.drafts=3", "--minutes", "3", *ASIDE)


def said(run: Run, kind: str) -> dict[str, dict[str, Any]]:
    """Return the data of all events of a type, by key."""
    return {key: data for _, _, each, key, data in events(run.home) if each == kind}


def check_closed(run: Run, sample: Path) -> str:
    """Require a whole record that is decided again the same; return the node that was chosen."""
    check_log(run.home)
    again = flowstone(run.home, "replay", run.name, "--verify")
    assert again.returncode == 0, again.stdout + again.stderr
    rebuilt = flowstone(run.home, "replay", run.name)
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
    (end,) = said(run, "RunFinished").values()
    assert check_best(run.best, sample) == end["best"]
    return str(end["best"])


def test_a_blend_that_is_better_is_handed_over(
    start: Callable[..., Run], small: Path, tmp_path: Path
) -> None:
    recording = write_recording(tmp_path / "differing.json", program=DIFFERING)

    run = start("run", str(small), "--recording", str(recording), *NODES)

    assert run.end() == 0, run.output
    assert check_closed(run, small / "sample_submission.csv") == "fuse1"
    graded = said(run, "SolutionGraded")
    assert graded["fuse1"]["metric"] == 1.0
    assert max(graded[f"n{n}"]["metric"] for n in (1, 2, 3)) < 1.0
    (end,) = said(run, "RunFinished").values()
    assert (end["nodes"], end["why"]) == (3, "nodes")
    assert len(settled(run.home, run.name)) == 3
    job = said(run, "JobQueued")["light.fuse1"]
    raw = {key: data["submission"] for key, data in said(run, "ExecutionFinished").items()}
    assert job["files"] == {f"{node}.csv": raw[node] for node in ("n1", "n2", "n3")}
    (status,) = flowstone(run.home, "status", "--json").stdout.splitlines()
    assert json.loads(status) | {"nodes": 3, "graded": 3, "best": 1.0} == json.loads(status)


def test_a_blend_that_is_worse_is_not_chosen(
    start: Callable[..., Run], small: Path, tmp_path: Path
) -> None:
    recording = write_recording(tmp_path / "outvoted.json", program=OUTVOTED)

    run = start("run", str(small), "--recording", str(recording), *NODES)

    assert run.end() == 0, run.output
    graded = said(run, "SolutionGraded")
    best = check_closed(run, small / "sample_submission.csv")
    assert graded["fuse1"]["metric"] < graded[best]["metric"] == 1.0
    assert "search over: nodes; closing: fuser" in run.output


def test_a_solution_that_was_lucky_is_not_handed_over_where_that_is_asked_for(
    start: Callable[..., Run], small: Path, tmp_path: Path
) -> None:
    recording = write_recording(tmp_path / "lucky.json", program=LUCKY)
    robust = ("--set", "select.final=robust", "--set", "select.repeats=2")

    run = start("run", str(small), "--recording", str(recording), *NODES, *robust)

    assert run.end() == 0, run.output
    best = check_closed(run, small / "sample_submission.csv")
    graded = {key: data["metric"] for key, data in said(run, "SolutionGraded").items()}
    (lucky,) = [node for node in ("n1", "n2", "n3") if graded[node] == 1.0]
    assert best != lucky
    assert graded["fuse1"] == graded[best]
    assert max(graded[f"{lucky}r{n}"] for n in (1, 2)) < graded[best] < 1.0
    assert [graded[f"{best}r{n}"] for n in (1, 2)] == [graded[best]] * 2
    assert set(said(run, "ClosingStepDone")) == {"fuser", "repeater"}
    assert f"best is {best} with" in run.output
    (status,) = flowstone(run.home, "status", "--json").stdout.splitlines()
    assert json.loads(status)["best"] == graded[best]


def test_without_closing_steps_a_run_ends_where_its_search_does(
    start: Callable[..., Run], small: Path, quick: tuple[str, ...]
) -> None:
    run = start("run", str(small), *quick, "--nodes", "3", "--set", "closing.steps=none")

    assert run.end() == 0, run.output
    kinds = {kind for _, _, kind, _, _ in events(run.home)}
    assert not kinds & {"SearchClosed", "SearchTimeUp", "ClosingStepDone"}
    assert [*said(run, "NodeProposed")] == ["n1", "n2", "n3"]
    assert "fuser" not in {data["role"] for data in said(run, "ActorStarted").values()}


@pytest.mark.long
def test_what_time_is_kept_is_used_to_close(
    start: Callable[..., Run], small: Path, slow: tuple[str, ...]
) -> None:
    run = start("run", str(small), *slow[:2], "--minutes", "0.25")

    assert run.end() == 0, run.output
    check_closed(run, small / "sample_submission.csv")
    (closed,) = said(run, "SearchClosed").values()
    assert closed["why"] == "time"
    assert "fuse1" in said(run, "SolutionGraded")
    (end,) = said(run, "RunFinished").values()
    assert end["why"] == "time"


def test_a_step_that_nobody_takes_is_refused(tmp_path: Path, small: Path) -> None:
    ended = flowstone(tmp_path, "run", str(small), "--set", "closing.steps=fuse")

    assert ended.returncode == 2
    assert "closing.steps: no role 'fuse' closes runs; choose among: fuser" in ended.stderr
    assert not (tmp_path / "log.duckdb").exists()


def test_the_fuser_may_say_what_it_declares_and_no_more(
    start: Callable[..., Run], small: Path, quick: tuple[str, ...]
) -> None:
    run = start("run", str(small), *quick, "--nodes", "30")
    run.proposed(1)
    configuration = (run.home / "nats" / "nats-server.conf").read_text()
    run.process.send_signal(signal.SIGINT)
    assert run.end() == 130, run.output
    users = json.loads(configuration.partition("\nauthorization: ")[2])["users"]
    logins = {user["user"]: user["permissions"] for user in users}

    allowed = logins["fuser"]["publish"]["allow"]

    assert {each for each in allowed if each.startswith("flowstone.*.")} == {
        "flowstone.*.ClosingStepDone.>",
        "flowstone.*.JobQueued.*.>",
        "flowstone.*.NodeProposed.>",
        "flowstone.*.SolutionWritten.>",
        "flowstone.*.WorkAbandoned.fuser.>",
    }
    assert not [each for each in str(logins["fuser"]).split("'") if "PRIVATE" in each.upper()]
