"""The plan of a phase: what a model is asked, and what is made of whatever it answers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.prompts import plan
from agents.prompts.reply import Malformed

from .examples import prepared

WHOLE: plan.Directions = {"features": ("sums", "ratios"), "models": ("boosting", "forest")}


def read(reply: str) -> plan.Directions | Malformed:
    return plan.read(reply, directions=2, suggestions=2)


def known(memory: str = "", *, stagnated: bool = False, guidance: str = "") -> plan.Known:
    return plan.Known(
        first="print(1)\n",
        best="print(2)\n",
        best_metric=0.5,
        memory=memory,
        stagnated=stagnated,
        guidance=guidance,
    )


def asked(known: plan.Known) -> str:
    system, user = plan.messages(prepared=prepared(), known=known, directions=2, suggestions=2)
    assert system.role == "system"
    return user.content


@pytest.mark.parametrize(
    "reply",
    [
        '{"features": {"1": "sums", "2": "ratios"}, "models": {"1": "boosting", "2": "forest"}}',
        '{"features": {"1": "sums", "2": "ratios",}, "models": {"1": "boosting", "2": "forest",},}',
        (
            '```json\n{"features": {"1": "sums", "2": "ratios"},'
            ' "models": {"1": "boosting", "2": "forest"}}\n```'
        ),
        'Here it is.\n{"features": ["sums", "ratios"], "models": ["boosting", "forest"]}\nGood luck.',
        (
            '<think>{"no": {"1": "not this"}}</think>{"features": {"1": "sums", "2": "ratios"},'
            ' "models": {"1": "boosting", "2": "forest"}}'
        ),
        (
            '{"features": {"1": "sums", "2": "ratios", "3": "more"}, "models": {"1": "boosting",'
            ' "2": "forest"}, "third": {"1": "too much"}}'
        ),
        '{"features": {"1": "sums", "2": "ratios"}, "models": {"1": "boosting", "2": "forest"',
        '{"features": {"1": " sums ", "2": "ratios", "3": 7}, "models": {"1": "boosting", "2": "forest"}}',
    ],
    ids=["exact", "commas", "fence", "prose", "thoughts", "too-much", "cut-off", "a-number"],
)
def test_a_plan_is_read_however_it_is_wrapped(reply: str) -> None:
    assert read(reply) == WHOLE


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("", "no JSON"),
        ("I would try boosting.", "no JSON"),
        ("<think>{ still thinking", "reasoning"),
        ("{}", "no direction"),
        ('{"features": 3, "models": null}', "no direction"),
        ('{"": {"1": "sums"}}', "no direction"),
        ('{"features": {"1": ""}}', "no direction"),
    ],
)
def test_what_is_no_plan_is_said_to_be_none(reply: str, why: str) -> None:
    found = read(reply)
    assert isinstance(found, Malformed)
    assert why in found.why


def test_a_plan_that_is_too_small_says_what_it_lacks() -> None:
    one = read('{"features": {"1": "sums", "2": "ratios"}}')
    assert not isinstance(one, Malformed)
    assert "1 directions instead of 2" in plan.shortfall(one, directions=2, suggestions=2)
    thin = read('{"features": ["sums"], "models": ["boosting", "forest"]}')
    assert not isinstance(thin, Malformed)
    assert "'features'" in plan.shortfall(thin, directions=2, suggestions=2)
    assert plan.shortfall(WHOLE, directions=2, suggestions=2) == ""


@settings(max_examples=300, deadline=None)
@given(
    reply=st.text() | st.from_regex(r"\{[\"{}:,\[\]a-z0-9 \n]{0,60}"),
    directions=st.integers(1, 4),
    suggestions=st.integers(1, 3),
)
def test_whatever_is_answered_is_a_plan_of_at_most_its_size_or_none(
    reply: str, directions: int, suggestions: int
) -> None:
    found = plan.read(reply, directions=directions, suggestions=suggestions)
    if isinstance(found, Malformed):
        assert found.why
    else:
        assert 1 <= len(found) <= directions
        assert all(1 <= len(texts) <= suggestions for texts in found.values())


def test_the_first_plan_says_that_nothing_was_tried() -> None:
    text = asked(known())
    assert plan.NOTHING_YET in text
    assert "Its validation score: 0.5" in text
    assert text.index("# First solution") < text.index("# Best solution") < text.index("# Memory")
    assert plan.STAGNATED not in text


def test_the_third_plan_sees_both_plans_and_lessons_in_their_order() -> None:
    phases = [
        plan.remembered(1, {"features": ("sums",)}, "sums helped"),
        plan.remembered(2, {"models": ("forest",)}, "forests did not"),
    ]
    memory = "\n\n".join(phases)
    assert memory == (
        "## Plan of phase 1\n"
        '{\n "features": {\n  "1": "sums"\n }\n}\n\n'
        "## What phase 1 taught\nsums helped\n\n"
        "## Plan of phase 2\n"
        '{\n "models": {\n  "1": "forest"\n }\n}\n\n'
        "## What phase 2 taught\nforests did not"
    )
    assert memory in asked(known(memory))


def test_a_stagnated_phase_and_guidance_are_told() -> None:
    text = asked(known(stagnated=True, guidance="no trees"))
    assert plan.STAGNATED in text
    assert "Guidance: no trees" in text
