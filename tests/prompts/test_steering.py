"""A prompt in a model's own template, its reasoning begun; and where the memory stands in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.prompts import solution
from agents.prompts.reply import Malformed
from agents.prompts.reply import solution as read
from agents.prompts.steering import CONTROL, rendered, thought
from schemas import settings
from schemas.events import Action, Message
from schemas.settings import SettingsError, Template
from tests.prompts.prepared import PREPARED

SYSTEM = Message(role="system", content="Be exact.")
USER = Message(role="user", content="Write it.")
PARENT = solution.Parent(
    plan="Fit a tree.", code="print(1)\n", output="NameError: x", analysis="It failed.", metric=None
)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (
            "deepseek",
            (
                "<\uff5cbegin\u2581of\u2581sentence\uff5c>Be exact.<\uff5cUser\uff5c>Write it."
                "<\uff5cAssistant\uff5c><think>\nI know the data.\n"
            ),
        ),
        (
            "qwen3",
            (
                "<|im_start|>system\nBe exact.<|im_end|>\n<|im_start|>user\nWrite it.<|im_end|>\n"
                "<|im_start|>assistant\n<think>\nI know the data.\n"
            ),
        ),
    ],
)
def test_the_whole_text_ends_in_an_open_reasoning(template: Template, text: str) -> None:
    assert rendered([SYSTEM, USER, thought("I know the data.", " ")], template) == text


def test_after_a_reply_that_cannot_be_used_a_new_reasoning_is_begun() -> None:
    again = [SYSTEM, USER, thought("First."), Message(role="assistant", content="no code"), USER]
    assert rendered(again, "qwen3").endswith("<|im_start|>assistant\n<think>\n")
    assert "no code" in rendered(again, "qwen3")


@given(text=st.lists(st.sampled_from([*CONTROL, "<|im_", "start|>", "a", "{}"])).map("".join))
def test_foreign_text_ends_no_turn(text: str) -> None:
    hostile = Message(role="user", content=text)
    plain = Message(role="user", content="")
    for template in ("deepseek", "qwen3"):
        found = rendered([SYSTEM, hostile], template)
        for token in CONTROL:
            assert found.count(token) == rendered([SYSTEM, plain], template).count(token)


def told(placement: solution.Placement, action: Action = "debug") -> list[Message]:
    return [
        *solution.messages(
            action=action,
            prepared=PREPARED,
            instruction="mend it",
            memory="n1 scored 0.5",
            wisdom="",
            parent=None if action == "draft" else PARENT,
            seconds_left=3700,
            nodes_left=7,
            job_seconds=90,
            placement=placement,
        )
    ]


def headings(message: Message) -> list[str]:
    lines = message.content.splitlines()
    return [line for line in lines if line in solution_headings()]


def solution_headings() -> set[str]:
    return {
        f"# {name}"
        for name in (
            *("Task description", "Memory", "Data preview", "Previous solution"),
            *("Execution output", "Instructions"),
        )
    }


@pytest.mark.parametrize(
    ("placement", "in_message", "in_thought"),
    [
        (
            "user",
            ["# Task description", "# Memory", "# Instructions"],
            ["# Data preview", "# Previous solution", "# Execution output"],
        ),
        (
            "think",
            ["# Task description", "# Instructions"],
            ["# Data preview", "# Memory", "# Previous solution", "# Execution output"],
        ),
    ],
)
def test_the_memory_stands_before_the_reasoning_or_in_it(
    placement: solution.Placement, in_message: list[str], in_thought: list[str]
) -> None:
    _, user, begun = told(placement)
    assert headings(user) == in_message
    assert headings(begun) == in_thought
    assert begun.content.startswith(f"<think>\n{solution.RESOLVE}")
    assert solution.BELIEFS["debug"] in begun.content


def test_a_first_solution_begins_with_the_data_alone() -> None:
    _, _, begun = told("user", "draft")
    assert headings(begun) == ["# Data preview"]


def test_a_reasoning_that_never_ends_is_no_solution() -> None:
    found = read("<think>\nI know. ```python\nprint(1)\n```")
    assert isinstance(found, Malformed)
    assert "reasoning" in found.why


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        ({"model.template": "qwen3", "model.name": "openai/GPT-9"}, "gpt models"),
        ({"model.template": "deepseek", "model.name": "claude-x"}, "claude models"),
        ({"memory.placement": "think"}, "set model.template"),
    ],
)
def test_what_does_not_go_together_is_refused(chosen: dict[str, str], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        settings.decode({"--set": chosen})


def test_an_open_model_may_be_steered() -> None:
    chosen = {"model.template": "qwen3", "model.name": "qwen3-32b", "memory.placement": "think"}
    assert settings.decode({"--set": chosen}).placement == "think"
    assert settings.decode({}).placement == "message"
