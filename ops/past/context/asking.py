"""`flowstone context` from the inside: what prompts were given, and would have been. Asks the log only."""

from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any

from agents import recall
from ops.errors import Problem
from ops.past.access import Records
from ops.past.context.policy import PHASES, changed
from ops.past.context.rebuilding import FOLLOWED, Call, Compared, Policy, Questions, Rebuilding
from ops.past.context.tiers import Counting, Lengths, Point
from schemas.envelope import Recorded, Vocabulary
from schemas.events import (
    Event,
    KnowledgeRefined,
    ModelAsked,
    NodeProposed,
    RecalledWisdom,
    RunStarted,
    TaskPrepared,
    WisdomDistilled,
    WisdomRecalled,
    WisdomWithdrawn,
)
from schemas.settings import Memory
from store.projections import wisdom


async def compared(log: Records, run: str, values: Mapping[str, Any]) -> Compared:
    """Rebuild every prompt of *run* with *values* set otherwise; raises Problem."""
    recorded = (await _started(log, run)).settings
    settings = changed(recorded, values)
    questions = Questions()
    async for event in _read(log, run, {ModelAsked, NodeProposed}):
        questions.take(event)
    wisdom = await _recalled(log, run, recorded.memory, settings.memory)
    mechanical = not [each async for each in _read(log, run, {KnowledgeRefined})]
    other = Policy(settings=settings, wisdom=wisdom, mechanical=mechanical)
    rebuilding = Rebuilding(questions.found, other)
    calls = list[Call]()
    async for event in _read(log, run, FOLLOWED):
        calls += rebuilding.take(event)
    calls += rebuilding.finish()
    return Compared(run=run, then=recorded.memory, now=settings.memory, calls=calls)


async def in_tiers(log: Records, run: str, values: Mapping[str, Any]) -> list[Point]:
    """Return the length of the run's context after each event: everything raw, and in tiers.

    A run without lessons gets mechanical ones; its phases turn by count.
    """
    recorded = (await _started(log, run)).settings
    search = changed(recorded, values, also=(PHASES,)).search
    taught = [each async for each in _read(log, run, {KnowledgeRefined})]
    if taught and PHASES in values:
        remedy = f"leave {PHASES} as it is"
        raise Problem("phases with lessons are as they were", where=run, remedy=remedy)
    counting, lengths = Counting(search.phase_nodes), Lengths()
    points = list[Point]()
    async for event in _read(log, run):
        points += map(lengths.take, [event] if taught else counting.take(event))
    return points


async def _started(log: Records, run: str) -> RunStarted:
    async for event in _read(log, run, {RunStarted}):
        return event.data  # type: ignore[no-any-return]
    raise Problem("the log does not say how it began", where=run)


async def _recalled(
    log: Records, run: str, then: Memory, now: Memory
) -> tuple[RecalledWisdom, ...] | None:
    """Return what *now* would have recalled; None where that is what was."""
    fields = ("recall_threshold", "recall_limit", "allow_same_task", "same_task_similarity")
    recalls = [
        ("wisdom" in each.tiers, *(getattr(each, name) for name in fields)) for each in (then, now)
    ]
    if recalls[0] == recalls[1] or "wisdom" not in now.tiers:
        return None
    prepared, until = None, 0
    async for event in _read(log, run, {TaskPrepared, WisdomRecalled}):
        prepared = event.data if isinstance(event.data, TaskPrepared) else prepared
        until = event.seq
    if prepared is None:
        return None
    known = wisdom.START
    async for event in _read(log, None, {WisdomDistilled, WisdomWithdrawn}):
        known = wisdom.apply(known, event) if event.seq < until else known
    return recall.recalled(prepared, run, known.entries.values(), now).entries


async def _read(
    log: Records, run: str | None, types: Collection[type[Event]] = ()
) -> AsyncIterator[Recorded[Any]]:
    names = [each.__name__ for each in types]
    async for event in log.recorded(Vocabulary(), run=run, types=names):
        yield event
