"""The table of figures for people: drawn on a terminal, plain columns elsewhere. Prints."""

import sys
from collections.abc import Iterator, Sequence

from ops.bench.figure import Figure, Machine, Result, ratios

_WIDE = 1000


def show(result: Result, before: Result | None) -> None:
    """Print the machine and every figure; with *before*, how many times the earlier one it is."""
    for line in about(result.machine):
        sys.stdout.write(f"{line}\n")
    if result.quick:
        sys.stdout.write("quick: the sizes are too small to judge by\n")
    header = ["figure", "value", "target", "reached"] + (["times before"] if before else [])
    rows = [*lines(result.figures, before.figures if before else None)]
    draw(header, rows)


def draw(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: drawn on a terminal, in plain columns elsewhere."""
    if sys.stdout.isatty():
        _draw(header, rows)
    else:
        _print([header, *rows])


def about(machine: Machine) -> list[str]:
    """Return what there is to say of the machine."""
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    return [
        f"{machine.processor}, {machine.cores} cores, {machine.system}",
        f"Python {machine.python}; {versions}",
        f"{machine.time}; {machine.load:g} processes were running on average before",
    ]


def lines(figures: Sequence[Figure], before: Sequence[Figure] | None) -> Iterator[list[str]]:
    """Yield a row of texts for each figure."""
    compared = ratios(figures, before) if before is not None else {}
    for figure in figures:
        goal = "" if figure.target is None else f"{figure.bound} {_number(figure.target)}"
        row = [figure.name, f"{_number(figure.value)} {figure.unit}", goal, _verdict(figure)]
        if before is not None:
            row.append(f"{compared[figure.name]:.2f}" if figure.name in compared else "new")
        yield row


def _verdict(figure: Figure) -> str:
    if figure.reached is None:
        return ""
    return "yes" if figure.reached else "no"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= _WIDE else f"{value:.3g}"


def _draw(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
    from rich.table import Table  # noqa: PLC0415

    table = Table(header_style="bold")
    for name in header:
        table.add_column(name, justify="right" if name in {"value", "times before"} else "left")
    for row in rows:
        table.add_row(*row, style="red" if row[3] == "no" else None)
    Console().print(table)


def _print(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        sys.stdout.write(f"{line.rstrip()}\n")
