"""A program's design as a value, and the program that follows it. Pure.

The design stands in the program's first lines, so that whoever is shown the program can go on
from it.
"""

import pprint
import re
from typing import Any, Literal

import msgspec
from msgspec import Struct

from ops.rehearsal.composer.assembly import assembled, pieces
from ops.rehearsal.composer.facts import Facts

SUSPICIOUS = re.compile(r"giver|_if_known|_after_|outcome", re.IGNORECASE)
"""Names of columns that are filled in after the outcome: they would leak it."""

SCORES = {
    "accuracy": "accuracy",
    "balanced-accuracy": "balanced_accuracy",
    "auc": "area_under_curve",
    "average-precision": "average_precision",
    "log-loss": "cross_entropy",
    "f1": "f1",
    "f1-macro": "f1",
    "f1-micro": "accuracy",
    "f1-weighted": "f1",
    "quadratic-weighted-kappa": "kappa",
    "mcc": "correlation",
    "rmse": "root_mean_square",
    "rmsle": "root_mean_square_log",
    "mae": "mean_absolute",
    "mse": "root_mean_square",
    "mape": "mean_absolute_share",
    "r2": "explained",
    "spearman": "agreement",
    "pearson": "agreement",
}
_DEFAULT_SCORES = {
    "numbers": "root_mean_square",
    "labels": "accuracy",
    "probabilities": "cross_entropy",
}
_LOWER = frozenset(
    {
        "cross_entropy",
        "root_mean_square",
        "root_mean_square_log",
        "mean_absolute",
        "mean_absolute_share",
    }
)
_HEADER = re.compile(r"^# Recipe: (\{.*\})$", re.MULTILINE)
_LINE = 96


class Member(Struct, frozen=True, kw_only=True):
    """One model of the ensemble: the view of the data it is fitted on, and its settings."""

    view: str
    model: str
    settings: dict[str, float | int | str] = {}


class Recipe(Struct, frozen=True, kw_only=True):
    """A design: the steps that make features, the models, and how they are blended."""

    members: tuple[Member, ...]
    steps: tuple[str, ...] = ()
    folds: int = 3
    weights: Literal["equal_weights", "fitted_weights"] = "equal_weights"
    logarithm: bool = False
    geometric: bool = False
    sharpen: bool = False
    cut: bool = False


def read(code: str) -> Recipe | None:
    """Return the design of a program that was composed here, or None."""
    found = _HEADER.search(code)
    if not found:
        return None
    try:
        recipe = msgspec.json.decode(found[1], type=Recipe)
    except msgspec.MsgspecError:
        return None
    names = [*recipe.steps, *(n for each in recipe.members for n in (each.view, each.model))]
    return recipe if recipe.members and pieces().keys() >= set(names) else None


def program(recipe: Recipe, facts: Facts) -> str:
    """Return the source of the program that follows *recipe* on the task of *facts*."""
    score = SCORES.get(facts.metric, _DEFAULT_SCORES[facts.needs])
    solve = "solve_values" if facts.needs == "numbers" else "solve_classes"
    members = [_member(each) for each in recipe.members]
    roots = [solve, score, recipe.weights, *recipe.steps]
    roots += [name for each in recipe.members for name in (each.view, each.model)]
    roots += ["partial"] if any(each.settings for each in recipe.members) else []
    imports, sources = assembled(roots)
    if "partial" in roots:
        imports.insert(0, "from functools import partial")
    flags = [n for n in ("logarithm", "geometric", "sharpen", "cut") if getattr(recipe, n)]
    call = [
        "TASK,",
        f"steps=[{', '.join(recipe.steps)}],",
        f"members=[{', '.join(members)}],",
        f"score={score},",
        f"sign={-1 if score in _LOWER else 1},",
        f"folds={recipe.folds},",
        f"weights={recipe.weights},",
        *(f"{flag}=True," for flag in flags),
    ]
    header = f"# Recipe: {msgspec.json.encode(recipe).decode()}"
    task = f"TASK = {pprint.pformat(_task(facts), width=_LINE, sort_dicts=False)}"
    main = f"{solve}(\n" + "".join(f"    {line}\n" for line in call) + ")"
    return (
        "\n\n".join([header, "\n".join(imports), task, *(f"\n{s}" for s in sources), main]) + "\n"
    )


def _task(facts: Facts) -> dict[str, Any]:
    names = [each.name for each in facts.columns]
    hidden = {facts.label, *facts.targets, *facts.train_only} - {""}
    suspicious = {name for name in names if SUSPICIOUS.search(name)}
    return {
        "train": facts.train_file,
        "test": facts.test_file,
        "sample": facts.sample_file,
        "id": facts.id_column,
        "targets": list(facts.targets),
        "label": facts.label,
        "needs": facts.needs,
        "texts": list(facts.of_type("text")),
        "lists": list(facts.of_type("json")),
        "left out": sorted(hidden | suspicious),
    }


def _member(member: Member) -> str:
    if not member.settings:
        return f"({member.view}, {member.model})"
    settings = ", ".join(f"{key}={value!r}" for key, value in member.settings.items())
    return f"({member.view}, partial({member.model}, {settings}))"
