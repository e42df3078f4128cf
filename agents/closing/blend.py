"""The program of a fused node: blends submissions into one. It reads and writes CSV files.

Nothing here calls it. Its source and one line that calls `main` are what an executor is given, so
that it uses only what Python brings, and says no more than it must.
"""

import csv
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path

Column = list[str]
Rows = dict[str, list[str]]
"""By id, the cells of the predicted columns."""


def number(cell: str) -> float:
    """Return the number in a cell; yes and no are 1 and 0."""
    word = cell.strip().lower()
    return float(word == "true") if word in {"true", "false"} else float(word)


def label(cell: str) -> float | str:
    """Return what a label says, however it is written."""
    try:
        return number(cell)
    except ValueError:
        return cell.strip()


def ranked(values: Sequence[float]) -> list[float]:
    """Return the rank of each value among all, between 0 and 1; equal values share the mean rank."""
    order = sorted(values)
    places = ((bisect_left(order, value), bisect_right(order, value)) for value in values)
    return [(first + last + 1) / 2 / len(order) for first, last in places]


def by_means(columns: Sequence[Column]) -> Column:
    """Return the mean of the numbers in each row."""
    rows = zip(*([number(cell) for cell in column] for column in columns), strict=True)
    return [repr(sum(row) / len(row)) for row in rows]


def by_ranks(columns: Sequence[Column]) -> Column:
    """Return the mean of the ranks in each row: what counts is the order, not the scale."""
    rows = zip(*(ranked([number(cell) for cell in column]) for column in columns), strict=True)
    return [repr(sum(row) / len(row)) for row in rows]


def by_votes(columns: Sequence[Column]) -> Column:
    """Return the label that most members say in each row; where none has most, the first's."""
    return [_elected(cells) for cells in zip(*columns, strict=True)]


def _elected(cells: Sequence[str]) -> str:
    said = [label(cell) for cell in cells]
    votes = [said.count(each) for each in said]
    return cells[votes.index(max(votes))]


WAYS: dict[str, Callable[[Sequence[Column]], Column]] = {
    "means": by_means,
    "ranks": by_ranks,
    "votes": by_votes,
}


def read(path: Path, id_column: str, targets: Sequence[str]) -> Rows:
    """Return the predictions of one submission by id; raises ValueError where an id is there twice."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        found = [(row[id_column], [row[each] for each in targets]) for row in csv.DictReader(lines)]
    rows = dict(found)
    if len(rows) != len(found):
        raise ValueError(f"{path.name} has an {id_column} twice")
    return rows


def blended(members: Sequence[Rows], way: str) -> Rows:
    """Return the blend of *members*, the best first; raises ValueError where they differ in ids."""
    ids = [*members[0]]
    for rows in members:
        if rows.keys() != members[0].keys():
            raise ValueError("the submissions have different ids")
    width = len(members[0][ids[0]]) if ids else 0
    columns = [
        WAYS[way]([[rows[row_id][n] for row_id in ids] for rows in members]) for n in range(width)
    ]
    return {row_id: [column[at] for column in columns] for at, row_id in enumerate(ids)}


def main(members: Sequence[str], way: str, id_column: str, columns: Sequence[str]) -> None:
    """Blend ./files/MEMBER.csv of all members into ./submission/submission.csv."""
    targets = [column for column in columns if column != id_column]
    rows = blended(
        [read(Path("files", f"{each}.csv"), id_column, targets) for each in members], way
    )
    with Path("submission", "submission.csv").open("w", encoding="utf-8", newline="") as lines:
        table = csv.writer(lines, lineterminator="\n")
        table.writerow(columns)
        for row_id, cells in rows.items():
            known = {id_column: row_id, **dict(zip(targets, cells, strict=True))}
            table.writerow([known[column] for column in columns])
