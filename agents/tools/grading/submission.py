"""Is a submission one at all: form, ids, cells. Reads the one file, within bounds.

The rules are MLE-bench's where it has them for a competition; the messages say the first place
that is wrong, and what to do.
"""

import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from agents.tools.grading.declaration import Rules
from agents.tools.grading.truth import Answer, number
from schemas.metrics import KNOWN, Needs

ROOM_PER_CELL = 1024
ROOM = 2**20
"""Bytes that a submission may have at least, and for each of its cells."""

Labels = str
"""How label cells are compared: as "boolean", "integer", "number" or "text"."""


class Asked(Struct, frozen=True, kw_only=True):
    """What a submission must be: `ids` in order, the columns, and what their cells hold."""

    metric: str
    id_column: str
    targets: tuple[str, ...]
    columns: tuple[str, ...]
    ids: tuple[str, ...]
    rules: Rules
    classes: bool
    labels: Labels

    @property
    def needs(self) -> Needs:
        """What a cell of a target column holds."""
        needs = KNOWN[self.metric].needs
        return "probabilities" if needs == "labels" and self.classes else needs

    @property
    def unit_interval(self) -> bool:
        """Whether cells must lie between 0 and 1."""
        said = self.rules.unit_interval
        return said if said is not None else self.needs == "probabilities"

    @property
    def sum_to_one(self) -> bool:
        """Whether the target columns of each row must sum to one."""
        said = self.rules.sum_to_one
        return said if said is not None else self.metric == "log-loss" and self.classes

    @property
    def exact_columns(self) -> bool:
        """Whether columns beyond the sample's are refused."""
        said = self.rules.exact_columns
        return said if said is not None else self.sum_to_one


class Invalid(ValueError):  # noqa: N818 - it describes the submission
    """Raised when a submission is not valid; the message says where and what to do."""


SUM_TOLERANCE = 1e-6
EMPTY = {"nan", "na", "null", "none"}


def labels_of(truths: Sequence[Answer]) -> Labels:
    """Return how the labels among the right answers are compared."""
    cells = {cell for row in truths for cell in row}
    if all(cell.strip().lower() in {"true", "false"} for cell in cells):
        return "boolean"
    values = [number(cell) for cell in cells]
    if any(value is None for value in values):
        return "text"
    whole = all(value is not None and value == int(value) for value in values)
    return "integer" if whole else "number"


def rules_in_words(asked: Asked) -> str:
    """Return what a submission is checked for, for the prompt."""
    said = [
        f"columns {', '.join(asked.columns)}" + (" and no others" if asked.exact_columns else ""),
        "one row for each row of the sample, same ids, same order",
        "no empty cells",
    ]
    if asked.needs == "probabilities":
        said.append("probabilities, not labels")
    if asked.unit_interval:
        said.append("all values between 0 and 1")
    if asked.sum_to_one:
        said.append("each row sums to one")
    if asked.metric == "rmsle":
        said.append("no negative values")
    if asked.needs == "labels":
        said.append(f"{asked.labels} labels as in the training data")
    return "; ".join(said)


def checked(path: Path, name: str, asked: Asked, *, positional: bool = False) -> list[Answer]:
    """Return the predicted cells in the order of the asked ids.

    *positional* never compares ids, as some of MLE-bench's graders. Raises Invalid.
    """
    table = _read(path, name, asked)
    columns = next(table, None)
    if columns is None:
        raise Invalid(f"{name} is empty: write the columns {', '.join(asked.columns)}")
    _same_columns(name, columns, asked, positional=positional)
    at = [columns.index(target) for target in asked.targets]
    id_at = columns.index(asked.id_column) if asked.id_column in columns else None
    rows = list(table)
    if len(rows) != len(asked.ids):
        raise Invalid(
            f"{name} has {len(rows)} rows, {len(asked.ids)} are asked for: write one row for each "
            "row of the sample submission"
        )
    by_id: dict[str, Answer] = {}
    answers: list[Answer] = []
    known = set(asked.ids)
    for line, row in enumerate(rows, 2):
        where = f"{name}, line {line}"
        if len(row) != len(columns):
            raise Invalid(f"{where}: {len(row)} cells, {len(columns)} columns: write the full row")
        answer = tuple(row[n].strip() for n in at)
        answers.append(answer)
        _check(where, answer, asked)
        row_id = row[id_at] if id_at is not None else ""
        if not positional:
            _check_id(where, row_id, asked, known, by_id)
        by_id[row_id] = answer
    return answers if positional else [by_id[each] for each in asked.ids]


def _read(path: Path, name: str, asked: Asked) -> Iterator[list[str]]:
    if Path(name).suffix.lower() != ".csv":
        raise Invalid(f"{name} is not a CSV file: name it submission.csv")
    if not path.is_file():
        raise Invalid(f"{name} is not a regular file: write a plain CSV file")
    size, most = path.stat().st_size, ROOM + ROOM_PER_CELL * len(asked.ids) * len(asked.columns)
    if size > most:
        raise Invalid(f"{name} has {size} bytes, {most} are the most: write only what is asked for")
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            yield from (row for row in csv.reader(lines) if row)
    except UnicodeDecodeError as error:
        raise Invalid(f"{name} is not UTF-8 at byte {error.start}: write it as UTF-8") from None
    except csv.Error as error:
        raise Invalid(f"{name} is not a CSV file: {error}: write it with to_csv") from None


def _same_columns(name: str, columns: list[str], asked: Asked, *, positional: bool) -> None:
    needed = asked.targets if positional else (asked.id_column, *asked.targets)
    for column in needed:
        if columns.count(column) != 1:
            how = "has no column" if column not in columns else "has twice the column"
            raise Invalid(f"{name} {how} {column!r}: write the columns {', '.join(asked.columns)}")
    extra = next((each for each in columns if each not in asked.columns), None)
    if extra is not None and asked.exact_columns:
        raise Invalid(f"{name} has a column {extra!r} that is not asked for: leave it out")


def _check_id(
    where: str, row_id: str, asked: Asked, known: set[str], seen: dict[str, Answer]
) -> None:
    if row_id in seen:
        raise Invalid(f"{where}: {asked.id_column} {row_id!r} is there twice: write each id once")
    if row_id not in known:
        raise Invalid(
            f"{where}: {asked.id_column} {row_id!r} is not in the sample submission: "
            "take the ids from the sample"
        )


def _check(where: str, answer: Answer, asked: Asked) -> None:
    for target, cell in zip(asked.targets, answer, strict=True):
        if not cell or (cell.lower() in EMPTY and asked.labels != "text"):
            raise Invalid(f"{where}: {target} is empty: predict a value for every row")
        wrong = _wrong_label(cell, asked) if asked.needs == "labels" else _wrong_number(cell, asked)
        if wrong:
            raise Invalid(f"{where}: {target} is {cell[:60]!r}: {wrong}")
    if asked.sum_to_one:
        total = math.fsum(number(cell) or 0.0 for cell in answer)
        if abs(total - 1) > SUM_TOLERANCE:
            raise Invalid(
                f"{where}: the probabilities sum to {total:.6g}: divide each row by its sum"
            )


def _wrong_number(cell: str, asked: Asked) -> str:
    value = number(cell)
    if value is None or not math.isfinite(value):
        return "write a finite number"
    if asked.unit_interval and not 0 <= value <= 1:
        return "write a probability between 0 and 1"
    if asked.metric == "rmsle" and value < 0:
        return "write no negative numbers, the metric takes logarithms"
    return ""


def _wrong_label(cell: str, asked: Asked) -> str:
    if asked.labels == "text":
        return ""
    value = number(cell)
    if value is None or not math.isfinite(value):
        kind = "True or False" if asked.labels == "boolean" else "a number"
        return f"write {kind}, as in the training data"
    if asked.labels == "boolean" and value not in {0.0, 1.0}:
        return "write True or False, as in the training data"
    if asked.labels == "integer" and value != int(value):
        return "write a whole number, one of the labels of the training data"
    return ""
