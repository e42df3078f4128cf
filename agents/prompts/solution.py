"""The prompt that asks for a program: a first draft, an improvement, a repair or a fusion. Pure.

The order of the sections is from what never changes in a run to what changes every time, so that
an endpoint which caches prefixes can do so.
"""

from typing import Literal

from msgspec import Struct

from agents.prompts import steering
from agents.prompts.sections import (
    EXTERNAL,
    INSTRUCTIONS,
    MEMORY,
    OUTPUT,
    PREVIEW,
    PREVIOUS,
    TASK,
    fenced,
    joined,
    quoted,
    section,
)
from schemas.events import Action, Message, TaskPrepared

INTRODUCTION = (
    "You are an expert in applied machine learning. You are given a competition and write one"
    " complete Python program that trains a model and writes a submission. Be exact about the"
    " data: use only columns and files that the data preview shows."
)

REQUESTS: dict[Action, str] = {
    "draft": "Write a first solution.",
    "improve": "Improve the previous solution.",
    "debug": "Repair the previous solution.",
    "fuse": "Combine the previous solution with what has worked in others.",
}
"""The first line of the instructions: what is asked for."""

GUIDANCE: dict[Action, str] = {
    "draft": (
        "- Keep this first solution simple: one model, no ensembles, no search for"
        " hyperparameters.\n"
        "- Make it clearly different from every design that the memory shows.\n"
        "- Do not explore the data in the program; everything needed is in the preview."
    ),
    "improve": (
        "- Change one thing that should raise the validation score, so that its effect can be"
        " measured.\n"
        "- The change must differ from those that the memory shows; do not repeat a dead end.\n"
        "- Return the whole program, not only what changed."
    ),
    "debug": (
        "- Find the cause in the execution output, and mend it with the smallest change that"
        " really removes it.\n"
        "- Keep the method: do not swap the model for a simpler one to avoid the error.\n"
        "- Do not install packages. Return the whole program."
    ),
    "fuse": (
        "- Bring the strongest ideas that the memory shows into the previous solution, for"
        " example by averaging models that err differently.\n"
        "- Return the whole program, not only what changed."
    ),
}

RULES = """\
- One self-contained Python file; no arguments, no input from the keyboard, no network.
- Read the data from `./input`; keep anything temporary in `./working`.
- Validate on rows that the model was not fitted on, and print the score of the task's metric as
  the last line: `Final validation score: <number>`.
- Then write the predictions for the test file to `./submission/submission.csv`.
- Print only what helps to judge the run. Use no more than the cores that are there."""

RESPONSE = """\
Answer with a plan of three to five sentences, then ONE code block that starts with ```python and
holds the whole program. Nothing after the code block."""

Placement = Literal["message", "user", "think"]
"""Where the memory stands: in a chat message; or, with a reasoning begun, before it or in it."""

RESOLVE = "I will keep to this task and think it through step by step before I write the program."
UNDERSTAND = "First I have to understand the data that I am given."
REMEMBER = "This is what earlier attempts have taught me."
BELIEFS: dict[Action, str] = {
    "draft": "",
    "improve": (
        "This is my solution so far, and what running it gave. I believe that it can be made"
        " better by one well-chosen change."
    ),
    "debug": (
        "This program failed, and this is what it printed. I take the review's word for the"
        " likely cause, and I mean to find it and mend it."
    ),
    "fuse": "This is my solution so far, and what running it gave; it may gain from the others.",
}
"""What the begun reasoning says before it shows the parent."""

EXTERNAL_NOTE = "Earlier runs on similar tasks taught this; build on it where it fits."


class Parent(Struct, frozen=True, kw_only=True):
    """The solution to build on, what running it printed and what the grader said of it."""

    plan: str
    code: str
    output: str
    analysis: str
    metric: float | None


def messages(  # noqa: PLR0913 - one keyword for each part of the prompt
    *,
    action: Action,
    prepared: TaskPrepared,
    instruction: str,
    memory: str,
    wisdom: str,
    parent: Parent | None,
    seconds_left: float,
    nodes_left: int,
    job_seconds: float,
    placement: Placement = "message",
) -> tuple[Message, ...]:
    """Return the chat that asks for one solution, with a reasoning begun where that is wanted."""
    told = section(EXTERNAL, f"{EXTERNAL_NOTE}\n\n{quoted(wisdom)}") if wisdom.strip() else ""
    budget = _budget(seconds_left, nodes_left, job_seconds)
    asked = section(INSTRUCTIONS, _instructions(action, prepared, instruction, budget))
    known = section(MEMORY, quoted(memory))
    preview, shown = preview_section(prepared), _parent_sections(parent) if parent else ()
    task = section(TASK, task_text(prepared))
    system = Message(role="system", content=INTRODUCTION)
    if placement == "message":
        user = joined(task, told, preview, known, *shown, asked)
        return (system, Message(role="user", content=user))
    inside = placement == "think" and known
    user = joined(task, told, "" if inside else known, asked)
    begun = steering.thought(
        RESOLVE,
        f"{UNDERSTAND}\n\n{preview}",
        f"{REMEMBER}\n\n{known}" if inside else "",
        f"{BELIEFS[action]}\n\n{joined(*shown)}" if shown else "",
    )
    return (system, Message(role="user", content=user), begun)


def task_text(prepared: TaskPrepared) -> str:
    """Return what the task asks for, its metric and the form of its answers."""
    task = prepared.task
    better = "lower" if task.lower_is_better else "higher"
    return (
        f"{task.title}\n\n{quoted(task.description.strip())}\n\n"
        f"Metric: {task.metric} ({better} is better).\n"
        f"Submission: {prepared.sample.rows} rows in the order of {task.sample_file};"
        f" columns {', '.join(prepared.sample.columns)}."
    )


def preview_section(prepared: TaskPrepared) -> str:
    """Return the data preview, which brings its own heading."""
    return section(PREVIEW, quoted(prepared.preview.strip().removeprefix(PREVIEW)))


def _parent_sections(parent: Parent) -> tuple[str, str]:
    scored = "" if parent.metric is None else f"\n\nIts validation score: {parent.metric:g}"
    plan = f"{quoted(parent.plan.strip())}\n\n" if parent.plan.strip() else ""
    analysis = f"\n\nReview: {quoted(parent.analysis.strip())}" if parent.analysis.strip() else ""
    return (
        section(PREVIOUS, f"{plan}{fenced(parent.code, 'python')}{scored}"),
        section(OUTPUT, f"{fenced(parent.output)}{analysis}"),
    )


def _instructions(action: Action, prepared: TaskPrepared, instruction: str, budget: str) -> str:
    focus = f"\n\nIn this attempt: {quoted(instruction.strip())}" if instruction.strip() else ""
    columns = ", ".join(prepared.sample.columns)
    return (
        f"{REQUESTS[action]}{focus}\n\n{GUIDANCE[action]}\n\n{RULES}\n"
        f"- The submission has the columns {columns} and one row for each row of"
        f" {prepared.task.sample_file}, in its order.\n\n{budget}\n\n{RESPONSE}"
    )


def _budget(seconds_left: float, nodes_left: int, job_seconds: float) -> str:
    limit = max(0.0, min(job_seconds, seconds_left))
    return (
        f"Time remaining for the whole run: {_clock(seconds_left)}.\n"
        f"Solutions remaining: {max(0, nodes_left)}.\n"
        f"The program is stopped after {_clock(limit)}; aim for well under that."
    )


def _clock(seconds: float) -> str:
    whole = max(0, int(seconds))
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
