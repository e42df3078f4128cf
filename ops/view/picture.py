"""How a run looks on a terminal at one moment. Pure: a state, a time and a width make a picture."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ops.view.lines import counted, score, span
from ops.view.state import State

BLOCKS = "▁▂▃▄▅▆▇█"
ROLES = ("planner", "coder", "executor", "grader", "curator")

_COLOURS = {"running": "cyan", "grading": "cyan", "good": "green", "buggy": "red"}
_LONGEST_BAR = 30
_THOUSAND = 1000

Line = tuple[datetime, str]


def render(state: State, recent: Sequence[Line], now: datetime, width: int) -> RenderableType:
    """Return the picture of *state* at *now*; *recent* are the latest lines with their times."""
    return Group(
        _title(state),
        _budget(state, now, width),
        Text(),
        _progress(state, now, width),
        Text(),
        _actors(state, now),
        Text(),
        _recent(state, recent),
    )


def sparkline(values: Sequence[float], width: int) -> str:
    """Return *values* as at most *width* blocks, lowest to highest, spread over the width."""
    if not values or width < 1:
        return ""
    low, high = min(values), max(values)
    last = len(values) - 1
    steps = [values[round(at * last / max(width - 1, 1))] for at in range(width)]
    if high == low:
        return BLOCKS[0] * width
    top = len(BLOCKS) - 1
    return "".join(BLOCKS[round((each - low) / (high - low) * top)] for each in steps)


def elapsed(state: State, moment: datetime) -> float:
    """Return the seconds between the run's start and *moment*."""
    return (moment - state.started.time).total_seconds() if state.started else 0.0


def _title(state: State) -> Text:
    if state.started is None:
        return Text("waiting for the run to start", "dim")
    text = Text(overflow="ellipsis", no_wrap=True)
    title = state.prepared.task.title if state.prepared else state.started.data.task
    text.append(title, "bold")
    if state.finished:
        text.append("  finished", "green" if not state.finished.data.failed else "red")
    elif state.paused:
        text.append("  paused", "yellow")
    elif state.closing:
        text.append("  closing", "cyan")
    text.append(f"  {state.started.run}", "dim")
    return text


def _budget(state: State, now: datetime, width: int) -> RenderableType:
    """Return a bar for each budget: time, nodes, money."""
    if state.started is None:
        return Text()
    budget = state.started.data.budget
    spent = elapsed(state, state.finished.time if state.finished else now)
    seconds = state.ledger.minutes * 60
    grid = _grid(3)
    bar = min(_LONGEST_BAR, max(6, width - 32))
    grid.add_row("time", _bar(spent, seconds, bar), f"{span(spent)} of {span(seconds)}")
    made = state.tree.proposed
    grid.add_row("nodes", _bar(made, budget.nodes, bar), f"{made} of {budget.nodes}")
    paid = state.ledger.usd
    if budget.usd is not None:
        grid.add_row("money", _bar(paid, budget.usd, bar), f"${paid:.2f} of ${budget.usd:.2f}")
    elif state.priced:
        grid.add_row("money", Text(), f"${paid:.2f}")
    return grid


def _progress(state: State, now: datetime, width: int) -> RenderableType:
    grid = _grid(2)
    grid.add_row("best", _best(state, now, width))
    stages = Text()
    for stage, count in state.counts().items():
        if count:
            stages.append(", " if stages else "")
            stages.append(f"{count} {stage}", _COLOURS.get(stage, ""))
    grid.add_row("nodes", stages or Text("none yet", "dim"))
    grid.add_row("tokens", _tokens(state))
    return grid


def _tokens(state: State) -> str:
    accounts = [*state.ledger.accounts.values()]
    taken = sum(each.input_tokens for each in accounts)
    given = sum(each.output_tokens for each in accounts)
    failures = sum(each.failed_calls for each in accounts)
    failed = f", {failures} failed" if failures else ""
    calls = counted(sum(each.calls for each in accounts), "call")
    return f"{_count(taken)} in, {_count(given)} out, {calls}{failed}"


def _best(state: State, now: datetime, width: int) -> Text:
    best = state.best
    if best is None:
        return Text("no valid score yet", "dim")
    direction = "lower is better" if state.tree.lower_is_better else "higher is better"
    metric = state.prepared.task.metric if state.prepared else "score"
    text = Text(f"{score(best.metric)}", "bold green").append(f" by {best.node}", "default")
    text.append(f"  {metric}, {direction}", "dim not bold")
    if len(state.bests) > 1:
        until = state.finished.time if state.finished else now
        curve = sparkline(_over_time(state, until), min(48, width - 10))
        text.append(f"\n{curve}", "green not bold")
    return text


def _over_time(state: State, until: datetime, steps: int = 96) -> list[float]:
    """Return the best score at equal steps between the first score and *until*."""
    first = state.bests[0].time
    step = max((until - first) / steps, timedelta(microseconds=1))
    values, at = [], 0
    for number in range(1, steps + 1):
        while at + 1 < len(state.bests) and state.bests[at + 1].time <= first + step * number:
            at += 1
        values.append(state.bests[at].metric)
    return values


def _actors(state: State, now: datetime) -> RenderableType:
    grid = _grid(2)
    others = sorted({each.role for each in state.actors.actors.values()} - {*ROLES})
    for role in (*ROLES, *others):
        now_doing = [each for each in state.doing.values() if each.role == role]
        if state.is_away(role) and not state.finished:
            grid.add_row(role, Text("starts again", "yellow"))
        elif now_doing:
            since = [(each.what, span((now - each.since).total_seconds())) for each in now_doing]
            grid.add_row(role, ", ".join(f"{what} {time}" for what, time in since))
        else:
            grid.add_row(role, Text("waits", "dim"))
    return grid


def _recent(state: State, recent: Sequence[Line]) -> RenderableType:
    grid = _grid(2)
    for time, text in recent:
        shown = Text(text, overflow="ellipsis", no_wrap=True)
        shown.highlight_regex(r"the best so far", "green")
        shown.highlight_regex(r"failed|gave up|no program", "red")
        grid.add_row(Text(span(elapsed(state, time)), "dim"), shown)
    return grid


def _grid(columns: int) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    for _ in range(columns - 1):
        grid.add_column(overflow="fold")
    return grid


def _bar(done: float, total: float, width: int) -> ProgressBar:
    return ProgressBar(total=max(total, 1e-9), completed=min(done, total), width=width)


def _count(tokens: int) -> str:
    return str(tokens) if tokens < _THOUSAND else f"{tokens / _THOUSAND:.1f}k"
