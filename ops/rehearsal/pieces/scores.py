"""Pieces that score: truth as class numbers or values, predictions as probabilities or values."""

from typing import Any

import numpy as np
from sklearn import metrics


def chosen(probabilities: Any) -> Any:
    """Return the number of the most probable class in each row."""
    return np.asarray(probabilities).argmax(axis=1)


def accuracy(truth: Any, probabilities: Any) -> float:
    """Return the share of right labels."""
    return float(metrics.accuracy_score(truth, chosen(probabilities)))


def balanced_accuracy(truth: Any, probabilities: Any) -> float:
    """Return the mean recall over the classes."""
    return float(metrics.balanced_accuracy_score(truth, chosen(probabilities)))


def f1(truth: Any, probabilities: Any) -> float:
    """Return the F1 of the positive class, or the mean over more than two classes."""
    average = "binary" if np.shape(probabilities)[1] == 2 else "macro"
    return float(metrics.f1_score(truth, chosen(probabilities), average=average))


def kappa(truth: Any, probabilities: Any) -> float:
    """Return Cohen's kappa with quadratic weights."""
    return float(metrics.cohen_kappa_score(truth, chosen(probabilities), weights="quadratic"))


def correlation(truth: Any, probabilities: Any) -> float:
    """Return Matthews' correlation coefficient."""
    return float(metrics.matthews_corrcoef(truth, chosen(probabilities)))


def area_under_curve(truth: Any, probabilities: Any) -> float:
    """Return the area under the ROC curve; over more than two classes, the mean against the rest."""
    table = np.asarray(probabilities)
    if table.shape[1] == 2:
        return float(metrics.roc_auc_score(truth, table[:, 1]))
    columns = [metrics.roc_auc_score(truth == k, table[:, k]) for k in range(table.shape[1])]
    return float(np.mean(columns))


def average_precision(truth: Any, probabilities: Any) -> float:
    """Return the area under the precision-recall curve of the last class."""
    table = np.asarray(probabilities)
    return float(metrics.average_precision_score(truth == table.shape[1] - 1, table[:, -1]))


def cross_entropy(truth: Any, probabilities: Any) -> float:
    """Return the negative mean log-likelihood."""
    table = np.clip(probabilities, 1e-15, None)
    table = table / table.sum(axis=1, keepdims=True)
    return float(-np.log(table[np.arange(len(table)), truth]).mean())


def root_mean_square(truth: Any, values: Any) -> float:
    """Return the root of the mean squared error."""
    return float(np.sqrt(np.mean((truth - values) ** 2)))


def root_mean_square_log(truth: Any, values: Any) -> float:
    """Return the root of the mean squared error of log(1 + value)."""
    return root_mean_square(np.log1p(truth), np.log1p(np.clip(values, 0, None)))


def mean_absolute(truth: Any, values: Any) -> float:
    """Return the mean absolute error."""
    return float(np.mean(np.abs(truth - values)))


def mean_absolute_share(truth: Any, values: Any) -> float:
    """Return the mean absolute error as a share of the truth."""
    return float(np.mean(np.abs((truth - values) / np.clip(np.abs(truth), 1e-12, None))))


def explained(truth: Any, values: Any) -> float:
    """Return the share of variance explained."""
    return float(metrics.r2_score(truth, values))


def agreement(truth: Any, values: Any) -> float:
    """Return the correlation of truth and prediction."""
    return float(np.corrcoef(truth, values)[0, 1])
