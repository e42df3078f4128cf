"""The table of printed runs that were decided again, and every choice that is not the log's. Prints."""

import sys
from collections.abc import Sequence

from ops.traces.replay import Replayed

_HEADER = ("run", "choices", "the same", "ties", "others", "after a gap")


def show(runs: Sequence[Replayed], *, explain: bool) -> None:
    """Print a row for each run and one for all; with *explain*, each choice that is another."""
    rows = [_HEADER, *(_row(run.trace.name, [run]) for run in runs), _row("all", runs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    for row in rows:
        numbers = (text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True))
        _print(f"{row[0].ljust(widths[0])}  {'  '.join(numbers)}")
    for run in runs:
        for each in run.verdicts:
            if each.kind == "differs" or (explain and each.kind == "tie"):
                what = "tie" if each.kind == "tie" else "ANOTHER"
                _print(
                    f"{run.trace.name}:{each.line}: {what}: the log {each.logged}, we {each.ours}"
                )


def _row(name: str, runs: Sequence[Replayed]) -> tuple[str, ...]:
    counts = [sum(run.count(kind) for run in runs) for kind in ("agrees", "tie", "differs")]
    choices = sum(len(run.verdicts) for run in runs)
    missed = sum(run.after_gap for run in runs)
    return (name, *(f"{count:,}" for count in (choices, *counts, missed)))


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
