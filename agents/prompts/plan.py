"""The prompt that asks for a phase's plan, and reading the reply. Pure.

A plan is what ML-Master 2.0 researches by (arXiv 2601.10402, section 3.2): directions, each with
suggestions that one program can try.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import json_repair
from msgspec import Struct

from agents.prompts.reply import Malformed, clean, without_thoughts
from agents.prompts.sections import (
    BEST,
    FIRST,
    INSTRUCTIONS,
    MEMORY,
    TASK,
    fenced,
    joined,
    quoted,
    section,
)
from agents.prompts.solution import preview_section, task_text
from schemas.events import Message, TaskPrepared

INTRODUCTION = (
    "You lead the research of a machine-learning team. You decide what is tried next, from what"
    " the experiments so far have shown."
)
REQUEST = "Plan the next phase of research."
NOTHING_YET = "Nothing has been tried since the first solution."
STAGNATED = (
    "The last phase ended without a gain worth the name: do not go on as it did, but say what"
    " else could hold the score back and try that."
)

MECHANICAL: Mapping[str, Sequence[str]] = {
    "features": (
        "Add features that combine the two or three columns which matter most.",
        "Encode the categorical columns by what the target is on average, out of fold.",
    ),
    "models": (
        "Replace the model by a gradient boosting of trees with early stopping.",
        "Replace the model by one of another family and tune its regularisation.",
    ),
    "training": (
        "Train on five folds and average the predictions of the five models.",
        "Search the three most important parameters of the model on the validation rows.",
    ),
}
"""What is tried where no plan could be had of a model."""

Directions = dict[str, tuple[str, ...]]


class Known(Struct, frozen=True, kw_only=True):
    """What a plan is made from: the first solution, the best one, and what phases taught."""

    first: str
    best: str
    best_metric: float | None
    memory: str
    stagnated: bool
    guidance: str


def messages(
    *, prepared: TaskPrepared, known: Known, directions: int, suggestions: int
) -> tuple[Message, ...]:
    """Return the chat that asks for the plan of one phase."""
    score = "" if known.best_metric is None else f"Its validation score: {known.best_metric:g}\n\n"
    first = "" if known.first == known.best else fenced(known.first, "python")
    user = joined(
        section(TASK, task_text(prepared)),
        preview_section(prepared),
        section(FIRST, first),
        section(BEST, f"{score}{fenced(known.best, 'python')}"),
        section(MEMORY, quoted(known.memory or NOTHING_YET)),
        section(INSTRUCTIONS, _instructions(directions, suggestions, known)),
    )
    return (Message(role="system", content=INTRODUCTION), Message(role="user", content=user))


def remembered(phase: int, directions: Mapping[str, Sequence[str]], taught: str) -> str:
    """Return one closed phase as later plans see it: its plan, then what it taught."""
    plan = json.dumps({name: _numbered(texts) for name, texts in directions.items()}, indent=1)
    told = f"## What phase {phase} taught\n{taught}" if taught else ""
    return f"## Plan of phase {phase}\n{plan}\n\n{told}".strip()


def read(reply: str, *, directions: int, suggestions: int) -> Directions | Malformed:
    """Return the plan in *reply*, cut to its size; total over all texts."""
    spoken = without_thoughts(reply)
    if spoken is None:
        return Malformed("the reply ends inside its reasoning")
    begins = spoken.find("{")
    if begins < 0:
        return Malformed("there is no JSON object")
    try:
        found: Any = json_repair.loads(clean(spoken[begins:]))
    except (ValueError, RecursionError) as error:
        return Malformed(f"the JSON cannot be read: {type(error).__name__}")
    if isinstance(found, list):  # more than one object: what a model says after its plan
        found = next((each for each in found if isinstance(each, dict)), None)
    if not isinstance(found, dict):
        return Malformed("the JSON is no object of directions")
    plan = {name: texts for name, value in found.items() if (texts := _texts(value))}
    named = [(str(name).strip(), texts[:suggestions]) for name, texts in plan.items()]
    kept = dict([each for each in named if each[0]][:directions])
    if not kept:
        return Malformed("no direction has a suggestion in words")
    return kept


def shortfall(plan: Directions, *, directions: int, suggestions: int) -> str:
    """Return what a readable plan lacks, or nothing when it is whole."""
    if len(plan) < directions:
        return f"there are {len(plan)} directions instead of {directions}"
    short = [name for name, texts in plan.items() if len(texts) < suggestions]
    return f"{short[0]!r} has fewer than {suggestions} suggestions" if short else ""


def mechanical(*, directions: int, suggestions: int) -> Directions:
    """Return a plan that needs no model, of at most this size."""
    return {name: tuple(texts[:suggestions]) for name, texts in [*MECHANICAL.items()][:directions]}


def form(directions: int, suggestions: int) -> str:
    """Return how the reply must look."""
    numbers = ", ".join(f'"{n}": "..."' for n in range(1, suggestions + 1))
    return (
        f"Answer with one JSON object of {directions} directions and nothing else, each with"
        f" {suggestions} suggestions:\n"
        f'{{"name of the direction": {{{numbers}}}, ...}}'
    )


def _instructions(directions: int, suggestions: int, known: Known) -> str:
    revised = f"\n\n{STAGNATED}" if known.stagnated else ""
    guided = f"\n\nGuidance: {quoted(known.guidance)}" if known.guidance else ""
    return (
        f"{REQUEST}{revised}{guided}\n\n"
        f"Name {directions} directions that differ in what they change, most promising first, and"
        f" in each {suggestions} suggestions.\n"
        "- A suggestion is one change to the best solution, so exact that it can be programmed"
        " without a question: name columns, models and parameters.\n"
        "- Leave nothing open: one way, no examples, no choice between two.\n"
        "- No ensembles of earlier solutions, no more than five folds.\n"
        "- Build on what raised the score; do not repeat a dead end that the memory shows.\n\n"
        f"{form(directions, suggestions)}"
    )


def _numbered(texts: Sequence[str]) -> dict[str, str]:
    return {str(number): text for number, text in enumerate(texts, 1)}


def _texts(value: object) -> tuple[str, ...]:
    """Return the suggestions in a direction's value, whether object, list or one text."""
    if isinstance(value, dict):
        value = [*value.values()]
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        return ()
    return tuple(each.strip() for each in value if isinstance(each, str) and each.strip())
