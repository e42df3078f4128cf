"""What runs taught, as the log says now. Asks the log only."""

from collections.abc import Iterator

from ops.errors import Problem
from ops.past.access import Records
from ops.past.runs import meant
from schemas.envelope import Vocabulary
from store.projections import wisdom

IMPORTED = "wisdom-"
"""How the run is called under which an imported entry is recorded; its content's hash follows."""
COLUMNS = ("run", "task", "time", "by", "taught")

_LIST = "flowstone wisdom list"
_LONGEST = 60
_BY = {
    "model": "a model",
    "mechanical": "no model: scores, changes and errors",
    "imported": "import",
}


async def shelf(log: Records) -> wisdom.State:
    """Return all wisdom, with what was withdrawn."""
    state, follows = wisdom.START, wisdom.projection.follows
    async for event in log.recorded(Vocabulary(follows), types=[each.__name__ for each in follows]):
        state = wisdom.projection.apply(state, event)
    return state


def chosen(state: wisdom.State, name: str) -> str:
    """Return the run whose entry a person means by *name*; raises Problem."""
    known = [*state.entries, *state.withdrawn]
    if not known:
        raise Problem("no run has taught anything yet", remedy=f"see `{_LIST}` when one has ended")
    return meant(name, known, _LIST)


def entry(state: wisdom.State, name: str) -> wisdom.Entry:
    """Return the entry that a person means by *name*; raises Problem, also for a withdrawn one."""
    run = chosen(state, name)
    if run in state.withdrawn:
        raise Problem(f"{run} is withdrawn: {state.withdrawn[run].withdrawn}")
    return state.entries[run]


def table(state: wisdom.State) -> Iterator[tuple[object, ...]]:
    """Yield each entry as a row under COLUMNS."""
    for each in state.entries.values():
        yield each.run, each.task, f"{each.time:%F %R}", written_by(each), _words(each)
    for gone in state.withdrawn.values():
        yield gone.run, "", f"{gone.time:%F %R}", "withdrawn", gone.withdrawn


def told(state: wisdom.State, run: str) -> Iterator[str]:
    """Yield the lines that tell all of one entry."""
    if run in state.withdrawn:
        gone = state.withdrawn[run]
        yield f"{run} was withdrawn at {gone.time:%F %R} UTC: {gone.withdrawn}"
        return
    each = state.entries[run]
    yield f"run         {each.run}"
    yield f"task        {each.task}"
    yield f"made        {each.time:%F %R} UTC, by {_BY[written_by(each)]}"
    if each.origin:
        yield f"origin      {each.origin}"
    if each.rests_on:
        yield f"rests on    {', '.join(each.rests_on)}"
    yield f"descriptor  {each.descriptor}"
    yield f"\n## Data\n{each.data_summary}\n\n## Model\n{each.model_summary}"


def written_by(each: wisdom.Entry) -> str:
    """Return in a word how an entry came to be."""
    if each.origin:
        return "imported"
    return "mechanical" if each.mechanical else "model"


def _words(each: wisdom.Entry) -> str:
    text = " ".join(each.model_summary.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
