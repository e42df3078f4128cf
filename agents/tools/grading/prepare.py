"""Preparing a task: labelled rows set aside and hidden among the test rows.

Reads the task's folder, writes what solutions will see into a staging directory. The same run
prepares the same bytes, wherever and however often.
"""

from collections.abc import Iterator, Sequence
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from typing import Any

from msgspec import Struct

from agents.tools.grading import split as splitting
from agents.tools.grading.folder import LoadedTask, files, load
from agents.tools.grading.metrics import one_hot
from agents.tools.grading.pack import carried, left_out, other_labels, pack
from agents.tools.grading.preview import Data, preview
from agents.tools.grading.profile import kind_of, profile
from agents.tools.grading.split import Split
from agents.tools.grading.submission import Asked, labels_of, rules_in_words
from agents.tools.grading.truth import Answer, Truth, known
from agents.tools.tables import Table, find, text, write
from schemas.events import RunStarted, TaskPrepared
from schemas.task import Artifact, Kind, SampleFormat, Task


class Key(Struct, frozen=True, kw_only=True):
    """The grader's own: which visible row is which, and what is right for those set aside.

    `order` is as in Split, `ids` are the competition's own in the order of its test table.
    """

    folder: str
    asked: Asked
    order: tuple[int, ...]
    ids: tuple[str, ...]
    truths: tuple[Answer, ...]


class Aside(Struct, frozen=True, kw_only=True):
    """The rows set aside, the new name of each file, and whether rows kept their ids."""

    split: Split
    own: tuple[str, ...]
    truths: tuple[Answer, ...]
    names: dict[Path, PurePosixPath]


def prepare(started: RunStarted, staging: Path) -> tuple[TaskPrepared, Key, Path]:
    """Return the event, the key, and the archive under *staging* whose artifact the event lacks.

    Raises TaskProblem.
    """
    task = load(Path(started.folder))
    paths = list(files(task))
    double = left_out(task, paths)
    paths = [path for path in paths if path not in double]
    truth = known(task)
    aside = set_aside(task, truth, paths, started) if isinstance(truth, Truth) else truth
    truth = truth if isinstance(truth, Truth) else Truth(answers={}, label="", classes=(), ids=None)
    key = _key(task, truth, aside)
    contents = _contents(task, aside, paths, staging)
    archive = staging / "input.tar"
    pack(archive, contents)
    columns, rows = profile(find(contents[_name(task.train, task)])) if task.train else ([], 0)
    shown = _task(task, truth, kind_of(columns, {name.suffix.lower() for name in contents}))
    data = Data(
        needs=key.asked.needs,
        classes=truth.classes,
        rules=rules_in_words(key.asked),
        columns=columns,
        rows=rows,
        only_in_train=_only_in_train(task),
        files=sorted(contents),
        absent=sorted(map(str, double)),
    )
    prepared = TaskPrepared(
        task=shown,
        sample=SampleFormat(columns=task.sample.columns, rows=len(key.asked.ids)),
        evaluation="reported" if isinstance(aside, str) else "held-out",
        heldout_rows=len(key.truths),
        preview=preview(shown, data),
        data=Artifact(sha256="", size=0, name=archive.name),
        hashes=_hashes(task, double) | ({"reported": aside} if isinstance(aside, str) else {}),
    )
    return prepared, key, archive


def set_aside(
    task: LoadedTask, truth: Truth, paths: Sequence[Path], started: RunStarted
) -> Aside | str:
    """Return which rows are held out, or why none can be."""
    settings, seed = started.settings.grader, started.seed
    rows = splitting.chosen(
        {row: "\n".join(answer) for row, answer in truth.answers.items()},
        settings.heldout_share,
        settings.heldout_rows,
        seed,
        by_class=bool(truth.classes),
    )
    if len(rows) < splitting.FEWEST:
        return f"only {len(rows)} labelled rows could be set aside"
    own = tuple(truth.ids[row] for row in rows) if truth.ids else None
    order = splitting.mixed(len(task.ids), rows, seed)
    ids = splitting.identified(order, task.ids, own, truth.ids or (), seed)
    if ids is None:
        return f"ids of {task.id_column} can be neither kept nor made"
    renamed = {task.ids[at]: new for at, new in zip(order, ids, strict=True) if at >= 0}
    visible = {-1 - at: new for at, new in zip(order, ids, strict=True) if at < 0}
    moved = {own[k]: visible[k] for k in visible} if own else {}
    kept = all(old == new for old, new in (*renamed.items(), *moved.items()))
    telling = other_labels(task, paths, truth.label, kept=kept)
    names = carried(paths, renamed=renamed, moved=moved, kept=kept)
    if telling or isinstance(names, str):
        return telling or str(names)
    return Aside(
        split=Split(heldout=rows, order=order, ids=ids),
        own=own or (),
        truths=tuple(truth.answers[row] for row in rows),
        names=names,
    )


def asked_of(
    task: LoadedTask, ids: tuple[str, ...], truths: Sequence[Answer], *, classes: bool
) -> Asked:
    """Return what a submission of these ids must be."""
    return Asked(
        metric=task.metric.name,
        id_column=task.id_column,
        targets=task.targets,
        columns=task.sample.columns,
        ids=ids,
        rules=task.rules,
        classes=classes or one_hot(truths),
        labels=labels_of(truths),
    )


def _key(task: LoadedTask, truth: Truth, aside: Aside | str) -> Key:
    classes = len(task.targets) > 1 and truth.classes == task.targets
    if isinstance(aside, str):
        truths = tuple(truth.answers.values())
        asked = asked_of(task, task.ids, truths, classes=classes)
        order: tuple[int, ...] = tuple(range(len(task.ids)))
        return Key(folder=str(task.folder), asked=asked, order=order, ids=task.ids, truths=())
    return Key(
        folder=str(task.folder),
        asked=asked_of(task, aside.split.ids, aside.truths, classes=classes),
        order=aside.split.order,
        ids=task.ids,
        truths=aside.truths,
    )


def _contents(
    task: LoadedTask, aside: Aside | str, paths: Sequence[Path], staging: Path
) -> dict[PurePosixPath, Path]:
    """Return what solutions see, by name: the tables rewritten, the rest as it is."""
    names = {path: PurePosixPath(path) for path in paths} if isinstance(aside, str) else aside.names
    contents: dict[PurePosixPath, Path] = {name: task.public / path for path, name in names.items()}
    if not any(name.name.startswith("description") for name in contents):
        described = staging / "description.md"
        described.write_text(task.description, encoding="utf-8")
        contents[PurePosixPath(described.name)] = described
    sample = task.sample.path
    if not sample.is_relative_to(task.public):
        contents[PurePosixPath(sample.name)] = sample
    if not isinstance(aside, str) and task.train and task.test:
        heldout = _divided(task.train, aside.split.heldout, staging)
        _write_test(task, task.test, task.train, heldout, aside.split, staging)
        _write_sample(task, aside.split, staging)
        for table in (task.train, task.test, task.sample):
            contents[_name(table, task)] = staging / table.path.name
    return contents


def _divided(train: Table, heldout: Sequence[int], staging: Path) -> dict[int, list[Any]]:
    """Write the training table without the rows set aside, and return those."""
    wanted = set(heldout)
    taken: dict[int, list[Any]] = {}

    def remaining() -> Iterator[list[Any]]:
        for at, row in enumerate(train.rows()):
            if at in wanted:
                taken[at] = row
            else:
                yield row

    write(staging / train.path.name, train, train.columns, remaining())
    return taken


def _write_test(
    task: LoadedTask,
    test: Table,
    train: Table,
    heldout: dict[int, list[Any]],
    split: Split,
    to: Path,
) -> None:
    at = {column: train.columns.index(column) for column in test.columns if column in train.columns}
    id_at = test.columns.index(task.id_column) if task.names_rows else None
    rows = test.rows()

    def visible() -> Iterator[list[Any]]:
        for place, row_id in zip(split.order, split.ids, strict=True):
            if place >= 0:
                row = next(rows)
            else:
                known_cells = heldout[split.heldout[-1 - place]]
                row = [known_cells[at[c]] if c in at else None for c in test.columns]
            if id_at is not None:
                row[id_at] = _like(row_id, row[id_at])
            yield row

    write(to / test.path.name, test, test.columns, visible())


def _write_sample(task: LoadedTask, split: Split, to: Path) -> None:
    sample = task.sample
    id_at = sample.columns.index(task.id_column)
    by_id = {text(row[id_at]): row for row in sample.rows()}
    rows = [list(by_id[row_id]) for row_id in task.ids]

    def visible() -> Iterator[list[Any]]:
        for place, row_id in zip(split.order, split.ids, strict=True):
            row = [*rows[place if place >= 0 else place % len(rows)]]
            row[id_at] = _like(row_id, row[id_at])
            yield row

    write(to / sample.path.name, sample, sample.columns, visible())


def _like(row_id: str, cell: Any) -> Any:
    """Return an id in the type of the cell that it replaces."""
    return int(row_id) if isinstance(cell, int) else row_id


def _task(task: LoadedTask, truth: Truth, kind: Kind) -> Task:
    names = [str(_name(table, task)) if table else "" for table in (task.train, task.test)]
    return Task(
        id=task.id,
        title=task.title,
        description=task.description,
        metric=task.metric.name,
        lower_is_better=task.lower_is_better,
        kind=kind,
        id_column=task.id_column,
        targets=task.targets,
        label=truth.label or None,
        train_file=names[0],
        test_file=names[1],
        sample_file=str(_name(task.sample, task)),
    )


def _name(table: Table, task: LoadedTask) -> PurePosixPath:
    inside = table.path.is_relative_to(task.public)
    return PurePosixPath(table.path.relative_to(task.public) if inside else table.path.name)


def _only_in_train(task: LoadedTask) -> list[str]:
    if not (task.train and task.test):
        return []
    return [column for column in task.train.columns if column not in task.test.columns]


def _hashes(task: LoadedTask, double: frozenset[Path]) -> dict[str, str]:
    """Return the SHA-256 of the tables as they were, and what was left out."""
    hashes: dict[str, str] = {}
    for table in (task.train, task.test, task.sample):
        if table:
            with table.path.open("rb") as file:
                hashes[str(_name(table, task))] = file_digest(file, "sha256").hexdigest()
    return hashes | {str(path): "left out: it repeats another file" for path in sorted(double)}
