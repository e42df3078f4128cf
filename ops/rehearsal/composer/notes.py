"""Notes made from trajectories: what a phase taught, what a run taught. Pure and total.

A trajectory is any stretch of text that begins at a line naming a node (`n12`).
"""

import re
from collections.abc import Sequence

from msgspec import Struct

from ops.rehearsal.composer import recipe as designs
from ops.rehearsal.composer.facts import Facts
from ops.rehearsal.composer.families import families
from ops.rehearsal.composer.recipe import Recipe

MOST_LINES = 12

_START = re.compile(r"^(?=\W*(?:node |solution )?n\d+\b)", re.MULTILINE | re.IGNORECASE)
_NODE = re.compile(r"\bn\d+\b")
_PARENT = re.compile(r"\b(?:parent|on|of|from)\W{1,3}(n\d+)\b", re.IGNORECASE)
_SCORE = re.compile(
    r"(?:metric|score|scored)\b[^\d\n-]{0,24}(-?\d+(?:\.\d+)?(?:e-?\d+)?)",
    re.IGNORECASE,
)
_VALIDATION = re.compile(r"^Validation score: (-?\d\S*)$", re.MULTILINE)
_IDEA = re.compile(r"(?:Change one thing: (?P<change>[^.\n]+?),? since|Fit (?P<family>[^:.\n]+):)")
_FAILED = re.compile(r"\b(?:buggy|failed|invalid|error|timeout|no metric)\b", re.IGNORECASE)


class Entry(Struct, frozen=True, kw_only=True):
    """One node as the trajectories tell of it."""

    node: str
    parent: str | None
    score: float | None
    idea: str
    failed: bool


def entries(trajectories: str) -> list[Entry]:
    """Return the nodes that the text tells of, in its order."""
    found = []
    for part in _START.split(trajectories):
        named = _NODE.search(part)
        if not named:
            continue
        parent = _PARENT.search(part)
        scores = _VALIDATION.findall(part) or _SCORE.findall(part)
        idea = _IDEA.search(part)
        words = (idea["change"] or idea["family"]) if idea else _sentence(part)
        found.append(
            Entry(
                node=named[0],
                parent=parent[1] if parent else None,
                score=_number(scores[-1]) if scores else None,
                idea=words.strip(),
                failed=not scores and bool(_FAILED.search(part)),
            )
        )
    return found


def knowledge(trajectories: str, memory: str, *, lower: bool = False) -> str:
    """Return what the trajectories show under the three headings that were asked for."""
    told = entries(trajectories)
    better, worse = _compared(told, lower=lower)
    summary = [_line(each) for each in told[:MOST_LINES]] or ["No solution was finished."]
    promising = [f"- {each}" for each in better[:MOST_LINES]]
    dead = [f"- {each}" for each in worse[:MOST_LINES]]
    dead += [f"- {e.idea}: {e.node} failed" for e in told if e.failed][:MOST_LINES]
    known = "Earlier phases are in the memory." if memory.strip() else "This is the first phase."
    return "\n".join(
        [
            "## Execution summary",
            known,
            *summary,
            "## Promising directions",
            *(promising or ["- nothing has raised the score yet"]),
            "## Dead ends",
            *(dead or ["- none so far"]),
        ]
    )


def wisdom(facts: Facts, trajectories: str, best: str) -> str:
    """Return what the run shows under the two headings that were asked for."""
    told = entries(trajectories)
    recipe = designs.read(best)
    better, worse = _compared(told, lower=facts.lower_is_better)
    scored = _ranked([e for e in told if e.score is not None], lower=facts.lower_is_better)
    lines = [f"- {each}" for each in better[:MOST_LINES]]
    avoid = [f"- {each}" for each in worse[:MOST_LINES]]
    return "\n".join(
        [
            "## DATA SUMMARY",
            *_data(facts, recipe),
            "## MODEL SUMMARY",
            *_models(facts, recipe),
            *(["Best first:", *(_line(e) for e in scored[:MOST_LINES])] if scored else []),
            *(["What raised the score:", *lines] if lines else []),
            *(["What did not:", *avoid] if avoid else []),
        ]
    )


def _data(facts: Facts, recipe: Recipe | None) -> list[str]:
    counts = ", ".join(
        f"{sum(each.count for each in facts.columns if each.type == kind)} {kind}"
        for kind in ("numeric", "categorical", "boolean", "text", "json")
        if any(each.type == kind for each in facts.columns)
    )
    steps = ", ".join(each.replace("_", " ") for each in recipe.steps) if recipe else ""
    return [
        f"{facts.kind} data, {facts.rows} training rows; columns: {counts or 'not told'}.",
        f"Predict {', '.join(facts.targets) or 'the target'} as {facts.needs}, by {facts.metric}.",
        f"Features of the best solution: {steps or 'the plain columns'}.",
    ]


def _models(facts: Facts, recipe: Recipe | None) -> list[str]:
    if recipe is None:
        return ["The best solution was not composed here; its code is the only description."]
    names = {(f.member.view, f.member.model): f.phrase for f in families(facts)}
    lines = []
    for each in recipe.members:
        phrase = names.get((each.view, each.model), each.model.replace("_", " "))
        settings = ", ".join(f"{k}={v}" for k, v in each.settings.items()) or "default settings"
        lines.append(f"- {phrase} ({settings}) on {each.view.replace('_', ' ')}")
    blend = "geometric mean" if recipe.geometric else recipe.weights.replace("_", " ")
    return [
        "The best solution uses:",
        *lines,
        f"Validated with {recipe.folds} folds; blend: {blend}; log target: {recipe.logarithm}.",
    ]


def _compared(told: Sequence[Entry], *, lower: bool) -> tuple[list[str], list[str]]:
    """Return the changes that raised and those that did not raise their parent's score."""
    scores = {each.node: each.score for each in told}
    better = list[tuple[float, str]]()
    worse = list[tuple[float, str]]()
    for each in told:
        before = scores.get(each.parent or "")
        if each.score is None or before is None:
            continue
        gain = before - each.score if lower else each.score - before
        line = f"{each.idea}: {before:g} -> {each.score:g} ({each.node})"
        (better if gain > 0 else worse).append((gain, line))
    best_first = [line for _, line in sorted(better, reverse=True)]
    return best_first, [line for _, line in sorted(worse)]


def _ranked(told: list[Entry], *, lower: bool) -> list[Entry]:
    return sorted(told, key=lambda each: (each.score or 0.0) * (1 if lower else -1))


def _line(entry: Entry) -> str:
    came = "failed" if entry.score is None else f"{entry.score:g}"
    return f"- {entry.node}: {entry.idea}: {came}"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _sentence(part: str) -> str:
    words = " ".join(_NODE.sub("", part, count=1).split()).strip(" #*:-")
    return re.split(r"(?<=[.!?])\s", words, maxsplit=1)[0][:160]
