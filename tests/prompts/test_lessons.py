"""Lessons: the prompts, and how summaries are read back."""

from hypothesis import given
from hypothesis import strategies as st

from agents.prompts.lessons import knowledge, summaries, wisdom
from ops.rehearsal.prompt import parsed
from tests.prompts.prepared import PREPARED

TRAJECTORIES = "## n1 (draft)\nPlan: Fit LightGBM: why.\nValidation score: 0.8"


def test_the_prompts_carry_what_lessons_rest_on() -> None:
    asked = knowledge(prepared=PREPARED, memory="known", trajectories=TRAJECTORIES)
    prompt = parsed([(each.role, each.content) for each in asked])
    assert (prompt.kind, prompt.memory.strip()) == ("knowledge", "known")
    assert TRAJECTORIES in prompt.trajectories
    asked = wisdom(
        prepared=PREPARED, trajectories=TRAJECTORIES, best_code="x = 1\n", best_metric=0.8
    )
    prompt = parsed([(each.role, each.content) for each in asked])
    assert (prompt.kind, prompt.best) == ("wisdom", "x = 1\n")
    assert prompt.facts.rows == 120


def test_both_summaries_are_found_however_they_are_set() -> None:
    for reply in (
        "## DATA SUMMARY\nrows\n## MODEL SUMMARY\ntrees",
        "**Data summary:** rows\n\n**Model Summary:**\ntrees",
        "<think>no</think>DATA SUMMARY: rows\nMODEL SUMMARY: trees",
        "MODEL SUMMARY\ntrees\nDATA SUMMARY\nrows",
    ):
        assert summaries(reply) == ("rows", "trees")


def test_what_has_no_heading_is_kept() -> None:
    assert summaries("Trees did well.") == ("", "Trees did well.")


@given(st.text())
def test_any_text_gives_summaries_that_can_be_recorded(reply: str) -> None:
    for part in summaries(reply):
        assert part.encode() == part.strip().encode()
