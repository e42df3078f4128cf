"""Playing recordings back."""

import json
from pathlib import Path
from typing import Any

import pytest

from agents.prompts.reply import Solution, solution
from agents.prompts.solution import Parent, messages
from ops.rehearsal.playback import Playback, deep
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


def test_an_unreadable_recording_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text("{")
    with pytest.raises(ValueError, match=r"broken\.json: not a recording"):
        Playback.of(path)


def test_the_published_traces_play_to_the_end(shared_data: Path) -> None:
    path = shared_data / "traces" / "nomad2018-predict-transparent-conductors_nodes.json"
    playback = Playback.of(path)
    given = list[str]()
    while node := playback.next("draft", ""):
        given.append(node.code)
    assert len(given) == 262  # as many as need no deep-learning library
    assert not any(deep(code) for code in given)
