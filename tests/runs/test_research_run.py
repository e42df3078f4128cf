"""A real run by plans: asked for, tried, learned from, and decided again from the log."""

import json
from pathlib import Path

import pytest

from tests.runs.harness import Run, check_log, end_all, events, flowstone, settled

NODES = 9


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, small: Path, quick: tuple[str, ...]) -> Run:
    home = tmp_path_factory.mktemp("research") / "home"
    chosen = ("--set", "search.policy=research", "--set", "search.directions=2")
    run = Run(home, "run", str(small), *quick, *chosen, "--nodes", str(NODES))
    try:
        assert run.end() == 0, run.output
    finally:
        end_all([run])
    return run


def test_each_plan_is_the_models_and_starts_from_the_best(run: Run) -> None:
    told = [(kind, key, data) for _, _, kind, key, data in events(run.home)]
    plans = [data for kind, _, data in told if kind == "PhasePlanned"]
    asked = [key for kind, key, _ in told if kind == "ModelAsked" and key.startswith("planner")]

    assert len(plans) >= 2
    assert asked == [f"planner.plan-{n}-1" for n in range(1, len(plans) + 1)]
    assert all(not plan["note"] and len(plan["directions"]) == 2 for plan in plans)
    proposed = {key: data for kind, key, data in told if kind == "NodeProposed"}
    improved = {
        (data["phase"], data["parent"]) for data in proposed.values() if data["action"] == "improve"
    }
    assert improved == {(plan["phase"], plan["base"]) for plan in plans}
    assert len(settled(run.home, run.name)) == NODES
    check_log(run.home)


def test_it_is_decided_again_from_the_log(run: Run) -> None:
    again = flowstone(run.home, "replay", run.name, "--verify")

    assert again.returncode == 0, again.stdout + again.stderr
    assert "of planner" in again.stdout


def test_its_prompts_are_rebuilt_as_they_were(run: Run) -> None:
    again = flowstone(run.home, "context", run.name, "--json")

    assert (again.returncode, again.stderr) == (0, "")
    calls = json.loads(again.stdout)["calls"]
    assert len(calls) >= NODES
    assert all(each["same"] and each["now"] == each["then"] for each in calls)
    assert any(each["then"]["knowledge"] for each in calls)


def test_every_part_of_its_prompts_is_traced(run: Run) -> None:
    told = [(kind, data) for _, _, kind, _, data in events(run.home)]
    asked = [data for kind, data in told if kind == "ModelAsked" and data["role"] == "coder"]
    for question in asked[-3:]:
        why = flowstone(run.home, "why", run.name, question["subject"], "--json")
        root = json.loads(why.stdout)
        (used,) = [each for each in root["rests_on"] if each["kind"] == "question"]
        shown = [(each["tokens"]) for each in used["rests_on"] if "tokens" in each]
        assert shown == [part["tokens"] for part in question["context"]]
