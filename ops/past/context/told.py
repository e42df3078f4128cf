"""What prompts were given beside what they would have been: rows, sums, curves. Pure, no I/O."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import msgspec

from ops.past.context.chart import Chart, Curve
from ops.past.context.rebuilding import TIERS, Compared
from ops.past.context.tiers import Point

_OF = ("", *(f" {tier}" for tier in TIERS))
COLUMNS: tuple[str, ...] = (
    "call",
    "node",
    "action",
    *(f"{when}{of}" for when in ("then", "now") for of in _OF),
)
"""Of the prompts: all tokens of the memory part, and those of each tier."""

PHASES: tuple[str, ...] = ("phase", "events", "graded", "everything", "in tiers")
"""Of the tiers: the events of a phase, the nodes graded by its end, the largest lengths in it."""

Row = tuple[object, ...]


def calls(found: Compared) -> list[Row]:
    """Return a row under COLUMNS for each prompt, then the totals and the peaks of each column."""
    tokens = [(*_tokens(each.then), *_tokens(each.now)) for each in found.calls]
    columns = [*zip(*tokens, strict=True)] or [()] * (len(COLUMNS) - 3)
    return [
        *(
            (each.call, each.node, each.action, *own)
            for each, own in zip(found.calls, tokens, strict=True)
        ),
        ("total", "", "", *map(sum, columns)),
        ("peak", "", "", *(max(column, default=0) for column in columns)),
    ]


def phases(points: Sequence[Point]) -> list[Row]:
    """Return a row under PHASES for each phase, then the peaks over all."""
    parts = [(phase, [*part]) for phase, part in groupby(points, lambda each: each.phase)]
    return [
        *((phase, len(part), part[-1].graded, *_peaks(part)) for phase, part in parts),
        ("peak", len(points), points[-1].graded if points else 0, *_peaks(points)),
    ]


def prompts(found: Compared, policy: str) -> Chart:
    """Return both curves of the prompts' memory; *policy* names the second."""
    return Chart(
        title=f"Memory in the prompts of {found.run}",
        across="question to the model",
        up="tokens of memory",
        curves=[
            Curve(name="as it was", values=[sum(each.then.values()) for each in found.calls]),
            Curve(name=policy, values=[sum(each.now.values()) for each in found.calls]),
        ],
    )


def lengths(run: str, points: Sequence[Point]) -> Chart:
    """Return the context's length with everything kept and in tiers."""
    return Chart(
        title=f"Context of {run}",
        across="event of the run",
        up="tokens of context",
        curves=[
            Curve(name="everything kept as it was", values=[each.raw for each in points]),
            Curve(name="in three tiers", values=[each.tiers for each in points]),
        ],
    )


def compared_as_json(found: Compared) -> bytes:
    """Return the comparison as one JSON object."""
    total, peak = ({"then": row[3], "now": row[7]} for row in calls(found)[-2:])
    told = msgspec.to_builtins(found)
    return msgspec.json.encode({**told, "total": total, "peak": peak})


def tiers_as_json(run: str, points: Sequence[Point]) -> bytes:
    """Return the lengths as one JSON object."""
    everything, in_tiers = _peaks(points)
    peak = {"raw": everything, "tiers": in_tiers}
    return msgspec.json.encode({"run": run, "peak": peak, "points": points})


def _tokens(by_tier: Mapping[str, int]) -> tuple[int, ...]:
    return (sum(by_tier.values()), *(by_tier[tier] for tier in TIERS))


def _peaks(points: Sequence[Point]) -> tuple[int, int]:
    return max((each.raw for each in points), default=0), max(
        (each.tiers for each in points), default=0
    )
