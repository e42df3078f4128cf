"""`flowstone replay` from the inside: rebuilds, looks back, decides again. Asks the log only."""

from collections.abc import Iterator
from time import perf_counter

from agents.role import discover
from ops.errors import Problem
from ops.past import folds
from ops.past.access import Records
from ops.past.decisions import Difference, Outline, Review
from ops.past.moment import Moment
from schemas.envelope import Vocabulary


async def rebuild(log: Records, run: str) -> str:
    """Compare the folds of *run* with the live tables; raises Problem at the first difference."""
    found = await folds.compare(log, run)
    if found.difference:
        raise Problem(found.difference, where=run)
    return (
        f"{run}: identical: {found.rows} rows of the live tables rebuilt from {found.events} events "
        f"({_rate(found.events, found.seconds)})"
    )


async def moment(log: Records, run: str, at: int) -> Iterator[str]:
    """Return the lines that tell how *run* stood after the event *at*."""
    then = Moment(run)
    async for event in log.recorded(Vocabulary(), run=run, until=at):
        then.take(event)
    return then.lines()


async def decide_again(log: Records, run: str) -> tuple[str, list[Difference]]:
    """Make every recorded decision of *run* again; return what to say of it, and what differs."""
    roles = [*discover()]
    vocabulary = Vocabulary().extended(kind for role in roles for kind in role.types)
    started, events = perf_counter(), 0
    outline = Outline(roles)
    async for event in log.recorded(vocabulary, run=run):
        outline.take(event)
        events = event.seq
    review = Review(outline)
    found = list[Difference]()
    count = 0
    # What was recorded since the first look is left for another time.
    async for event in log.recorded(vocabulary, run=run, until=events):
        count += 1
        found += review.take(event)
    found += review.finish()
    made = ", ".join(f"{number} of {role}" for role, number in sorted(review.decided.items()))
    rate = _rate(count, perf_counter() - started)
    if found:
        return (
            f"{run}: {len(found)} decisions come out otherwise, the same: {made or 'none'}",
            found,
        )
    return f"{run}: identical: decided again {made or 'nothing'} ({rate})", found


def _rate(events: int, seconds: float) -> str:
    return f"{events / max(seconds, 1e-6):,.0f} events/s".replace(",", " ")
