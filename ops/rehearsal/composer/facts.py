"""What a prompt says about the data, read from the lines of its data preview. Pure and total."""

import json
import re
from typing import Any, Literal

from msgspec import Struct

Needs = Literal["probabilities", "labels", "numbers"]

_FACT = re.compile(r"^- (?P<name>[a-z][a-z ]*): ?(?P<value>.*)$")
_COLUMN = re.compile(
    r'^- (?P<name>"(?:[^"\\]|\\.)*"|.+?)(?: \.\. .+ \((?P<count>\d+) columns\))?: type=(?P<type>\w+)'
    r"(?P<rest>.*)$"
)
_PARTS = re.compile(r"^[^/_ -]+(?:[/_ -][^/_ -]+){1,3}$")
_NUMBER = re.compile(r"\b(?P<key>missing|unique|length|range)=\[?(?P<value>[\d.e+-]+)")


class Column(Struct, frozen=True, kw_only=True):
    """One column, or `count` neighbours alike; `unique` values, `length` of texts in letters.

    `low` is the least number; `coded` says that the examples are made of parts, such as B/12/P.
    """

    name: str
    type: str
    count: int = 1
    missing: float = 0.0
    unique: float = 0.0
    length: float = 0.0
    low: float | None = None
    coded: bool = False


class Facts(Struct, frozen=True, kw_only=True):
    """What can be known about a task from its preview."""

    kind: str = "tabular"
    metric: str = ""
    lower_is_better: bool = False
    needs: Needs = "labels"
    train_file: str = "train.csv"
    test_file: str = "test.csv"
    sample_file: str = "sample_submission.csv"
    id_column: str = "id"
    targets: tuple[str, ...] = ()
    label: str = ""
    classes: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    rows: int = 0
    train_only: tuple[str, ...] = ()

    def of_type(self, kind: str) -> tuple[str, ...]:
        """Return the names of the usable columns of one type."""
        hidden = (self.id_column, self.label, *self.targets, *self.train_only)
        return tuple(c.name for c in self.columns if c.type == kind and c.name not in hidden)


def read(preview: str) -> Facts:
    """Return the facts in *preview*; what it does not say keeps its default."""
    told: dict[str, str] = {}
    columns: list[Column] = []
    train_only: list[str] = []
    rows, part = 0, ""
    for line in preview.splitlines():
        if line.startswith("## "):
            part = line[3:]
            if part.startswith("Columns of ") and not rows:
                counted = re.search(r"\((\d+) rows\)", part)
                rows = int(counted[1]) if counted else 0
        elif part.startswith("Columns of "):
            columns += [found] if (found := _column(line)) else []
        elif part.startswith("Columns only in") and line.startswith("- "):
            train_only.append(_name(line[2:].strip()))
        elif not part and (fact := _FACT.match(line)):
            told.setdefault(fact["name"], fact["value"].strip())
    return _facts(told, columns, train_only, rows)


def _facts(told: dict[str, str], columns: list[Column], train_only: list[str], rows: int) -> Facts:
    needs: Any = told.get("needs", "labels")
    return Facts(
        kind=told.get("kind", "tabular"),
        metric=told.get("metric", ""),
        lower_is_better=told.get("direction", "").startswith("lower"),
        needs=needs if needs in ("probabilities", "labels", "numbers") else "labels",
        train_file=_name(told.get("train file", "train.csv")),
        test_file=_name(told.get("test file", "test.csv")),
        sample_file=_name(told.get("sample file", "sample_submission.csv")),
        id_column=_name(told.get("id column", "id")),
        targets=_list(told.get("target columns", "")),
        label=_name(told.get("label column", "")),
        classes=_list(told.get("classes", "")),
        columns=tuple(columns),
        rows=rows,
        train_only=tuple(train_only),
    )


def _column(line: str) -> Column | None:
    found = _COLUMN.match(line)
    if not found:
        return None
    said, _, examples = found["rest"].partition(" examples=")
    shown = _list(examples)
    numbers = {each["key"]: _float(each["value"]) for each in _NUMBER.finditer(said)}
    low = numbers.pop("range", None)
    return Column(
        name=_name(found["name"]),
        type=found["type"],
        count=int(found["count"] or 1),
        low=low,
        coded=bool(shown) and all(_PARTS.match(each) for each in shown),
        **numbers,
    )


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _name(text: str) -> str:
    """Return a name, which is a JSON string where it holds unusual characters."""
    if text.startswith('"'):
        try:
            return str(json.loads(text))
        except ValueError:
            return text
    return text


def _list(text: str) -> tuple[str, ...]:
    try:
        found = json.loads(text)
    except ValueError:
        return ()
    return tuple(str(each) for each in found) if isinstance(found, list) else ()
