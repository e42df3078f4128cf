"""Playing recordings back."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.prompts.reply import Solution, solution
from agents.prompts.solution import Parent, messages
from ops.rehearsal.playback import Node, Playback, deep
from ops.rehearsal.speaker import SIGNATURE, Speaker
from schemas.events import Action
from tests.prompts.prepared import PREPARED

NODES: list[list[dict[str, Any]]] = [
    [
        {"node_index": 1, "parent_index": 0, "plan": "First.", "code": "a = 1  \n"},
        {"node_index": 2, "parent_index": 1, "plan": "Child.", "code": "a = 2\n"},
        {"node_index": 3, "parent_index": 1, "plan": "Deep.", "code": "import torch\n"},
    ],
    [],
    [{"node_index": 4, "parent_index": 0, "plan": "Second.", "code": "b = 1\n", "metric": 0.5}],
]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "nodes.json"
    path.write_text(json.dumps(NODES))
    return path


def reply(speaker: Speaker, action: Action, code: str | None = None) -> Solution:
    """Ask for a solution on a parent with *code*."""
    parent = (
        None
        if code is None
        else Parent(plan="", code=code, output="NameError: x", analysis="", metric=None)
    )
    asked = messages(
        action=action,
        prepared=PREPARED,
        instruction="",
        memory="",
        wisdom="",
        parent=parent,
        seconds_left=600,
        nodes_left=9,
        job_seconds=60,
    )
    found = solution(speaker.reply([(each.role, each.content) for each in asked]))
    assert isinstance(found, Solution)
    return found


def test_requests_get_recorded_children_then_others_then_composed_ones(recording: Path) -> None:
    speaker = Speaker.of(recording)
    first = reply(speaker, "draft")
    assert (first.plan, first.code) == ("First.", "a = 1\n")
    child = reply(speaker, "improve", first.code)
    assert (child.plan, child.code) == ("Child.", "a = 2\n")
    other = reply(speaker, "debug", child.code)
    assert other.plan.startswith("Second. (The recording has no unused child")
    assert SIGNATURE in reply(speaker, "draft").plan


def node(index: int, parent: int) -> Node:
    return Node(index=str(index), parent=str(parent), plan="Plan.", code=f"x = {index}\n")


def test_a_node_that_stands_in_several_branches_is_given_once() -> None:
    playback = Playback([node(1, 0), node(2, 1), node(1, 0), node(3, 1)])
    found = [playback.next("draft", "") for _ in range(4)]
    assert [each and each.index for each in found] == ["1", "2", "3", None]


def test_another_node_is_one_that_is_hardly_asked_for_in_its_place() -> None:
    playback = Playback([node(1, 0), node(2, 1), node(3, 2), node(4, 1)])
    asked = [("draft", ""), ("improve", "x = 1"), ("draft", ""), ("debug", "x = 2")]
    found = [playback.next(kind, code) for kind, code in asked]
    # The second child of 1 stands in for a draft, and the only child of 2 waits for its turn.
    assert [each and each.index for each in found] == ["1", "2", "4", "3"]


@given(
    parents=st.lists(st.integers(0, 9), max_size=9),
    asked=st.lists(st.tuples(st.sampled_from(["draft", "debug", "improve"]), st.integers(0, 9))),
)
def test_every_node_is_given_once_whatever_is_asked(
    parents: list[int], asked: list[tuple[str, int]]
) -> None:
    playback = Playback([node(n, parent) for n, parent in enumerate(parents, 1)])
    found = [playback.next(kind, f"x = {number}") for kind, number in asked]
    indices = [each.index for each in found if each]
    assert len(indices) == len(set(indices)) == min(len(asked), len(parents))


def test_an_unreadable_recording_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text("{")
    with pytest.raises(ValueError, match=r"broken\.json: not a recording"):
        Playback.of(path)


def test_the_published_traces_play_to_the_end(shared_data: Path) -> None:
    path = shared_data / "traces" / "nomad2018-predict-transparent-conductors_nodes.json"
    playback = Playback.of(path)
    codes = list[str]()
    while played := playback.next("draft", ""):
        codes.append(played.code)
    assert len({*codes}) == len(codes) == 107  # the others of 163 need a deep-learning library
    assert not any(deep(code) for code in codes)
