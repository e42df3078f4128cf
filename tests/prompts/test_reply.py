"""Replies: a plan and ONE program, or why not, whatever a model says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.prompts.reply import Malformed, Solution, solution

CODE = "import math\nprint(math.pi)\n"
BLOCK = f"```python\n{CODE}```"

MALFORMED = {
    "nothing": ("", "no Python code block"),
    "prose": ("I would fit a tree.", "no Python code block"),
    "bare code": (CODE, "no Python code block"),
    "two programs": (f"Plan.\n{BLOCK}\nor\n{BLOCK}", "2 Python code blocks"),
    "no plan": (BLOCK, "no plan"),
    "plan after": (f"{BLOCK}\nThat was it.", "no plan"),
    "cut": (f"Plan.\n```python\n{CODE}", "cut off"),
    "syntax": ("Plan.\n```python\nx = (\n```", "line 1"),
    "empty": ("Plan.\n```python\n\n```", "empty"),
    "comment": ("Plan.\n```python\n# later\n```", "only comments"),
    "null byte": ("Plan.\n```python\nx = '\0'\n```", "does not compile"),
    "surrogate": ("Plan.\n```python\nx = '\ud800'\n```", "does not compile"),
    "deep": (f"Plan.\n```python\n{'(' * 5000}\n```", "does not compile"),
    "shell": ("Plan.\n```bash\nls\n```", "no Python code block"),
    "endless thought": (f"<think>Plan.\n{BLOCK}", "inside its reasoning"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_reply_is_told_apart(name: str) -> None:
    reply, why = MALFORMED[name]
    found = solution(reply)
    assert isinstance(found, Malformed)
    assert why in found.why


@pytest.mark.parametrize(
    "reply",
    [
        f"Fit it.\n\n{BLOCK}",
        f"Fit it.\n{BLOCK}\nDone.",
        f"<think>\nMaybe\n{BLOCK}\n</think>\nFit it.\n{BLOCK}",
        f"Maybe {BLOCK}</think>Fit it.\n{BLOCK}",
        f"Fit it.\r\n```Python\r\n{CODE}```\r\n",
        f"Fit it.\n~~~py\n{CODE}~~~",
        f"Fit it.\n{BLOCK}\n```bash\nls\n```",
    ],
)
def test_a_solution_is_found(reply: str) -> None:
    assert solution(reply) == Solution("Fit it.", CODE)


def test_a_plan_can_be_recorded_whatever_it_holds() -> None:
    found = solution(f"Fit \ud800.\n{BLOCK}")
    assert isinstance(found, Solution)
    assert found.plan.encode()


def test_odd_escapes_are_no_reason_to_refuse() -> None:
    assert isinstance(solution('Fit.\n```python\nx = "\\d"\n```'), Solution)


PIECES = st.sampled_from(
    ["```", "```python\n", "\n", "~~~", "<think>", "</think>", "x = 1", "\ud800"]
)


@given(st.one_of(st.text(), st.lists(PIECES | st.text(max_size=5)).map("".join)))
def test_any_text_has_an_answer(reply: str) -> None:
    found = solution(reply)
    if isinstance(found, Solution):
        assert found.plan
        compile(found.code, "solution.py", "exec", dont_inherit=True)
    else:
        assert found.why
