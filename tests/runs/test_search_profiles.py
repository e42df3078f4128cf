"""Runs that search as the released code of ML-Master 1.0 does."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from tests.runs.harness import Run, check_best, check_log, events, flowstone, settled
from tests.runs.tasks import write_recording

NODES = 10
WORKERS = 3


def _with_faults(recording: Path) -> Path:
    """Break every third of the recorded programs."""
    (nodes,) = json.loads(recording.read_text())
    for node in nodes[::3]:
        node["code"] = "raise SystemExit('broken')\n"
    recording.write_text(json.dumps([nodes]))
    return recording


def test_a_run_of_the_profile_code_is_valid_and_decided_again(
    start: Callable[..., Run], small: Path, tmp_path: Path
) -> None:
    recording = _with_faults(write_recording(tmp_path / "nodes.json"))
    chosen = ("--set", "search.profile=code", "--nodes", str(NODES), "--minutes", "3")

    run = start("run", str(small), "--recording", str(recording), *chosen)
    assert run.end() == 0, run.output
    again = flowstone(run.home, "replay", run.name, "--verify")

    assert again.returncode == 0, again.stdout + again.stderr
    check_log(run.home)
    assert len(settled(run.home, run.name)) == NODES
    history = [(kind, key, data) for _, _, kind, key, data in events(run.home)]
    in_flight = set[str]()
    for kind, key, _ in history:
        if kind == "NodeProposed":
            in_flight.add(key)
        elif kind in {"SolutionGraded", "CodingFailed"}:
            in_flight.discard(key)
        assert len(in_flight) <= WORKERS
    graded = {key: data for kind, key, data in history if kind == "SolutionGraded"}
    assert {each["buggy"] for each in graded.values()} == {True, False}
    proposed = {key: data for kind, key, data in history if kind == "NodeProposed"}
    for each in proposed.values():
        if each["parent"]:
            wanted = "debug" if graded[each["parent"]]["buggy"] else "improve"
            assert each["action"] == wanted

    best = graded[check_best(run.best, small / "sample_submission.csv")]
    assert best["metric"] == max(each["metric"] or 0.0 for each in graded.values())
    content = (run.best / "submission.csv").read_bytes()
    assert hashlib.sha256(content).hexdigest() == best["submission"]["sha256"]
