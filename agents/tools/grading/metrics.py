"""What each metric computes, as scikit-learn defines it. Pure functions of arrays.

Written out, because importing scikit-learn takes the grader longer than all of its work; the tests
hold every function to scikit-learn's.
"""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from agents.tools.grading.truth import Answer, number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

Measure = Callable[["Numbers", "Numbers"], float]


def measure(name: str, truths: Sequence[Answer], predictions: Sequence[Answer]) -> float | None:
    """Return the metric of predictions in the order of the truths; None where it is undefined.

    Several target columns are the classes of one label when each row of truth names one of them;
    otherwise the result is the mean over the columns.
    """
    import numpy as np  # noqa: PLC0415 - start-up time

    if one_hot(truths) and name in LABELS:
        truths = [(str(np.argmax(_floats(row))),) for row in truths]
        predictions = [(str(np.argmax(_floats(row))),) for row in predictions]
    with np.errstate(all="ignore"):
        if name in LABELS:
            scores = [
                LABELS[name](*_coded(truth, predicted))
                for truth, predicted in zip(_turned(truths), _turned(predictions), strict=True)
            ]
        elif name == "log-loss" and one_hot(truths):
            scores = [_class_log_loss(_numbers(truths), _numbers(predictions))]
        else:
            known, said = _numbers(truths), _numbers(predictions)
            scores = [NUMBERS[name](known[:, n], said[:, n]) for n in range(known.shape[1])]
        mean = float(np.mean(scores))
    return mean if math.isfinite(mean) else None


def one_hot(truths: Sequence[Answer]) -> bool:
    """Return whether each row of several columns marks exactly one of them."""
    if not truths or len(truths[0]) == 1:
        return False
    marks = ["0"] * (len(truths[0]) - 1) + ["1"]
    return all(sorted(f"{value:g}" for value in _floats(row)) == marks for row in truths)


def _floats(row: Answer) -> list[float]:
    return [math.nan if (value := number(cell)) is None else value for cell in row]


def _turned(rows: Sequence[Answer]) -> list[tuple[str, ...]]:
    return list(zip(*rows, strict=True))


def _numbers(rows: Sequence[Answer]) -> "Numbers":
    import numpy as np  # noqa: PLC0415 - start-up time

    return np.array([_floats(row) for row in rows], dtype=np.float64)


def _coded(truth: Sequence[str], predicted: Sequence[str]) -> tuple["Numbers", "Numbers"]:
    """Return both as positions in the sorted union of labels, sorted as numbers where they are."""
    import numpy as np  # noqa: PLC0415 - start-up time

    keys: list[list[Any]] = [[cell.strip() for cell in cells] for cells in (truth, predicted)]
    if all(number(cell) is not None for cell in truth):
        keys = [[number(cell) for cell in cells] for cells in keys]
    codes = {key: float(n) for n, key in enumerate(sorted({*keys[0], *keys[1]}))}
    known, said = (np.array([codes[key] for key in each]) for each in keys)
    return known, said


def _confusion(truth: "Numbers", predicted: "Numbers") -> "Numbers":
    import numpy as np  # noqa: PLC0415 - start-up time

    size = int(max(truth.max(), predicted.max())) + 1
    flat = np.bincount((truth * size + predicted).astype(np.int64), minlength=size * size)
    return flat.reshape(size, size).astype(np.float64)


def _accuracy(truth: "Numbers", predicted: "Numbers") -> float:
    return float((truth == predicted).mean())


def _balanced_accuracy(truth: "Numbers", predicted: "Numbers") -> float:
    table = _confusion(truth, predicted)
    there = table.sum(axis=1) > 0
    return float((table.diagonal()[there] / table.sum(axis=1)[there]).mean())


def _f1_by_class(truth: "Numbers", predicted: "Numbers") -> tuple["Numbers", "Numbers"]:
    table = _confusion(truth, predicted)
    sizes, said = table.sum(axis=1), table.sum(axis=0)
    return 2 * table.diagonal() / (sizes + said).clip(min=1), sizes


def _f1(truth: "Numbers", predicted: "Numbers") -> float:
    """F1 of the last of two classes; of more classes there is no positive one, so their mean."""
    scores, _ = _f1_by_class(truth, predicted)
    return float(scores[-1] if len(scores) <= 2 else scores.mean())  # noqa: PLR2004 - two classes


def _f1_macro(truth: "Numbers", predicted: "Numbers") -> float:
    return float(_f1_by_class(truth, predicted)[0].mean())


def _f1_weighted(truth: "Numbers", predicted: "Numbers") -> float:
    scores, sizes = _f1_by_class(truth, predicted)
    return float((scores * sizes).sum() / sizes.sum())


def _kappa(truth: "Numbers", predicted: "Numbers") -> float:
    import numpy as np  # noqa: PLC0415 - start-up time

    table = _confusion(truth, predicted)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    at = np.arange(len(table))
    weights = (at[:, None] - at[None, :]) ** 2
    return float(1 - (weights * table).sum() / (weights * expected).sum())


def _matthews(truth: "Numbers", predicted: "Numbers") -> float:
    table = _confusion(truth, predicted)
    known, said, total = table.sum(axis=1), table.sum(axis=0), table.sum()
    both = table.trace() * total - known @ said
    spread = (total**2 - said @ said) * (total**2 - known @ known)
    return float(both / math.sqrt(spread)) if spread > 0 else 0.0


def _ranks(values: "Numbers") -> "Numbers":
    """Return ranks from 1, the mean rank for equal values."""
    import numpy as np  # noqa: PLC0415 - start-up time

    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: Numbers = (ends - (counts - 1) / 2)[place]
    return ranks


def _auc(truth: "Numbers", predicted: "Numbers") -> float:
    positive = truth > 0
    yes, no = positive.sum(), (~positive).sum()
    above = _ranks(predicted)[positive].sum() - yes * (yes + 1) / 2
    return float(above / (yes * no)) if yes and no else math.nan


def _average_precision(truth: "Numbers", predicted: "Numbers") -> float:
    import numpy as np  # noqa: PLC0415 - start-up time

    order = np.argsort(-predicted, kind="stable")
    positive, scores = (truth > 0)[order], predicted[order]
    last = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    hits = np.cumsum(positive)[last]
    precision, recall = hits / (last + 1), hits / positive.sum()
    return float((np.diff(recall, prepend=0.0) * precision).sum())


def _class_log_loss(truth: "Numbers", predicted: "Numbers") -> float:
    import numpy as np  # noqa: PLC0415 - start-up time

    tiny = np.finfo(np.float64).eps
    return float(-(truth * np.log(predicted.clip(tiny, 1 - tiny))).sum(axis=1).mean())


def _log_loss(truth: "Numbers", predicted: "Numbers") -> float:
    import numpy as np  # noqa: PLC0415 - start-up time

    return _class_log_loss(
        np.column_stack([1 - truth, truth]), np.column_stack([1 - predicted, predicted])
    )


def _mse(truth: "Numbers", predicted: "Numbers") -> float:
    return float(((truth - predicted) ** 2).mean())


def _rmse(truth: "Numbers", predicted: "Numbers") -> float:
    return math.sqrt(_mse(truth, predicted))


def _rmsle(truth: "Numbers", predicted: "Numbers") -> float:
    import numpy as np  # noqa: PLC0415 - start-up time

    return _rmse(np.log1p(truth), np.log1p(predicted))


def _mae(truth: "Numbers", predicted: "Numbers") -> float:
    return float(abs(truth - predicted).mean())


def _mape(truth: "Numbers", predicted: "Numbers") -> float:
    import numpy as np  # noqa: PLC0415 - start-up time

    return float((abs(truth - predicted) / abs(truth).clip(np.finfo(np.float64).eps)).mean())


def _r2(truth: "Numbers", predicted: "Numbers") -> float:
    left, spread = ((truth - predicted) ** 2).sum(), ((truth - truth.mean()) ** 2).sum()
    if spread == 0:
        return 1.0 if left == 0 else 0.0
    return float(1 - left / spread)


def _pearson(truth: "Numbers", predicted: "Numbers") -> float:
    known, said = truth - truth.mean(), predicted - predicted.mean()
    return float(known @ said / math.sqrt((known @ known) * (said @ said) or math.nan))


def _spearman(truth: "Numbers", predicted: "Numbers") -> float:
    return _pearson(_ranks(truth), _ranks(predicted))


LABELS: dict[str, Measure] = {
    "accuracy": _accuracy,
    "balanced-accuracy": _balanced_accuracy,
    "f1": _f1,
    "f1-macro": _f1_macro,
    "f1-micro": _accuracy,  # the same where each row has one label
    "f1-weighted": _f1_weighted,
    "quadratic-weighted-kappa": _kappa,
    "mcc": _matthews,
}
NUMBERS: dict[str, Measure] = {
    "auc": _auc,
    "average-precision": _average_precision,
    "log-loss": _log_loss,
    "rmse": _rmse,
    "rmsle": _rmsle,
    "mae": _mae,
    "mse": _mse,
    "mape": _mape,
    "r2": _r2,
    "spearman": _spearman,
    "pearson": _pearson,
}
