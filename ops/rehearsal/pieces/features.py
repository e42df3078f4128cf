"""Pieces that make columns: each step takes the rows and returns new columns; none sees a target."""

import itertools
import re
from typing import Any

import numpy as np
import pandas as pd

Task = dict[str, Any]


def plain_columns(rows: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Return numbers as they are and words as codes; what is nearly unique is left out."""
    made = {}
    for name in rows.columns:
        if name in (task["id"], *task["texts"], *task["lists"]):
            continue
        column = rows[name]
        if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
            made[name] = column.astype(float)
        elif column.nunique() <= 0.3 * len(column):
            codes = pd.factorize(column.astype(str), sort=True)[0].astype(float)
            made[name] = pd.Series(codes, index=rows.index).where(column.notna())
    return pd.DataFrame(made, index=rows.index)


def number_columns(rows: pd.DataFrame, task: Task) -> list[str]:
    """Return the names of the columns that hold numbers of more than two values."""
    numbers = rows.select_dtypes("number").columns
    return [each for each in numbers if each != task["id"] and rows[each].nunique() > 2]


def code_parts(rows: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Split codes such as `B/12/P` or `0013_02` into parts, and count who shares the parts."""
    made: dict[str, Any] = {}
    for name in rows.columns:
        if name in (*task["texts"], *task["lists"]) or pd.api.types.is_numeric_dtype(rows[name]):
            continue
        words = rows[name].astype(str).where(rows[name].notna(), "")
        pieces = words.str.split(r"[/_ -]", expand=True, regex=True)
        if not 2 <= pieces.shape[1] <= 4 or words.nunique() < 20:
            continue
        for number in pieces.columns:
            piece = pieces[number].fillna("")
            as_number = pd.to_numeric(piece, errors="coerce")
            if as_number.notna().mean() > 0.5:
                made[f"{name} part {number}"] = as_number
            elif piece.nunique() <= 50:
                made[f"{name} part {number}"] = pd.factorize(piece, sort=True)[0].astype(float)
            made[f"{name} part {number} shared"] = piece.map(piece.value_counts())
        made[f"{name} shared"] = words.map(words.value_counts())
    return pd.DataFrame(made, index=rows.index).astype(float)


def row_totals(rows: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Add up the columns that are often zero, such as amounts spent, and count those that are not."""
    names = [n for n in number_columns(rows, task) if (rows[n] == 0).mean() > 0.3]
    if len(names) < 2:
        return pd.DataFrame(index=rows.index)
    amounts = rows[names].fillna(0).clip(lower=0)
    total = amounts.sum(axis=1)
    made = {"total": total, "log total": np.log1p(total), "nonzero": (amounts > 0).sum(axis=1)}
    for name in names:
        made[f"share {name}"] = amounts[name] / (total + 1.0)
        made[f"log {name}"] = np.log1p(amounts[name])
    return pd.DataFrame(made).astype(float)


def gaps(rows: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Count what is missing in each row, and mark it where a column has enough of it."""
    kept = rows.drop(columns=[task["id"], *task["lists"]], errors="ignore")
    made = {"missing": kept.isna().sum(axis=1).astype(float)}
    for name in kept.columns[(kept.isna().mean() > 0.01).to_numpy()]:
        made[f"missing {name}"] = kept[name].isna().astype(float)
    return pd.DataFrame(made)


def frequencies(rows: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Say how common each word is in its column."""
    made = {}
    for name in rows.columns:
        if name in (task["id"], *task["texts"], *task["lists"]):
            continue
        if not pd.api.types.is_numeric_dtype(rows[name]):
            words = rows[name].astype(str)
            made[f"how common {name}"] = words.map(words.value_counts(normalize=True))
    return pd.DataFrame(made, index=rows.index).astype(float)


def ratios(rows: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Divide and multiply the most varied numbers by pairs."""
    numbers = rows[number_columns(rows, task)].astype(float)
    names = list(numbers.nunique().sort_values(ascending=False, kind="stable").index[:8])
    made = {}
    for one, other in itertools.combinations(names, 2):
        made[f"{one} / {other}"] = numbers[one] / (numbers[other].abs() + 1e-6)
        made[f"{one} * {other}"] = numbers[one] * numbers[other]
    return pd.DataFrame(made, index=rows.index).clip(-1e9, 1e9)


def cell_volume(rows: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Compute the volume of a crystal's cell from its vectors and angles, and what fills it."""
    sides = [n for n in rows.columns if re.search(r"vector", n)][:3]
    angles = [n for n in rows.columns if re.search(r"angle", n)][:3]
    if len(sides) < 3 or len(angles) < 3:
        return pd.DataFrame(index=rows.index)
    a, b, c = (rows[n].astype(float) for n in sides)
    cosines = [np.cos(np.deg2rad(rows[n].astype(float))) for n in angles]
    square = 1 - sum(each**2 for each in cosines) + 2 * cosines[0] * cosines[1] * cosines[2]
    volume = a * b * c * np.sqrt(np.clip(square, 1e-9, None))
    made = {
        "volume": volume,
        "longest / shortest": rows[sides].max(axis=1) / rows[sides].min(axis=1),
    }
    for name in number_columns(rows, task):
        if "number" in name:
            made[f"{name} / volume"] = rows[name] / volume
            made[f"volume / {name}"] = volume / rows[name]
    shares = [n for n in rows.columns if "percent" in n]
    for one, other in itertools.combinations(shares, 2):
        made[f"{one} - {other}"] = rows[one] - rows[other]
        made[f"{one} * {other}"] = rows[one] * rows[other]
    return pd.DataFrame(made).astype(float)


def clock_parts(rows: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Take hour, weekday, day and month out of Unix times."""
    made = {}
    for name in number_columns(rows, task):
        if rows[name].min() > 1e9 and rows[name].max() < 2.2e9:
            moment = pd.to_datetime(rows[name], unit="s")
            made[f"{name} hour"] = moment.dt.hour
            made[f"{name} weekday"] = moment.dt.day_of_week
            made[f"{name} day"] = moment.dt.day
            made[f"{name} month"] = moment.dt.month
    return pd.DataFrame(made, index=rows.index).astype(float)


def list_sizes(rows: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Count the items of lists, and mark the forty most common ones."""
    made = {}
    for name in task["lists"]:
        items = rows[name].map(
            lambda found: [str(i) for i in found] if isinstance(found, list) else []
        )
        made[f"{name} size"] = items.map(len)
        common = pd.Series(list(itertools.chain.from_iterable(items))).value_counts().index[:40]
        for item in common:
            made[f"{name} has {item}"] = items.map(lambda found, item=item: item in found)
    return pd.DataFrame(made, index=rows.index).astype(float)


def pixel_profiles(rows: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Add the sums of rows, columns and quarters of a square picture, and its centre of mass."""
    names = number_columns(rows, task)
    names = [each for each in rows.columns if each in names or re.search(r"\d$", str(each))]
    side = int(len(names) ** 0.5)
    pictures = rows[names[: side * side]].to_numpy(float).reshape(len(rows), side, side)
    half = side // 2
    total = pictures.sum(axis=(1, 2)) + 1e-9
    place = np.arange(side)
    blocks = [pictures[:, :, :half], pictures[:, :, half:], pictures[:, :half], pictures[:, half:]]
    table = np.column_stack(
        [
            pictures.sum(axis=1),
            pictures.sum(axis=2),
            (pictures.sum(axis=1) * place).sum(axis=1) / total,
            (pictures.sum(axis=2) * place).sum(axis=1) / total,
            *(block.sum(axis=(1, 2)) for block in blocks),
        ]
    )
    names = [f"profile {number}" for number in range(table.shape[1])]
    return pd.DataFrame(table, columns=names, index=rows.index)
