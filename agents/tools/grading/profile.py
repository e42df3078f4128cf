"""What the columns of a table hold: types, gaps, distinct values. Reads tables, within bounds."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from agents.tools.tables import Table, text
from schemas.task import Kind

Type = Literal["numeric", "categorical", "text", "boolean", "json"]

MOST_CELLS = 150_000
FEWEST_ROWS = 200
MISSING = {"", "nan", "NaN", "NA", "N/A", "null", "None", "NULL"}
LONG = 40
"""Mean characters from which words are text rather than names of categories."""
PIXELS = 64
IMAGES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".dcm"}


class Column(Struct, frozen=True, kw_only=True):
    """One column; `missing` is a share, `low` and `high` are of numbers, `length` of texts."""

    name: str
    type: Type
    missing: float
    unique: int
    low: float | None = None
    high: float | None = None
    length: float | None = None
    examples: tuple[str, ...] = ()


def profile(table: Table) -> tuple[list[Column], int]:
    """Return the columns as the first rows show them, and the number of all rows."""
    looked = max(FEWEST_ROWS, MOST_CELLS // len(table.columns))
    rows = table.rows()
    first = list(islice(rows, looked))
    count = len(first) + sum(1 for _ in rows)
    cells = zip(*first, strict=True) if first else [()] * len(table.columns)
    return [_column(name, each) for name, each in zip(table.columns, cells, strict=True)], count


def _column(name: str, cells: Sequence[object]) -> Column:
    nested = any(isinstance(cell, (list, dict)) for cell in cells)
    counts = Counter(map(text, cells))
    missing = sum(counts.pop(word, 0) for word in MISSING)
    share = missing / len(cells) if cells else 0.0
    common = tuple(each for each, _ in counts.most_common(3))
    column = Column(
        name=name, type="categorical", missing=share, unique=len(counts), examples=common
    )
    if nested:
        return replace(column, type="json")
    if counts and all(word.lower() in {"true", "false"} for word in counts):
        return replace(column, type="boolean")
    numbers = _numbers(counts)
    if numbers:
        return replace(column, type="numeric", low=min(numbers), high=max(numbers))
    mean = sum(len(word) * n for word, n in counts.items()) / max(1, sum(counts.values()))
    if mean >= LONG:
        return replace(column, type="text", length=round(mean, 1))
    return column


def _numbers(words: Collection[str]) -> list[float]:
    """Return all words as finite numbers, or none when one is no number."""
    try:
        if any("_" in word for word in words):  # Python would read 1_000 as a number
            return []
        return [value for word in words if math.isfinite(value := float(word))]
    except ValueError:
        return []


def kind_of(columns: Sequence[Column], suffixes: Iterable[str]) -> Kind:
    """Guess what kind of data a task is about."""
    names = [column.name.lower() for column in columns if column.type == "numeric"]
    pixels = sum("pixel" in name or "px" in name for name in names)
    if pixels >= PIXELS or any(suffix in IMAGES for suffix in suffixes):
        return "image"
    return "text" if any(column.type == "text" for column in columns) else "tabular"
