"""The runs in a log: how each stands, and which one a person means. Asks the log only."""

import difflib
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from bus.subjects import SYSTEM
from ops.errors import Problem
from ops.past.access import Records
from ops.view.lines import span
from schemas.events import RunFinished

LAST = "last"
"""What people call the newest run."""

_MANY = 100_000
_RUNS = f"""
with beside as (
    select run, key, data->>'action' as action from events
    where stream = 'public' and type = 'NodeProposed' and coalesce(data->>'step', '') <> ''
)
select run,
    max(seq) as last,
    epoch(min(time)) as began,
    epoch(coalesce(max(time) filter (type = 'RunFinished'),
        max(time) filter (type <> 'WisdomWithdrawn'))) as newest,
    coalesce(max(data->>'task') filter (type = 'RunStarted'), '') as task,
    max((data->>'$.budget.minutes')::double) filter (type = 'RunStarted') as minutes,
    coalesce(sum((data->>'minutes')::double) filter (type = 'RunResumed'), 0) as added,
    count_if(type = 'NodeProposed' and not closing) as nodes,
    count_if(type = 'SolutionGraded' and not closing) as graded,
    min((data->>'metric')::double) filter (type = 'SolutionGraded' and not again) as lowest,
    max((data->>'metric')::double) filter (type = 'SolutionGraded' and not again) as highest,
    coalesce(bool_or((data->>'$.task.lower_is_better')::boolean) filter (type = 'TaskPrepared'),
        false) as lower_is_better,
    coalesce(max(data->>'$.task.metric') filter (type = 'TaskPrepared'), '') as metric,
    case when max(seq) filter (type = 'RunPaused') >
        coalesce(max(seq) filter (type = 'RunResumed'), 0)
        then epoch(max(time) filter (type = 'RunPaused')) end as paused_at,
    max(data) filter (type = 'RunFinished') as finished
from (
    select events.*, beside.key is not null as closing,
        coalesce(beside.action = 'repeat', false) as again
    from events left join beside using (run, key)
    where stream = 'public' and run <> '{SYSTEM}'
)
group by run having count_if(type = 'RunStarted') > 0 order by min(seq)"""  # noqa: S608 - a constant


class Run(Struct, frozen=True, kw_only=True):
    """How a run stands; times in seconds since 1970, `minutes` as budgeted, `added` by resuming.

    `newest` is when it ended, or last did anything; what is said of its wisdom later is no doing.
    """

    run: str
    last: int
    began: float
    newest: float
    task: str
    minutes: float
    added: float
    nodes: int
    graded: int
    lowest: float | None
    highest: float | None
    lower_is_better: bool
    metric: str
    paused_at: float | None
    finished: str | None

    @property
    def best(self) -> float | None:
        """The best score so far, in the end that of the solution which was handed over."""
        if (ending := self.ending) and ending.metric is not None:
            return ending.metric
        return self.lowest if self.lower_is_better else self.highest

    @property
    def ending(self) -> RunFinished | None:
        """How it ended, if it has."""
        return msgspec.json.decode(self.finished, type=RunFinished) if self.finished else None

    def state(self, *, up: bool) -> str:
        """Return how it stands, in words; *up* says whether a system is."""
        if ending := self.ending:
            return f"{'failed' if ending.failed else 'finished'}: {ending.why}"
        if not up:
            return "interrupted"
        return "running" if self.paused_at is None else "paused"

    def used(self, *, up: bool) -> float:
        """Return the seconds it has worked; those between interruption and resuming do not count."""
        until = self.paused_at or self.newest
        if up and not self.finished and self.paused_at is None:
            until = datetime.now(UTC).timestamp()
        return max(0.0, until - self.began - 60 * self.added)


async def runs(log: Records) -> list[Run]:
    """Return every run in the log, oldest first."""
    table = await log.sql(_RUNS, limit=_MANY)
    return [msgspec.convert(dict(zip(table.columns, row, strict=True)), Run) for row in table.rows]


COLUMNS = ("run", "task", "state", "nodes", "graded", "best", "metric", "time", "of")


def row(run: Run, *, up: bool) -> tuple[object, ...]:
    """Return a run as a row under COLUMNS."""
    return (
        run.run,
        run.task,
        run.state(up=up),
        run.nodes,
        run.graded,
        run.best,
        run.metric,
        span(run.used(up=up)),
        span(60 * run.minutes),
    )


async def chosen(log: Records, name: str) -> Run:
    """Return the run that a person means by *name*; raises Problem."""
    known = {each.run: each for each in await runs(log)}
    if not known:
        raise Problem("there are no runs yet", remedy="start one with `flowstone run`")
    return known[meant(name, [*known])]


def meant(name: str, known: Sequence[str], seen_with: str = "flowstone status") -> str:
    """Return the one of *known* (oldest first) with this name, beginning, or being the last.

    Raises Problem naming the nearest, and the command that lists them.
    """
    if name in known:
        return name
    if name == LAST and known:
        return known[-1]
    begun = [each for each in known if each.startswith(name)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise Problem(
            f"{len(begun)} runs begin with {name!r}: {', '.join(begun[:5])}",
            remedy="write more of the name",
        )
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    raise Problem(
        f"there is no run {name!r}" + (f"; did you mean {near[0]}?" if near else ""),
        remedy=f"see them with `{seen_with}`",
    )
