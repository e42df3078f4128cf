"""What is written down of a phase or a run when no model does: scores, changes and errors. Pure."""

from collections.abc import Sequence

from agents import program
from schemas.task import Task
from store.projections.experience import State, Trace
from store.projections.tree import gain

_SCORES, _CHANGES, _ERRORS = 40, 5, 20
_CHANGED_LINES = 8
_LONGEST = 200


def summary(traces: Sequence[Trace], known: State, task: Task) -> str:
    """Return what *traces* came to; the parents they are compared with are in *known*."""
    sound = [each for each in traces if not each.defective]
    broken = [each for each in traces if each.defective]
    lines = [f"{task.metric} of {len(sound)} of {len(traces)} solutions that worked:"]
    lines += [
        f"- {each.node}: {each.metric:g}{_compared(each, known, task)}: {_first_line(each.plan)}"
        for each in sound[:_SCORES]
    ]
    lines += _left_out(sound, _SCORES)
    for each in [each for each in sound if (_gained(each, known, task) or 0.0) > 0][:_CHANGES]:
        parent = known.trace(each.parent or "")
        changed = program.difference(parent.code if parent else "", each.code, _CHANGED_LINES)
        lines += [f"What {each.node} changed:", changed] if changed else []
    if broken:
        lines.append("What failed:")
        lines += [
            f"- {each.node}: {_first_line(each.why or each.analysis)}" for each in broken[:_ERRORS]
        ]
        lines += _left_out(broken, _ERRORS)
    return "\n".join(lines)


def of_a_run(traces: Sequence[Trace], known: State, task: Task) -> str:
    """Return what a whole run came to; *traces* begin with the best, whose program is told, too."""
    text = summary(traces, known, task)
    best = next(iter(traces), None)
    if best is None or best.defective or not best.code.strip():
        return text
    return f"{text}\nThe program of {best.node}:\n{program.told(best.code)}"


def _gained(trace: Trace, known: State, task: Task) -> float | None:
    """Return by how much a solution is better than the one it was made from."""
    parent = known.trace(trace.parent) if trace.parent else None
    if parent is None or parent.metric is None or trace.metric is None:
        return None
    return gain(trace.metric, parent.metric, lower_is_better=task.lower_is_better)


def _compared(trace: Trace, known: State, task: Task) -> str:
    gained = _gained(trace, known, task)
    if gained is None:
        return ""
    if not gained:
        return f", as good as {trace.parent}"
    return f", {abs(gained):.3g} {'better' if gained > 0 else 'worse'} than {trace.parent}"


def _left_out(traces: Sequence[Trace], most: int) -> list[str]:
    return [f"- and {len(traces) - most} more"] if len(traces) > most else []


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")[:_LONGEST]
