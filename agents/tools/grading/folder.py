"""Loading a task folder: which files it has, which columns are asked for, whether they fit.

Reads files only. MLE-bench's prepared layout and a plain folder are the same thing here but for
where the public and the private files lie.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from agents.tools.grading.declaration import (
    TASK_FILE,
    Declared,
    Rules,
    TaskProblem,
    declared,
    metric_of,
)
from agents.tools.tables import BrokenTable, Table, find, is_table, text
from schemas.metrics import Metric

DESCRIPTIONS = ("description.md", "description.txt", "README.md")
ARCHIVES = {".zip", ".7z", ".gz", ".bz2", ".xz", ".tar", ".tgz", ".rar", ".zst"}
GRADERS_OWN = {
    TASK_FILE, "config.yaml", "grading.json", "thresholds.json", "checksums.yaml", "private",
    "reference_scores.json", "prepared", "oracle", "leaderboard.csv", "leaderboard_synthetic.csv",
}  # fmt: skip
"""What in a plain folder is not for solutions to see."""


class LoadedTask(Struct, frozen=True, kw_only=True):
    """A task folder that was read and found whole.

    `ids` are the submission's ids in the order of the test table; `names_rows` says whether that
    has the id column itself. `answers` are the private ones.
    """

    folder: Path
    public: Path
    id: str
    title: str
    description: str
    metric: Metric
    lower_is_better: bool
    rules: Rules
    id_column: str
    targets: tuple[str, ...]
    label: str
    train: Table | None
    test: Table | None
    sample: Table
    ids: tuple[str, ...]
    names_rows: bool
    answers: Path | None
    thresholds: dict[str, float]


def load(folder: Path, metric: str | None = None) -> LoadedTask:
    """Return the task in *folder*; *metric* overrides what it declares. Raises TaskProblem."""
    folder = folder.expanduser().resolve()
    if not folder.is_dir():
        raise TaskProblem(f"{folder}: there is no such folder: name a folder with a task in it")
    said = declared(folder)
    if metric:
        said = msgspec.structs.replace(said, metric=metric, lower_is_better=None)
    prepared = folder / "prepared" / "public"
    public = next((each for each in (prepared, folder / "public") if each.is_dir()), folder)
    description = _description(folder, public)
    try:
        return _loaded(folder, public, said, description)
    except BrokenTable as error:
        raise TaskProblem(f"{public}: {error}") from None


def _loaded(folder: Path, public: Path, said: Declared, description: str) -> LoadedTask:
    sample = _sample(folder, public, said)
    train = _table(public, "train", said.train)
    test = _table(public, "test", said.test)
    measured = metric_of(said, description, folder)
    id_column, targets = _asked(public, sample, said)
    ids = tuple(text(row[sample.columns.index(id_column)]) for row in sample.rows())
    if not ids:
        raise TaskProblem(f"{sample.path} has no rows: give it one row for each test row")
    if len(set(ids)) < len(ids):
        raise TaskProblem(f"{sample.path}: column {id_column!r} names a row twice: make ids unique")
    if test:
        ids = _fitting(sample, ids, id_column, test)
    if train and next(train.rows(), None) is None:
        raise TaskProblem(f"{train.path} has no rows: put the training data there")
    lower = said.lower_is_better
    return LoadedTask(
        folder=folder,
        public=public,
        id=said.id or _slug(folder.name),
        title=said.title or _heading(description) or folder.name,
        description=description,
        metric=measured,
        lower_is_better=measured.lower_is_better if lower is None else lower,
        rules=said.rules,
        id_column=id_column,
        targets=targets,
        label=said.label,
        train=train,
        test=test,
        sample=sample,
        ids=ids,
        names_rows=test is not None and id_column in test.columns,
        answers=_answers(folder, public, said),
        thresholds=_thresholds(folder),
    )


def files(task: LoadedTask) -> Iterator[Path]:
    """Yield every file that solutions may see, sorted, as paths relative to the public folder."""
    hidden = GRADERS_OWN if task.public == task.folder else set()
    for path in sorted(task.public.iterdir()):
        if not (path.name.startswith(".") or path.name in hidden or path == task.answers):
            yield from _files_of(path, task.public)


def _files_of(path: Path, public: Path) -> Iterator[Path]:
    if path.is_dir() and not path.is_symlink():
        for each in sorted(path.iterdir()):
            yield from _files_of(each, public)
    elif path.is_file():
        yield path.relative_to(public)


def _description(folder: Path, public: Path) -> str:
    for path in (place / name for place in (folder, public) for name in DESCRIPTIONS):
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            if text.strip():
                return text
            raise TaskProblem(f"{path} is empty: write what is asked for into it")
    raise TaskProblem(f"{folder}: there is no description: add description.md saying what to do")


def _tables(public: Path) -> list[Path]:
    return sorted(
        (path for path in public.iterdir() if path.is_file() and is_table(path)),
        key=lambda path: (len(path.name), path.name),
    )


def _sample(folder: Path, public: Path, said: Declared) -> Table:
    if said.sample:
        path = next((p for p in (folder / said.sample, public / said.sample) if p.is_file()), None)
        if path is None:
            raise TaskProblem(
                f"{folder}: there is no sample submission {said.sample}: add the file"
            )
        return find(path)
    for path in _tables(public):
        name = re.sub(r"[^a-z]", "", path.stem.lower())
        if re.search(
            r"sample(sub|entry|solution|pred)|submissionformat|submissionsample", name
        ) or (name in {"sample", "submission", "gendersubmission"}):
            return find(path)
    raise TaskProblem(
        f"{public}: there is no sample submission: add sample_submission.csv with the id column, "
        "the columns to predict and one row for each test row"
    )


def _table(public: Path, role: str, said: str) -> Table | None:
    if said:
        if not (public / said).is_file():
            raise TaskProblem(f"{public}: there is no {role} file {said}: correct {TASK_FILE}")
        return find(public / said)
    for path in _tables(public):
        if re.match(rf"{role}(ing)?([^a-z]|$)", path.stem.lower()):
            return find(path)
    return None


def _asked(public: Path, sample: Table, said: Declared) -> tuple[str, tuple[str, ...]]:
    """Return the id column and the columns to predict."""
    id_column = said.id_column or sample.columns[0]
    if id_column not in sample.columns:
        have = ", ".join(sample.columns)
        raise TaskProblem(
            f"{sample.path}: there is no id column {id_column!r}: it has {have}; correct {TASK_FILE}"
        )
    targets = tuple(each for each in sample.columns if each != id_column)
    if not targets:
        raise TaskProblem(
            f"{sample.path.relative_to(public.parent)} has no prediction columns, only "
            f"{id_column!r}: add the columns to predict"
        )
    return id_column, targets


def _fitting(sample: Table, ids: tuple[str, ...], id_column: str, test: Table) -> tuple[str, ...]:
    """Return the ids in the order of the test table."""
    if id_column not in test.columns:
        rows = sum(1 for _ in test.rows())
        if rows != len(ids):
            raise TaskProblem(_misfit(sample, f"{len(ids)} rows", test, f"{rows}"))
        return ids
    at = test.columns.index(id_column)
    tests = [text(row[at]) for row in test.rows()]
    if len(tests) != len(ids):
        raise TaskProblem(_misfit(sample, f"{len(ids)} rows", test, f"{len(tests)}"))
    stranger = next(iter(sorted(set(ids) - set(tests))), None)
    if stranger is not None:
        raise TaskProblem(_misfit(sample, f"{id_column} {stranger!r}", test, "no such row"))
    return tuple(tests)


def _misfit(sample: Table, has: str, test: Table, other: str) -> str:
    return (
        f"{sample.path} does not fit {test.path.name}: it has {has}, {test.path.name} has {other}: "
        "give the sample one row for each test row"
    )


def _answers(folder: Path, public: Path, said: Declared) -> Path | None:
    if said.answers and (folder / said.answers).is_file():
        return folder / said.answers
    for place in (public.parent / "private", folder / "private"):
        if place.is_dir() and place != public:
            found = _tables(place)
            if found:
                return found[0]
    return None


def _thresholds(folder: Path) -> dict[str, float]:
    path = folder / "thresholds.json"
    if not path.is_file():
        return {}
    try:
        said = msgspec.json.decode(path.read_bytes())
        return {
            name: float(said[f"{name}_threshold"])
            for name in ("gold", "silver", "bronze", "median")
            if f"{name}_threshold" in said
        }
    except (msgspec.MsgspecError, TypeError, ValueError) as error:
        raise TaskProblem(f"{path}: {error}: correct the file") from None


def _heading(description: str) -> str:
    found = re.search(r"^#\s+(.+)$", description, re.MULTILINE)
    title = found.group(1).strip() if found else ""
    return "" if title.lower() in {"overview", "description", "task"} else title


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "task"
