"""The prompts that turn experience into knowledge and a run into wisdom. Pure."""

import re

from agents.prompts.reply import clean, without_thoughts
from agents.prompts.sections import (
    BEST,
    INSTRUCTIONS,
    MEMORY,
    TASK,
    TRAJECTORIES,
    fenced,
    joined,
    quoted,
    section,
)
from agents.prompts.solution import preview_section, task_text
from schemas.events import Message, TaskPrepared

INTRODUCTION = (
    "You keep the laboratory notebook of a machine-learning team. You write down what"
    " experiments showed, with their numbers, and nothing that they did not show."
)

KNOWLEDGE = """\
Refine the trajectories into knowledge.

Compare the solutions with the ones they were built on and say what each change did to the score.
Answer in plain text under exactly these headings:
## Execution summary
What was tried, with the score of each.
## Promising directions
What raised the score and could raise it further; most valuable first.
## Dead ends
What did not help or failed, and why, so that nobody tries it again."""

WISDOM = """\
Distil the run into wisdom.

Write for somebody who starts on a similar task and has seen nothing of this one. Every step must
be reproducible from your words: name the features, models and parameters, leave none out.
Answer in plain text under exactly these headings:
## DATA SUMMARY
What the data is like, how to prepare it, which features mattered.
## MODEL SUMMARY
Which models and settings worked, with their scores, how they were validated, what to avoid."""

_HEADING = re.compile(
    r"^[ \t#*]*(?P<name>data|model)[ \t]+summary[ \t*]*(?P<end>:|$)[ \t*]*",
    re.IGNORECASE | re.MULTILINE,
)


def knowledge(*, prepared: TaskPrepared, memory: str, trajectories: str) -> tuple[Message, ...]:
    """Return the chat that asks what a closed phase taught; *memory* is what was known before."""
    return _chat(
        section(TASK, task_text(prepared)),
        section(MEMORY, quoted(memory)),
        section(TRAJECTORIES, quoted(trajectories)),
        section(INSTRUCTIONS, KNOWLEDGE),
    )


def wisdom(
    *, prepared: TaskPrepared, trajectories: str, best_code: str, best_metric: float | None
) -> tuple[Message, ...]:
    """Return the chat that asks what a whole run taught."""
    score = "" if best_metric is None else f"Its validation score: {best_metric:g}\n\n"
    best = f"{score}{fenced(best_code, 'python')}" if best_code.strip() else ""
    return _chat(
        section(TASK, task_text(prepared)),
        preview_section(prepared),
        section(TRAJECTORIES, quoted(trajectories)),
        section(BEST, best),
        section(INSTRUCTIONS, WISDOM),
    )


def summaries(reply: str) -> tuple[str, str]:
    """Return the data summary and the model summary in *reply*; a part not found is empty.

    A reply without either heading is taken as the model summary: nothing said is thrown away.
    """
    spoken = clean(without_thoughts(reply) or "").strip()
    found = list(_HEADING.finditer(spoken))
    if not found:
        return "", spoken
    parts = {"data": "", "model": ""}
    ends = [*(each.start() for each in found[1:]), len(spoken)]
    for heading, end in zip(found, ends, strict=True):
        name = heading["name"].lower()
        text = spoken[heading.end() : end].strip()
        parts[name] = parts[name] or text
    return parts["data"], parts["model"]


def _chat(*sections: str) -> tuple[Message, ...]:
    return (
        Message(role="system", content=INTRODUCTION),
        Message(role="user", content=joined(*sections)),
    )
