"""What of too many traces is told: those that teach the most. Pure.

A trace teaches when it moved the score or failed in a new way. Traces that tell the same are one
line with a count. Where room is short, the best, the newest and each kind of failure come first.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from agents.context.tokens import Purse
from agents.context.wording import described
from store.projections.experience import Trace
from store.projections.tree import gain

NEWEST = 3
"""So many of the newest are told before anything that merely moved the score."""

_REFUSED = 20
"""After so many that do not fit, nothing more is looked at: a prompt is not kept waiting."""

_MOVED = 1e-4
_NUMBER = re.compile(r"\d[\d.]*")
_NAME = re.compile(r"0x[0-9a-f]+|'[^']*'|\"[^\"]*\"")
_LONGEST = 160


class Told(Struct, frozen=True):
    """A trace in the words of a prompt, with the tokens that they cost."""

    trace: Trace
    text: str
    tokens: int


def select(
    traces: Sequence[Trace],
    scores: Mapping[str, float | None],
    *,
    lower_is_better: bool,
    purse: Purse,
) -> list[Told]:
    """Return what is told of *traces*, given newest first, as far as *purse* goes, newest first.

    *scores* are those of the parents: what a trace was made from.
    """
    groups: dict[str, list[Trace]] = {}
    for trace in traces:
        groups.setdefault(_kind(trace), []).append(trace)
    places = {trace.node: place for place, trace in enumerate(traces)}
    leaders = [_leader(group, lower_is_better=lower_is_better) for group in groups.values()]
    alike = {
        leader.node: [each.node for each in group if each.node != leader.node]
        for leader, group in zip(leaders, groups.values(), strict=True)
    }
    leaders.sort(key=lambda each: places[each.node])
    told, refused = list[Told](), 0
    for trace in _most_telling_first(leaders, scores, lower_is_better=lower_is_better):
        text = described(trace, alike[trace.node])
        tokens = purse.buy(text)
        if tokens is not None:
            told.append(Told(trace, text, tokens))
        elif (refused := refused + 1) >= _REFUSED:
            break
    return sorted(told, key=lambda each: places[each.trace.node])


def _most_telling_first(
    leaders: Sequence[Trace], scores: Mapping[str, float | None], *, lower_is_better: bool
) -> Iterator[Trace]:
    """Yield each trace once: the best, the newest, the failures, what moved the score, the rest."""
    sound = [each for each in leaders if not each.defective]
    best = [_leader(sound, lower_is_better=lower_is_better)] if sound else []
    failed = [each for each in leaders if each.defective]
    moved = [each for each in sound if _moved(each, scores)]
    yield from {
        each.node: each for each in (*best, *leaders[:NEWEST], *failed, *moved, *leaders)
    }.values()


def _leader(group: Sequence[Trace], *, lower_is_better: bool) -> Trace:
    """Return who speaks for traces that tell the same: the best, or the newest failure."""
    first, *others = group
    for each in others:
        if each.metric is not None and (
            first.metric is None
            or gain(each.metric, first.metric, lower_is_better=lower_is_better) > 0
        ):
            first = each
    return first


def _moved(trace: Trace, scores: Mapping[str, float | None]) -> bool:
    before = scores.get(trace.parent or "")
    return trace.metric is None or before is None or abs(trace.metric - before) >= _MOVED


def _kind(trace: Trace) -> str:
    """Return a text that is the same for traces which tell the same.

    Failures are alike when their error is, but for numbers and names; others when their plan is.
    """
    if trace.defective:
        said = (trace.why or trace.analysis or trace.tail).strip()
        last = said.rpartition("\n")[2][:_LONGEST]
        return f"failed {_NUMBER.sub('#', _NAME.sub('#', last))}"
    plan = " ".join(trace.plan[: 2 * _LONGEST].lower().split())
    return f"{trace.parent} {_NUMBER.sub('#', plan)}"
