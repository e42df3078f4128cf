"""Improvements that change one thing about a design, each with the words that name it. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from ops.rehearsal.composer.facts import Facts
from ops.rehearsal.composer.families import families, pictures, pure_text
from ops.rehearsal.composer.recipe import Member, Recipe

MOST_MEMBERS = 4
MOST_STEPS = 6
FEWEST_AMOUNTS = 4
"""So many columns that begin at zero look like amounts of several kinds."""


class Move(Struct, frozen=True, kw_only=True):
    """One change: the words for it, why it may help, the design after it, how much it promises."""

    phrase: str
    why: str
    after: Recipe
    worth: float


Applies = Callable[[Facts], bool]


class _Step(Struct, frozen=True, kw_only=True):
    name: str
    phrase: str
    why: str
    worth: float
    applies: Applies


def _numbers(least: int, facts: Facts) -> bool:
    return len(facts.of_type("numeric")) >= least and not pictures(facts)


def _amounts(facts: Facts) -> int:
    usable = facts.of_type("numeric")
    return sum(each.low == 0 and each.name in usable for each in facts.columns)


def _words(facts: Facts) -> bool:
    return bool(facts.of_type("categorical")) and not pictures(facts)


def _mixed(facts: Facts) -> bool:
    return bool(facts.of_type("text")) and not pure_text(facts)


def _named(pattern: str, facts: Facts) -> bool:
    found = [each for each in facts.columns if re.search(pattern, each.name, re.IGNORECASE)]
    return bool(found)


STEPS = (
    _Step(
        name="cell_volume",
        phrase="the volume of the crystal cell and what fills it",
        why="the energies depend on density rather than on single lengths",
        worth=5.0,
        applies=partial(_named, "lattice_vector"),
    ),
    _Step(
        name="code_parts",
        phrase="the parts of codes and how many rows share them",
        why="codes such as cabins and group numbers hide several columns",
        worth=4.5,
        applies=lambda facts: any(
            each.coded and each.name in facts.of_type("categorical") for each in facts.columns
        ),
    ),
    _Step(
        name="row_totals",
        phrase="totals of the columns that are often zero",
        why="whether and how much is spent at all matters more than on what",
        worth=4.0,
        applies=lambda facts: not pictures(facts) and _amounts(facts) >= FEWEST_AMOUNTS,
    ),
    _Step(
        name="text_topics",
        phrase="twenty topics of the texts",
        why="trees can use a few topics but not thousands of words",
        worth=3.0,
        applies=_mixed,
    ),
    _Step(
        name="clock_parts",
        phrase="hour, weekday and month of the times",
        why="behaviour follows the clock",
        worth=3.0,
        applies=partial(_named, "time|date"),
    ),
    _Step(
        name="pixel_profiles",
        phrase="profiles of the pictures' rows and columns",
        why="sums over lines say where the strokes are",
        worth=3.0,
        applies=pictures,
    ),
    _Step(
        name="frequencies",
        phrase="how common each value is",
        why="rare values behave differently from common ones",
        worth=2.0,
        applies=_words,
    ),
    _Step(
        name="ratios",
        phrase="ratios and products of the numbers",
        why="trees need many splits to express a ratio",
        worth=2.0,
        applies=partial(_numbers, 3),
    ),
    _Step(
        name="gaps",
        phrase="what is missing in each row",
        why="a gap can say something by itself",
        worth=1.5,
        applies=lambda facts: any(each.missing > 0 for each in facts.columns),
    ),
)

_SETTINGS: Mapping[str, tuple[tuple[str, str, dict[str, float | int | str], float], ...]] = {
    "lightgbm": (
        (
            "a lower learning rate with more trees",
            "smaller steps generalise better",
            {"learning_rate": 0.025, "n_estimators": 350},
            3.0,
        ),
        (
            "stronger regularisation of LightGBM",
            "each tree sees part of the rows and columns, so that they err differently",
            {
                "subsample": 0.8,
                "subsample_freq": 1,
                "colsample_bytree": 0.6,
                "min_child_samples": 30,
                "reg_lambda": 3.0,
            },
            3.0,
        ),
        ("smaller trees in LightGBM", "shallow trees overfit less", {"num_leaves": 10}, 2.5),
    ),
    "boosting": (
        (
            "slower histogram boosting",
            "smaller steps generalise better",
            {"learning_rate": 0.04, "max_iter": 200, "l2_regularization": 1.0},
            2.5,
        ),
    ),
    "forest": (
        (
            "larger leaves in the forest",
            "averages over more rows vary less",
            {"min_samples_leaf": 5, "n_estimators": 250},
            2.0,
        ),
    ),
    "extra": (
        (
            "larger leaves in the randomised trees",
            "averages over more rows vary less",
            {"min_samples_leaf": 5, "n_estimators": 250},
            2.0,
        ),
    ),
    "logistic": (
        (
            "a weaker penalty in logistic regression",
            "the coefficients are held back",
            {"C": 30.0},
            2.0,
        ),
        ("a stronger penalty in logistic regression", "many weak columns", {"C": 0.1}, 1.5),
    ),
    "bayes": (
        (
            "less smoothing in naive Bayes",
            "rare words tell most",
            {"alpha": 0.015},
            2.0,
        ),
        ("more smoothing in naive Bayes", "rare words mislead", {"alpha": 0.06}, 1.5),
    ),
    "kernel": (
        ("a wider margin in the kernel machine", "single rows pull less", {"C": 1.0}, 1.5),
        ("a narrower margin in the kernel machine", "the classes are separable", {"C": 20.0}, 1.5),
    ),
    "network": (
        (
            "a wider hidden layer",
            "more units find more strokes",
            {"hidden_layer_sizes": 160, "max_iter": 80},
            2.0,
        ),
    ),
}


def moves(recipe: Recipe, facts: Facts) -> Iterator[Move]:
    """Yield every single change of *recipe* that makes a different program."""
    for move in (*_steps(recipe, facts), *_members(recipe, facts), *_blends(recipe, facts)):
        if move.after != recipe:
            yield move
    yield from _settings(recipe)


def _steps(recipe: Recipe, facts: Facts) -> Iterator[Move]:
    if pure_text(facts) or len(recipe.steps) >= MOST_STEPS:
        return
    for step in STEPS:
        if step.name not in recipe.steps and step.applies(facts):
            after = replace(recipe, steps=(*recipe.steps, step.name))
            yield Move(phrase=f"add {step.phrase}", why=step.why, after=after, worth=step.worth)


def _members(recipe: Recipe, facts: Facts) -> Iterator[Move]:
    if len(recipe.members) >= MOST_MEMBERS:
        return
    worth = 4.5 if pure_text(facts) else 3.2
    used = {(each.view, each.model) for each in recipe.members}
    for place, family in enumerate(families(facts)):
        member = family.member
        if (member.view, member.model) not in used:
            yield Move(
                phrase=f"blend with {family.phrase}",
                why=f"it errs on other rows: {family.why}",
                after=replace(recipe, members=(*recipe.members, member)),
                worth=worth - 0.3 * place,
            )


def _blends(recipe: Recipe, facts: Facts) -> Iterator[Move]:
    several = len(recipe.members) > 1
    classes = facts.needs != "numbers"
    if several:
        yield Move(
            phrase="fit the weights of the blend on the validation predictions",
            why="the models are not equally good",
            after=replace(recipe, weights="fitted_weights"),
            worth=4.0,
        )
    if several and classes:
        yield Move(
            phrase="take the geometric mean of the probabilities",
            why="it lets a model that is sure speak up",
            after=replace(recipe, geometric=True),
            worth=4.2 if facts.metric == "log-loss" else 1.0,
        )
    if facts.metric == "log-loss":
        yield Move(
            phrase="make the probabilities as sure as the validation rows warrant",
            why="models held back by a penalty are less sure than they could be",
            after=replace(recipe, sharpen=True),
            worth=4.0,
        )
    if facts.needs == "labels" and len(facts.classes) == 2:  # noqa: PLR2004 - two classes
        yield Move(
            phrase="move the threshold to where the validation score is best",
            why="half is not always the best place to cut",
            after=replace(recipe, cut=True),
            worth=1.0,
        )
    if not classes:
        yield Move(
            phrase="fit the logarithm of the target",
            why="large values weigh too much otherwise",
            after=replace(recipe, logarithm=not recipe.logarithm),
            worth=0.5,
        )
    yield Move(
        phrase="use five folds",
        why="each model sees more of the rows and five of them are averaged",
        after=replace(recipe, folds=5),
        worth=2.6,
    )


def _settings(recipe: Recipe) -> Iterator[Move]:
    for place, member in enumerate(recipe.members):
        for phrase, why, settings, worth in _SETTINGS.get(member.model.split("_")[0], ()):
            if any(member.settings.get(key) != value for key, value in settings.items()):
                changed = Member(
                    view=member.view, model=member.model, settings=member.settings | settings
                )
                rest = recipe.members[place + 1 :]
                after = replace(recipe, members=(*recipe.members[:place], changed, *rest))
                yield Move(phrase=f"try {phrase}", why=why, after=after, worth=worth)
