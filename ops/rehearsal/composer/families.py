"""The families of models that first drafts come from, each with the words that name it. Pure."""

from msgspec import Struct

from ops.rehearsal.composer.facts import Facts
from ops.rehearsal.composer.recipe import Member, Recipe

MANY_COLUMNS = 32
MOST_KERNEL_ROWS = 4_000
MOST_NEIGHBOUR_ROWS = 20_000
LONG_TEXT = 25.0


class Family(Struct, frozen=True, kw_only=True):
    """One way to model a task; `phrase` names it in plans, and so in memory and wisdom."""

    phrase: str
    member: Member
    why: str


def _family(phrase: str, view: str, model: str, why: str, **settings: float) -> Family:
    member = Member(view=view, model=model, settings={**settings})
    return Family(phrase=phrase, member=member, why=why)


TABLE_CLASSES = (
    _family(
        "LightGBM",
        "tree_table",
        "lightgbm_classifier",
        "boosted trees take mixed columns and gaps as they are",
        n_estimators=150,
    ),
    _family(
        "histogram gradient boosting",
        "tree_table",
        "boosting_classifier",
        "it bins each column and handles gaps by itself",
    ),
    _family(
        "a random forest",
        "tree_table",
        "forest_classifier",
        "deep trees on resampled rows average out their errors",
    ),
    _family(
        "extremely randomised trees",
        "tree_table",
        "extra_trees_classifier",
        "random thresholds make the trees differ more",
    ),
    _family(
        "logistic regression",
        "linear_table",
        "logistic_classifier",
        "a linear model is quick and hard to overfit",
    ),
)
TABLE_VALUES = (
    _family(
        "LightGBM",
        "tree_table",
        "lightgbm_regressor",
        "boosted trees take mixed columns and gaps as they are",
        n_estimators=200,
        num_leaves=15,
    ),
    _family(
        "a random forest",
        "tree_table",
        "forest_regressor",
        "deep trees on resampled rows average out their errors",
    ),
    _family(
        "histogram gradient boosting",
        "tree_table",
        "boosting_regressor",
        "it bins each column and handles gaps by itself",
        learning_rate=0.06,
        max_leaf_nodes=15,
    ),
    _family(
        "extremely randomised trees",
        "tree_table",
        "extra_trees_regressor",
        "random thresholds make the trees differ more",
    ),
    _family(
        "ridge regression",
        "linear_table",
        "ridge_regressor",
        "a linear model is quick and hard to overfit",
    ),
)
PICTURES = (
    _family(
        "extremely randomised trees",
        "tree_table",
        "extra_trees_classifier",
        "random thresholds on single pixels add up",
    ),
    _family(
        "a Gaussian kernel machine",
        "pixel_table",
        "kernel_classifier",
        "pictures of one shape lie close together",
    ),
    _family(
        "a small neural network",
        "pixel_table",
        "network_classifier",
        "a hidden layer finds strokes that single pixels do not show",
    ),
    _family(
        "nearest neighbours",
        "pixel_table",
        "neighbours_classifier",
        "pictures of one shape lie close together",
    ),
    _family(
        "logistic regression",
        "pixel_table",
        "logistic_classifier",
        "a linear model is quick and hard to overfit",
        C=0.05,
    ),
)
TEXTS = (
    _family(
        "naive Bayes on words",
        "word_weights",
        "bayes_classifier",
        "which words and pairs of words occur says most about who wrote them",
    ),
    _family(
        "logistic regression on letters",
        "letter_weights",
        "logistic_classifier",
        "runs of letters carry style, endings and punctuation",
        C=10.0,
    ),
    _family(
        "logistic regression on words",
        "word_weights",
        "logistic_classifier",
        "it weighs words against each other instead of counting them as independent",
        C=20.0,
    ),
    _family(
        "naive Bayes on letters",
        "letter_weights",
        "bayes_classifier",
        "runs of letters carry style and are many",
        alpha=0.01,
    ),
    _family(
        "naive Bayes on counts",
        "word_counts",
        "bayes_classifier",
        "plain counts are what naive Bayes was made for",
        alpha=1.0,
    ),
    _family(
        "logistic regression on single words",
        "single_words",
        "logistic_classifier",
        "single words are few enough to be weighed well",
        C=5.0,
    ),
)
WORDS_BESIDE_TABLES = (
    _family(
        "logistic regression on single words",
        "single_words",
        "logistic_classifier",
        "what a text asks for is in its words",
        C=0.5,
    ),
)
KERNEL_VALUES = (
    _family(
        "a Gaussian kernel machine",
        "linear_table",
        "kernel_regressor",
        "the target changes smoothly with the columns",
    ),
    _family(
        "nearest neighbours",
        "linear_table",
        "neighbours_regressor",
        "rows alike in all columns have targets alike",
    ),
)


def families(facts: Facts) -> tuple[Family, ...]:
    """Return the families that fit the task, the ones to try first in front."""
    if facts.needs == "numbers":
        return TABLE_VALUES + (KERNEL_VALUES if facts.rows <= MOST_KERNEL_ROWS else ())
    if pure_text(facts):
        return TEXTS
    if pictures(facts):
        slow = set()
        if facts.rows > MOST_KERNEL_ROWS:
            slow.add("kernel_classifier")
        if facts.rows > MOST_NEIGHBOUR_ROWS:
            slow.add("neighbours_classifier")
        return tuple(each for each in PICTURES if each.member.model not in slow)
    return TABLE_CLASSES + (WORDS_BESIDE_TABLES if facts.of_type("text") else ())


def pure_text(facts: Facts) -> bool:
    """Return whether texts are all there is."""
    others = sum(len(facts.of_type(kind)) for kind in ("numeric", "categorical", "boolean"))
    return bool(facts.of_type("text")) and others == 0


def pictures(facts: Facts) -> bool:
    """Return whether the columns are the points of small pictures."""
    alike = max((each.count for each in facts.columns), default=0)
    return facts.kind == "image" or alike >= MANY_COLUMNS


def first(family: Family, facts: Facts) -> Recipe:
    """Return the simplest design around *family*."""
    steps: tuple[str, ...] = ()
    if facts.of_type("text"):
        steps = ("joined_texts",)
        if not pure_text(facts):
            steps += ("text_statistics",)
    if facts.of_type("json"):
        steps += ("list_sizes",)
    return Recipe(
        members=(family.member,), steps=steps, logarithm=facts.metric in ("rmsle", "mape")
    )
