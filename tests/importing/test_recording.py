"""Recorded nodes as the events of a run: all that they know, in an order that folds, always the same."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.importing import recording
from ops.importing.imported import Imported
from schemas.envelope import Recorded, Vocabulary
from schemas.settings import Settings
from store.projections import experience, tree
from tests.agents.examples import prepared

PHASE = Settings().search.phase_nodes


def node(index: int, parent: int = 0, **more: Any) -> dict[str, Any]:
    """Return a node as ML-Master records it."""
    fields: dict[str, Any] = {"metric": 0.5, "is_bug": "False", "demo_id": "Toy task"}
    fields |= {"plan": f"plan {index}", "code": f"code {index}", "analysis": f"verdict {index}"}
    return {"node_index": index, "parent_index": parent, **fields, **more}


BROKEN = {"metric": None, "is_bug": "True"}


@st.composite
def forests(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw nodes whose parents came before them, or are not recorded."""
    indices = draw(st.lists(st.integers(1, 60), min_size=1, max_size=30, unique=True))
    made: list[dict[str, Any]] = []
    for index in sorted(indices):
        parent = draw(st.sampled_from([0, 999, *(each["node_index"] for each in made)]))
        scored = {"metric": draw(st.floats(0, 1))} if draw(st.booleans()) else BROKEN
        made.append(node(index, parent, **scored))
    return made


def told(*branches: list[dict[str, Any]], lower: bool = False) -> Imported:
    return recording.run(json.dumps(branches).encode(), "toy_nodes.json", task=lower)


def events(run: Imported) -> list[Recorded[Any]]:
    return [Vocabulary().read(each, seq) for seq, each in enumerate(run.events, 1)]


def test_what_a_recording_tells_in_order() -> None:
    run = told([node(1), node(3, 1, metric=0.7)], [node(1), node(2, 1, **BROKEN), node(4, 2)])
    told_of = [(each.type, each.key) for each in events(run)]
    of_nodes = [
        (kind, name)
        for name in ("n1", "n2", "n3", "n4")
        for kind in ("NodeProposed", "SolutionWritten", "ExecutionFinished", "SolutionGraded")
    ]
    assert told_of == [
        *[(kind, "once") for kind in ("RunImported", "RunStarted", "TaskPrepared")],
        ("PhasePlanned", "1"),
        *of_nodes,
        ("PhaseClosed", "1"),
        ("RunFinished", "once"),
    ]
    by_key = {(each.type, each.key): each.data for each in events(run)}
    proposals = [by_key["NodeProposed", name] for name in ("n1", "n2", "n3", "n4")]
    assert [(each.action, each.parent) for each in proposals] == [
        ("draft", None),
        ("improve", "n1"),
        ("improve", "n1"),
        ("debug", "n2"),
    ]
    assert by_key["SolutionWritten", "n3"].code == "code 3"
    assert by_key["ExecutionFinished", "n2"].outcome == "error"
    graded = by_key["SolutionGraded", "n3"]
    assert (graded.metric, graded.obtained, graded.analysis) == (0.7, "reported", "verdict 3")
    assert by_key["SolutionGraded", "n2"].buggy
    assert by_key["RunFinished", "once"].best == "n3"
    assert "not recorded: what the programs printed" in by_key["RunImported", "once"].note


@given(forest=forests())
def test_any_forest_folds_into_its_tree(forest: list[dict[str, Any]]) -> None:
    run = told(forest)
    grown, tried = tree.START, experience.START
    for event in events(run):
        if type(event.data) in tree.projection.follows:
            grown = tree.apply(grown, event)
        if type(event.data) in experience.projection.follows:
            tried = experience.apply(tried, event)

    known = {each["node_index"] for each in forest}
    assert {
        trace.node: (trace.metric, trace.code, trace.parent) for trace in tried.traces.values()
    } == {
        f"n{each['node_index']}": (
            each["metric"],
            each["code"],
            f"n{each['parent_index']}" if each["parent_index"] in known else None,
        )
        for each in forest
    }
    assert (grown.proposed, len(grown.in_flight)) == (len(forest), 0)


@given(forest=forests())
def test_every_event_has_its_place_its_cause_and_its_time(forest: list[dict[str, Any]]) -> None:
    run, again = told(forest), told(forest[:1], forest)
    assert [each.id for each in again.events] == [
        each.id for each in told(forest[:1], forest).events
    ]
    assert len({each.subject for each in run.events}) == len(run.events)
    earlier: set[Any] = {None}
    for before, event in zip((None, *run.events), run.events, strict=False):
        assert event.cause in earlier
        assert before is None or event.time > before.time
        earlier.add(event.id)


@given(forest=forests())
def test_phases_turn_by_count(forest: list[dict[str, Any]]) -> None:
    by_type: dict[str, list[Any]] = {}
    for event in events(told(forest)):
        by_type.setdefault(event.type, []).append(event.data)
    closed = by_type["PhaseClosed"]
    assert [len(each.nodes) for each in closed[:-1]] == [PHASE] * (len(closed) - 1)
    assert 1 <= len(closed[-1].nodes) <= PHASE
    assert [name for each in closed for name in each.nodes] == [
        each.node for each in by_type["SolutionGraded"]
    ]
    phases = {name: each.phase for each in closed for name in each.nodes}
    assert {each.node: each.phase for each in by_type["NodeProposed"]} == phases


def test_times_are_those_of_the_recording_where_it_has_them() -> None:
    run = told([node(1, ctime=1e9, exec_time=60.0), node(2, 1, ctime=1e9 + 3600, exec_time=5.0)])
    seconds = {(each.type, each.key): each.time.timestamp() - 1e9 for each in run.events}
    assert seconds["ExecutionFinished", "n1"] == 60
    assert seconds["SolutionWritten", "n2"] == 3600
    assert seconds["ExecutionFinished", "n2"] == 3605
    executed = next(each for each in events(run) if each.type == "ExecutionFinished")
    assert executed.data.seconds == 60.0


def test_the_direction_is_as_told_and_the_task_as_given() -> None:
    nodes = [node(1, metric=0.2), node(2, metric=0.9)]
    assert events(told(nodes))[-1].data.best == "n2"
    assert events(told(nodes, lower=True))[-1].data.best == "n1"
    task = prepared(task="other", lower_is_better=True)
    run = recording.run(json.dumps([nodes]).encode(), "toy.json", task=task)
    assert run.run.startswith("other-")
    assert (events(run)[2].data.task, events(run)[-1].data.best) == (task.task, "n1")
    assert {told(nodes).run, told(nodes[:1]).run, run.run} >= {told(nodes).run}
    assert len({told(nodes).run, told(nodes[:1]).run, run.run}) == 3
    assert told(nodes).run.startswith("toy-task-")


@pytest.mark.parametrize(
    "content", [b"[]", b"[[]]", b"[[{}]]", b'[["node"]]', b"[", b'[[{"node_index": "a"}]]']
)
def test_what_is_no_recording_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"node|truncated|Expected"):
        recording.run(content, "broken.json", task=False)


@pytest.mark.parametrize(
    ("task", "nodes"),
    [("nomad2018-predict-transparent-conductors", 163), ("random-acts-of-pizza", 88)],
)
def test_published_runs_are_read_whole(shared_data: Path, task: str, nodes: int) -> None:
    file = shared_data / "traces" / f"{task}_nodes.json"
    run = recording.run(file.read_bytes(), file.name, task=False)
    assert events(run)[-1].data.nodes == nodes
    assert run.run.startswith(f"{task}-")
