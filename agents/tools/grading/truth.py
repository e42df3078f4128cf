"""What the right answers are, out of the training table or the private answers. Reads tables."""

from collections.abc import Iterable

from msgspec import Struct

from agents.tools.grading.declaration import TaskProblem
from agents.tools.grading.folder import LoadedTask
from agents.tools.tables import Table, find, text
from schemas.metrics import Needs

MOST_CLASSES = 1000

Answer = tuple[str, ...]
"""The right cell of each target column, in order."""

Column = tuple[str, ...]


class Truth(Struct, frozen=True, kw_only=True):
    """What is known of the training rows.

    `answers` are by row position, only of rows whose label is there. `label` is the training
    column behind the targets, empty when they are several columns of their own; `classes` are its
    values when it names classes.
    """

    answers: dict[int, Answer]
    label: str
    classes: tuple[str, ...]
    ids: Column | None


def known(task: LoadedTask) -> Truth | str:
    """Return what the training table says of the targets, or why it says nothing."""
    if task.train is None or task.test is None:
        return "there is no training table or no test table"
    lost = [c for c in task.test.columns if c not in task.train.columns and c != task.id_column]
    if lost:
        return f"column {lost[0]!r} of {task.test.path.name} is not in {task.train.path.name}"
    names = [c for c in task.train.columns if c not in task.test.columns or c == task.id_column]
    columns = _columns(task.train, names)
    if set(task.targets) <= set(columns):
        return _columns_are_targets(task, columns)
    return _targets_are_classes(task, columns)


def _columns_are_targets(task: LoadedTask, columns: dict[str, Column]) -> Truth | str:
    cells = [columns[target] for target in task.targets]
    needs = task.metric.needs
    answers = {
        row: answer
        for row, answer in enumerate(zip(*cells, strict=True))
        if all(cell.strip() for cell in answer)
    }
    for answer in answers.values():
        if wrong := next((cell for cell in answer if not readable(cell, needs)), None):
            return f"{task.metric.name} needs numbers, the training table has {wrong!r}"
    label = task.targets[0] if len(task.targets) == 1 else ""
    values = {answer[0] for answer in answers.values()} if label and needs != "numbers" else set()
    classes = tuple(sorted(values)) if 0 < len(values) <= MOST_CLASSES else ()
    ids = columns.get(task.id_column)
    return Truth(answers=answers, label=label, classes=classes, ids=ids)


def _targets_are_classes(task: LoadedTask, columns: dict[str, Column]) -> Truth | str:
    wanted = set(task.targets)
    names = [task.label] if task.label in columns else sorted(columns)
    found = [name for name in names if set(columns[name]) - {""} == wanted]
    if len(found) != 1:
        return f"no training column has exactly the values {', '.join(task.targets[:5])}"
    ids = columns.get(task.id_column)
    marked = {cell: tuple("1" if each == cell else "0" for each in task.targets) for cell in wanted}
    answers = {row: marked[cell] for row, cell in enumerate(columns[found[0]]) if cell}
    return Truth(answers=answers, label=found[0], classes=task.targets, ids=ids)


def private(task: LoadedTask) -> dict[str, Answer] | None:
    """Return the private answers by id in their order, or None when there are none.

    Raises TaskProblem when they do not have the columns.
    """
    if task.answers is None:
        return None
    table = find(task.answers)
    for column in (task.id_column, *task.targets):
        if column not in table.columns:
            raise TaskProblem(f"{task.answers} has no column {column!r}: correct the answers")
    at = [table.columns.index(column) for column in (task.id_column, *task.targets)]
    answers = ([text(row[n]) for n in at] for row in table.rows())
    return {row_id: tuple(cells) for row_id, *cells in answers}


def number(cell: str) -> float | None:
    """Return the number in a cell; yes and no of a boolean column are 1 and 0."""
    word = cell.strip().lower()
    if word in {"true", "false"}:
        return float(word == "true")
    try:
        return None if "_" in word else float(word)
    except ValueError:
        return None


def readable(cell: str, needs: Needs) -> bool:
    """Return whether a right answer fits what the metric needs."""
    return needs == "labels" or number(cell) is not None


def _columns(table: Table, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return some columns of a table as text, read in one pass."""
    at = {name: table.columns.index(name) for name in names}
    cells = zip(*([text(row[n]) for n in at.values()] for row in table.rows()), strict=True)
    return dict(zip(at, cells, strict=True))
