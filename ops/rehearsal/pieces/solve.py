"""Pieces that validate, blend and answer: the main part of every program."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, StratifiedKFold
from threadpoolctl import threadpool_limits

from ops.rehearsal.pieces.features import plain_columns
from ops.rehearsal.pieces.models import THREADS
from ops.rehearsal.pieces.tables import labelled, read_table, shared_rows, write_submission

Task = dict[str, Any]
Members = Sequence[tuple[Callable[[pd.DataFrame], Any], Callable[[int], Any]]]
Blend = Callable[[Any, Sequence[Any], Callable[[Any, Any], float]], Any]


def built_features(rows: pd.DataFrame, task: Task, steps: Sequence[Callable[..., Any]]) -> Any:
    """Return the plain columns and those that the steps make."""
    parts = [plain_columns(rows, task), *(step(rows, task) for step in steps)]
    table = pd.concat(parts, axis=1).replace([np.inf, -np.inf], np.nan)
    return table.loc[:, ~table.columns.duplicated()]


def probabilities(model: Any, matrix: Any, width: int) -> Any:
    """Return one column per class, also for classes that the model never saw."""
    table = np.zeros((matrix.shape[0], width))
    if hasattr(model, "predict_proba"):
        found = model.predict_proba(matrix)
    else:
        margins = model.decision_function(matrix)
        margins = np.column_stack([-margins, margins]) if margins.ndim == 1 else margins
        found = np.exp(2.0 * (margins - margins.max(axis=1, keepdims=True)))
        found = found / found.sum(axis=1, keepdims=True)
    table[:, model.classes_.astype(int)] = found
    return table


def out_of_fold(
    members: Members, features: pd.DataFrame, truth: Any, folds: int, width: int
) -> tuple[list[Any], list[Any]]:
    """Return each member's predictions for rows it was not fitted on, and for the test rows.

    A width of 0 means values, otherwise the number of classes.
    """
    rows = len(truth)
    splitter = StratifiedKFold if width and np.bincount(truth).min() >= folds else KFold
    split = splitter(folds, shuffle=True, random_state=7)
    matrices: dict[Any, Any] = {}
    checked, unseen = [], []
    for view, make in members:
        if view not in matrices:
            matrices[view] = view(features)
        known, new = matrices[view][:rows], matrices[view][rows:]
        within = np.zeros((rows, width) if width else rows)
        beyond = np.zeros((new.shape[0], width) if width else new.shape[0])
        for number, (fit, check) in enumerate(split.split(np.zeros(rows), truth)):
            model = make(number).fit(known[fit], truth[fit])
            if width:
                within[check] = probabilities(model, known[check], width)
                beyond += probabilities(model, new, width) / folds
            else:
                within[check] = model.predict(known[check])
                beyond += model.predict(new) / folds
        checked.append(within)
        unseen.append(beyond)
    return checked, unseen


def equal_weights(truth: Any, checked: Sequence[Any], score: Callable[[Any, Any], float]) -> Any:  # noqa: ARG001
    """Give every member the same weight."""
    return np.full(len(checked), 1.0 / len(checked))


def fitted_weights(truth: Any, checked: Sequence[Any], score: Callable[[Any, Any], float]) -> Any:
    """Add members one at a time, with replacement, whichever raises the score most."""
    counts = np.zeros(len(checked))
    for _ in range(20):
        gains = []
        for number in range(len(checked)):
            trial = counts.copy()
            trial[number] += 1
            gains.append(score(truth, blended(checked, trial / trial.sum())))
        counts[int(np.argmax(gains))] += 1
    return counts / counts.sum()


def blended(predictions: Sequence[Any], weights: Any) -> Any:
    """Return the weighted mean."""
    return sum(weight * each for weight, each in zip(weights, predictions, strict=True))


def sharpened(table: Any, power: float) -> Any:
    """Return probabilities raised to a power and made to sum to one again."""
    raised = np.clip(table, 1e-9, None) ** power
    return raised / raised.sum(axis=1, keepdims=True)


def best_power(truth: Any, table: Any, score: Callable[[Any, Any], float], sign: int) -> float:
    """Return the power that makes probabilities as sure as the validation rows warrant."""
    tried = np.linspace(0.6, 2.4, 37)
    return float(max(tried, key=lambda power: sign * score(truth, sharpened(table, power))))


def leave_cores_to_others() -> None:
    """Let numerical libraries use no more cores than the models do."""
    threadpool_limits(THREADS)


def in_logarithms(predictions: Sequence[Any]) -> list[Any]:
    """Return the logarithms, so that their mean is a geometric one."""
    return [np.log(np.clip(each, 1e-6, None)) for each in predictions]


def softmax(table: Any) -> Any:
    """Return probabilities from logarithms."""
    raised = np.exp(table - table.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def solve_values(
    task: Task,
    *,
    steps: Sequence[Callable[..., Any]],
    members: Members,
    score: Callable[[Any, Any], float],
    sign: int,
    folds: int,
    weights: Blend,
    logarithm: bool = False,
) -> None:
    """Predict each target's value, print the validation score and write the submission."""
    leave_cores_to_others()
    train = labelled(read_table(task["train"]), task["targets"])
    test = read_table(task["test"])
    features = built_features(shared_rows(train, test, task), task, steps)
    answers, scores = {}, []
    for target in task["targets"]:
        truth = train[target].to_numpy(float)
        low, high = truth.min(), truth.max()

        def back(values: Any, low: float = low, high: float = high) -> Any:
            return np.clip(np.expm1(values) if logarithm else values, low, high)

        def signed(truth: Any, values: Any, back: Callable[[Any], Any] = back) -> float:
            return sign * score(truth, back(values))

        fitted = np.log1p(truth) if logarithm else truth
        checked, unseen = out_of_fold(members, features, fitted, folds, 0)
        shares = weights(truth, checked, signed)
        scores.append(score(truth, back(blended(checked, shares))))
        print(f"{target}: {scores[-1]:.6f}, weights {np.round(shares, 2)}")
        answers[target] = back(blended(unseen, shares))
    write_submission(task["sample"], task["id"], test, answers)
    print(f"Final validation score: {np.mean(scores):.6f}")


def solve_classes(  # noqa: PLR0913 - the design of a program
    task: Task,
    *,
    steps: Sequence[Callable[..., Any]],
    members: Members,
    score: Callable[[Any, Any], float],
    sign: int,
    folds: int,
    weights: Blend,
    geometric: bool = False,
    sharpen: bool = False,
    cut: bool = False,
) -> None:
    """Predict each label's class, print the validation score and write the submission."""
    labels = [task["label"]] if task["label"] else task["targets"]
    leave_cores_to_others()
    train = labelled(read_table(task["train"]), labels)
    test = read_table(task["test"])
    features = built_features(shared_rows(train, test, task), task, steps)
    answers: dict[str, Any] = {}
    scores = []

    def signed(truth: Any, table: Any) -> float:
        return sign * score(truth, softmax(table) if geometric else table)

    for label in labels:
        classes, truth = np.unique(train[label].to_numpy(), return_inverse=True)
        checked, unseen = out_of_fold(members, features, truth, folds, len(classes))
        if geometric:
            checked, unseen = in_logarithms(checked), in_logarithms(unseen)
        shares = weights(truth, checked, signed)
        known, new = blended(checked, shares), blended(unseen, shares)
        if geometric:
            known, new = softmax(known), softmax(new)
        if sharpen:
            power = best_power(truth, known, score, sign)
            known, new = sharpened(known, power), sharpened(new, power)
        if cut and len(classes) == 2:
            shift = best_shift(truth, known, score, sign)
            known, new = known + np.array([0.0, shift]), new + np.array([0.0, shift])
        scores.append(score(truth, known))
        print(f"{label}: {scores[-1]:.6f}, weights {np.round(shares, 2)}")
        answers |= answer_columns(task, label, classes, new)
    write_submission(task["sample"], task["id"], test, answers)
    print(f"Final validation score: {np.mean(scores):.6f}")


def best_shift(truth: Any, table: Any, score: Callable[[Any, Any], float], sign: int) -> float:
    """Return what to add to the second class so that the score of the labels is best."""
    tried = np.linspace(-0.2, 0.2, 41)
    return float(max(tried, key=lambda shift: sign * score(truth, table + np.array([0.0, shift]))))


def answer_columns(task: Task, label: str, classes: Any, table: Any) -> dict[str, Any]:
    """Return the submission's columns: labels, the positive class, or a column per class."""
    if task["needs"] == "labels":
        target = label if label in task["targets"] else task["targets"][0]
        return {target: classes[table.argmax(axis=1)]}
    if label in task["targets"] or len(task["targets"]) == 1:
        target = label if label in task["targets"] else task["targets"][0]
        return {target: table[:, -1]}
    table = np.clip(table, 1e-6, None)
    table = table / table.sum(axis=1, keepdims=True)
    columns = {str(each): number for number, each in enumerate(classes)}
    return {
        target: table[:, columns.get(target, number)] if number < len(classes) else 0.0
        for number, target in enumerate(task["targets"])
    }
