"""Tables that ship inside PyPI packages, as task folders: no download, no key.

`package:NAME` is materialised in MLE-bench's prepared layout. Reads the installed package, writes
one folder.
"""

import csv
import difflib
import shutil
import tempfile
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from msgspec import Struct

from agents.tools.grading.declaration import TASK_FILE, TaskProblem

PREFIX = "package:"
_PRIVATE_SHARE = 0.2


class Packaged(Struct, frozen=True, kw_only=True):
    """A bundled data set: scikit-learn's loader, and the task made of it."""

    loader: str
    title: str
    label: str
    metric: str
    classes: bool
    about: str


KNOWN = {
    "digits": Packaged(
        loader="load_digits",
        title="Handwritten digits",
        label="digit",
        metric="accuracy",
        classes=False,
        about="Each row is an image of 8 x 8 pixels of a handwritten digit, `pixel_ROW_COLUMN` "
        "from 0 (white) to 16 (black). Predict the digit, 0 to 9. "
        "Source: the UCI set 'Optical Recognition of Handwritten Digits' (test part).",
    ),
    "breast-cancer": Packaged(
        loader="load_breast_cancer",
        title="Breast cancer, Wisconsin",
        label="benign",
        metric="auc",
        classes=False,
        about="Each row describes the cell nuclei in a fine needle aspirate of a breast mass. "
        "Predict the probability that the mass is benign (1) and not malignant (0). "
        "Source: the UCI set 'Breast Cancer Wisconsin (Diagnostic)'.",
    ),
    "wine": Packaged(
        loader="load_wine",
        title="Wine cultivars",
        label="cultivar",
        metric="log-loss",
        classes=True,
        about="Each row is the chemical analysis of a wine. Predict the probability of each of "
        "the three cultivars; each row sums to one. Source: the UCI set 'Wine recognition'.",
    ),
    "diabetes": Packaged(
        loader="load_diabetes",
        title="Progression of diabetes",
        label="progression",
        metric="rmse",
        classes=False,
        about="Each row is a patient: age, sex, body mass index, blood pressure and six blood "
        "serum measurements, centred and scaled. Predict the measure of disease progression one "
        "year later. Source: Efron, Hastie, Johnstone and Tibshirani, Least Angle Regression, 2004.",
    ),
}


def materialise(name: str, directory: Path) -> Path:
    """Return the folder of a packaged task under *directory*, written there once.

    Raises TaskProblem for an unknown name.
    """
    short = name.removeprefix(PREFIX)
    packaged = KNOWN.get(short)
    if packaged is None:
        near = difflib.get_close_matches(short, KNOWN, n=1)
        hint = f"did you mean {PREFIX}{near[0]}? " if near else ""
        raise TaskProblem(
            f"there is no packaged task {PREFIX}{short}: {hint}known are {', '.join(KNOWN)}"
        )
    folder = directory / short
    if not (folder / TASK_FILE).is_file():
        directory.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{short}-", dir=directory))
        staging.chmod(0o755)
        _write(short, packaged, staging)
        shutil.rmtree(folder, ignore_errors=True)
        staging.replace(folder)
    return folder


def _write(name: str, packaged: Packaged, folder: Path) -> None:
    features, rows, labels = _load(packaged)
    order = sorted(range(len(rows)), key=lambda row: blake2b(f"{name} {row}".encode()).digest())
    private = order[: round(len(order) * _PRIVATE_SHARE)]
    train = order[len(private) :]
    public, hidden = folder / "prepared" / "public", folder / "prepared" / "private"
    public.mkdir(parents=True)
    hidden.mkdir()
    hidden.chmod(0o700)
    targets = sorted({str(label) for label in labels}) if packaged.classes else [packaged.label]

    def answer(row: int) -> list[Any]:
        if packaged.classes:
            return [int(target == str(labels[row])) for target in targets]
        return [labels[row]]

    guess = [
        f"{1 / len(targets):.9f}"
        if packaged.classes
        else _dull(packaged, [labels[row] for row in train])
    ] * len(targets)
    ids = {row: n for n, row in enumerate([*train, *private], 1)}
    _csv(
        public / "train.csv",
        ["id", *features, packaged.label],
        [[ids[row], *rows[row], labels[row]] for row in train],
    )
    _csv(public / "test.csv", ["id", *features], [[ids[row], *rows[row]] for row in private])
    _csv(
        public / "sample_submission.csv", ["id", *targets], [[ids[row], *guess] for row in private]
    )
    _csv(hidden / "test.csv", ["id", *targets], [[ids[row], *answer(row)] for row in private])
    (public / "description.md").write_text(_description(name, packaged, targets), encoding="utf-8")
    (folder / TASK_FILE).write_text(
        f'id = "{name}"\ntitle = "{packaged.title}"\nmetric = "{packaged.metric}"\n'
        f'label = "{packaged.label}"\n',
        encoding="utf-8",
    )


def _load(packaged: Packaged) -> tuple[list[str], list[list[Any]], list[Any]]:
    """Return the feature names, the rows and the labels as plain Python values."""
    from sklearn import datasets  # noqa: PLC0415 - start-up time

    data = getattr(datasets, packaged.loader)()
    features = [str(each).replace(" ", "_") for each in data.feature_names]
    labels = data.target.tolist()
    if packaged.classes:
        labels = [str(data.target_names[label]) for label in labels]
    whole = (data.data == data.data.astype(int)).all()
    return features, (data.data.astype(int) if whole else data.data).tolist(), labels


def _dull(packaged: Packaged, labels: Sequence[Any]) -> Any:
    """Return a guess that needs no thought, for the sample submission."""
    if packaged.metric == "auc":
        return 0.5
    return 0 if packaged.metric == "accuracy" else round(sum(labels) / len(labels), 2)


def _description(name: str, packaged: Packaged, targets: Sequence[str]) -> str:
    return (
        f"# {packaged.title}\n\n{packaged.about} It comes with scikit-learn "
        f"(`sklearn.datasets.{packaged.loader}`); this task is `{PREFIX}{name}`.\n\n"
        "## Files\n\n- `train.csv`: labelled rows\n- `test.csv`: rows to predict\n"
        "- `sample_submission.csv`: the form of a submission\n\n"
        f"## Evaluation\n\nSubmissions are evaluated by {packaged.metric}. A submission has the "
        f"columns `id,{','.join(targets)}` and one row for each row of `test.csv`.\n"
    )


def _csv(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
