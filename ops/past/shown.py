"""Rows for people and for programs: a table on a terminal, else tab-separated; JSON or CSV on wish."""

import csv
import sys
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

Form = Literal["people", "json", "csv"]

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_json = msgspec.json.Encoder(enc_hook=str).encode


def show(columns: Sequence[str], rows: Sequence[Sequence[Any]], form: Form = "people") -> None:
    """Write rows to standard output."""
    if form == "json":
        for row in rows:
            sys.stdout.write(f"{_json(dict(zip(columns, row, strict=True))).decode()}\n")
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([columns, *([_cell(value) for value in row] for row in rows)])
    elif _for_people():
        _table(columns, rows)
    else:
        for row in [columns, *rows]:
            sys.stdout.write("\t".join(_cell(value).translate(_ESCAPES) for value in row) + "\n")


def _for_people() -> bool:
    return sys.stdout.isatty()


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from rich.box import SIMPLE  # noqa: PLC0415 - slow to import, and for terminals only
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=SIMPLE)
    for at, column in enumerate(columns):
        numeric = rows and all(isinstance(row[at], int | float | None) for row in rows)
        table.add_column(Text(column), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    Console().print(table)


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case _:
            return _json(value).decode()
