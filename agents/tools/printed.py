"""The score that a solution printed of itself. Pure functions of text."""

import math
import re

_NUMBER = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf)(?:inity)?)"
_SCORE = re.compile(
    r"(?<![a-z])(?:final|best|overall|mean|average|avg|cv|oof|val|validation|hold-?out)(?![a-z])"
    rf"[^:=\n]{{0,80}}?(?::|=|\bis\b)\s*[\[(]?\s*{_NUMBER}(?![\w%])",
    re.IGNORECASE,
)


def printed_score(head: str, tail: str) -> float | None:
    """Return the score on the last line of the output that names one; None when it is no number.

    Lines that say "final" go before all others.
    """
    lines = [*head.splitlines(), *tail.splitlines()][::-1]
    for line in sorted(lines, key=lambda line: "final" not in line.lower()):
        found = list(_SCORE.finditer(line))
        if found:
            score = float(found[-1].group(1))
            return score if math.isfinite(score) else None
    return None
