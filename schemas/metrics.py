"""The metrics that Flowstone knows: their names, aliases, directions and needs. A pure table.

What each computes is the grader's business (agents/tools/grading/metrics.py); a metric of several
prediction columns is the mean over the columns unless the columns are the classes of one label.
"""

import difflib
import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

Needs = Literal["probabilities", "labels", "numbers"]


class Metric(Struct, frozen=True):
    """A metric: its name, what it is, what a prediction is, how else people call it."""

    name: str
    title: str
    needs: Needs
    aliases: str = ""
    lower_is_better: bool = False


_TABLE = (
    Metric(
        "accuracy",
        "share of right labels",
        "labels",
        "classification accuracy, categorization accuracy, accuracy score, multi-class "
        "accuracy, percentage of correct predictions",
    ),
    Metric(
        "balanced-accuracy",
        "mean recall over the classes",
        "labels",
        "balanced accuracy score, macro recall",
    ),
    Metric(
        "auc",
        "area under the ROC curve",
        "probabilities",
        "auc-roc, roc-auc, roc auc score, area under the receiver operating characteristic "
        "curve, area under the receiver operating characteristic, area under the curve, auroc, "
        "area under roc curve, mean column-wise auc, mean column-wise roc auc",
    ),
    Metric(
        "average-precision",
        "area under the precision-recall curve",
        "probabilities",
        "average precision score, pr-auc, auprc, area under the precision recall curve",
    ),
    Metric(
        "log-loss",
        "negative mean log-likelihood",
        "probabilities",
        "logloss, logarithmic loss, multi-class log loss, multi-class logarithmic loss, "
        "multiclass logloss, cross entropy, cross-entropy loss, binary cross entropy, neg log "
        "loss, mean column-wise log loss",
        lower_is_better=True,
    ),
    Metric(
        "f1",
        "F1 of the positive class",
        "labels",
        "f1-score, binary f1, f-score, f1 binary",
    ),
    Metric(
        "f1-macro",
        "mean F1 over the classes",
        "labels",
        "macro f1, macro f1-score, macro-averaged f1, macro-averaged f1-score, mean f1",
    ),
    Metric(
        "f1-micro",
        "F1 over all decisions",
        "labels",
        "micro f1, micro f1-score, micro-averaged f1, micro-averaged f1-score",
    ),
    Metric(
        "f1-weighted",
        "F1 weighted by class size",
        "labels",
        "weighted f1, weighted f1-score, weighted-averaged f1",
    ),
    Metric(
        "quadratic-weighted-kappa",
        "agreement, quadratically weighted",
        "labels",
        "qwk, quadratic kappa, quadratic weighted kappa score, cohen kappa quadratic",
    ),
    Metric(
        "mcc",
        "Matthews correlation coefficient",
        "labels",
        "matthews correlation coefficient, matthews corrcoef, matthews correlation",
    ),
    Metric(
        "rmse",
        "root mean squared error",
        "numbers",
        "root mean square error, root-mean-squared-error, mean column-wise root mean squared "
        "error, mcrmse, mean column-wise rmse",
        lower_is_better=True,
    ),
    Metric(
        "rmsle",
        "root mean squared logarithmic error",
        "numbers",
        "root mean squared log error, root mean square logarithmic error, mean column-wise "
        "rmsle, mean column-wise root mean squared logarithmic error",
        lower_is_better=True,
    ),
    Metric(
        "mae",
        "mean absolute error",
        "numbers",
        "mean column-wise mae",
        lower_is_better=True,
    ),
    Metric(
        "mse",
        "mean squared error",
        "numbers",
        "mean square error",
        lower_is_better=True,
    ),
    Metric(
        "mape",
        "mean absolute percentage error",
        "numbers",
        "",
        lower_is_better=True,
    ),
    Metric(
        "r2",
        "coefficient of determination",
        "numbers",
        "r2 score, r squared, r-squared",
    ),
    Metric(
        "spearman",
        "rank correlation",
        "numbers",
        "spearman correlation, spearman rank correlation, spearman's rank correlation, "
        "spearmanr, spearman's correlation, mean column-wise spearman",
    ),
    Metric(
        "pearson",
        "linear correlation",
        "numbers",
        "pearson correlation, pearson correlation coefficient, pearsonr, pearson's correlation",
    ),
)

KNOWN = {each.name: each for each in _TABLE}
"""Every metric by its name."""


def plain(text: str) -> str:
    """Return *text* in lower case with single spaces for everything but letters and digits."""
    return re.sub(r"[^a-z0-9²]+", " ", text.lower()).strip()


def _spellings() -> Iterator[tuple[str, Metric]]:
    for metric in _TABLE:
        for spelling in filter(None, (metric.name, metric.title, *metric.aliases.split(", "))):
            yield plain(spelling), metric


_BY_SPELLING = dict(_spellings())


def named(name: str) -> Metric | None:
    """Return the metric with this name or alias, however it is spelled."""
    return _BY_SPELLING.get(plain(name))


def nearest(name: str) -> str | None:
    """Return the name of the metric that *name* was probably meant to be."""
    near = difflib.get_close_matches(plain(name), _BY_SPELLING, n=1, cutoff=0.5)
    return _BY_SPELLING[near[0]].name if near else None


def recognised(text: str) -> Metric | None:
    """Return the metric that running text names first; of two at one place, the longer name."""
    words = f" {plain(text)} "
    found = [
        (at, -len(spelling), metric.name)
        for spelling, metric in _BY_SPELLING.items()
        if (at := words.find(f" {spelling} ")) >= 0
    ]
    return KNOWN[min(found)[2]] if found else None
