"""Every metric is what scikit-learn computes, and is found under the names people use."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.tools.grading.metrics import LABELS, NUMBERS, measure
from schemas.metrics import KNOWN, named, nearest, recognised

Pairs = list[tuple[Any, Any]]
Function = Callable[[list[Any], list[Any]], float]


def scikit_learn(name: str) -> Function:
    from sklearn import metrics  # noqa: PLC0415 - only where it is compared with

    def f1(average: str) -> Function:
        return lambda y, p: metrics.f1_score(y, p, average=average, zero_division=0)

    functions: dict[str, Function] = {
        "accuracy": metrics.accuracy_score,
        "balanced-accuracy": metrics.balanced_accuracy_score,
        "f1": f1("binary"),
        "f1-macro": f1("macro"),
        "f1-micro": f1("micro"),
        "f1-weighted": f1("weighted"),
        "quadratic-weighted-kappa": lambda y, p: metrics.cohen_kappa_score(
            y, p, weights="quadratic"
        ),
        "mcc": metrics.matthews_corrcoef,
        "auc": metrics.roc_auc_score,
        "average-precision": metrics.average_precision_score,
        "log-loss": lambda y, p: metrics.log_loss(y, p, labels=[0, 1]),
        "rmse": metrics.root_mean_squared_error,
        "rmsle": metrics.root_mean_squared_log_error,
        "mae": metrics.mean_absolute_error,
        "mse": metrics.mean_squared_error,
        "mape": metrics.mean_absolute_percentage_error,
        "r2": metrics.r2_score,
    }
    return functions[name]


def agrees(name: str, pairs: Pairs) -> None:
    truth, predicted = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    ours = measure(name, [(str(y),) for y in truth], [(str(p),) for p in predicted])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = scikit_learn(name)(truth, predicted)
    if math.isnan(theirs):
        assert ours is None
    else:
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9)


FEW = settings(max_examples=40, deadline=None)


@pytest.mark.parametrize("name", sorted(LABELS))
@given(data=st.data())
@FEW
def test_of_labels(name: str, data: st.DataObject) -> None:
    most = 1 if name == "f1" else 4
    label = st.integers(0, most)
    pairs = data.draw(st.lists(st.tuples(label, label), min_size=2, max_size=40))
    if len({each for pair in pairs for each in pair}) > 1:
        agrees(name, pairs)


@pytest.mark.parametrize("name", ["auc", "average-precision", "log-loss"])
@given(pairs=st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1, width=16)), min_size=2))
@FEW
def test_of_probabilities(name: str, pairs: Pairs) -> None:
    if {truth for truth, _ in pairs} == {0, 1}:
        agrees(name, pairs)


@pytest.mark.parametrize("name", ["rmse", "rmsle", "mae", "mse", "mape", "r2"])
@given(pairs=st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=2))
@FEW
def test_of_numbers(name: str, pairs: Pairs) -> None:
    truths = [truth for truth, _ in pairs]
    if name != "r2" or max(truths) - min(truths) > 1e-3:
        agrees(name, pairs)


@given(pairs=st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=2))
@FEW
def test_of_correlation(pairs: Pairs) -> None:
    import pandas as pd  # noqa: PLC0415 - only where it is compared with

    frame = pd.DataFrame(pairs, dtype=float)
    for name in ("pearson", "spearman"):
        ours = measure(name, [(str(y),) for y, _ in pairs], [(str(p),) for _, p in pairs])
        if frame.nunique().min() == 1:
            assert ours is None
        else:
            ranked = frame.rank() if name == "spearman" else frame
            assert ours == pytest.approx(ranked[0].corr(ranked[1]), abs=1e-9)


def test_class_columns_are_one_label() -> None:
    truths = [("1", "0", "0"), ("0", "0", "1")]
    said = [("0.5", "0.25", "0.25"), ("0.2", "0.3", "0.5")]
    assert measure("log-loss", truths, said) == pytest.approx(math.log(2))
    assert measure("accuracy", truths, said) == 1.0
    assert measure("auc", [(*row[:2],) for row in truths], [row[:2] for row in said]) is None


def test_other_columns_are_averaged() -> None:
    truths, said = [("1", "0"), ("3", "0")], [("1", "2"), ("3", "2")]
    assert measure("rmse", truths, said) == pytest.approx(1.0)


def test_every_known_metric_is_computed() -> None:
    assert KNOWN.keys() == LABELS.keys() | NUMBERS.keys()


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("auc-roc", "auc"),
        ("ROC AUC", "auc"),
        ("multi-class-log-loss", "log-loss"),
        ("mean-column-wise-rmsle", "rmsle"),
        ("QWK", "quadratic-weighted-kappa"),
        ("Root_Mean_Squared_Error", "rmse"),
        ("nonsense", None),
        ("", None),
    ],
)
def test_names_are_found_however_spelled(spelled: str, name: str | None) -> None:
    metric = named(spelled)
    assert (metric.name if metric else None) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("evaluated on the macro-averaged F1-score of each class", "f1-macro"),
        ("the root mean squared logarithmic error (not the root mean squared error)", "rmsle"),
        ("We use **balanced accuracy**.", "balanced-accuracy"),
        ("the area under the ROC curve", "auc"),
        ("be good", None),
    ],
)
def test_metrics_are_recognised_in_prose(text: str, name: str | None) -> None:
    metric = recognised(text)
    assert (metric.name if metric else None) == name


def test_the_nearest_name_is_suggested() -> None:
    assert nearest("rmsel") in {"rmse", "rmsle"}
    assert nearest("qqqqqq") is None
