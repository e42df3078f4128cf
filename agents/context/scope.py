"""Which traces a prompt may see. Pure.

`siblings` is ML-Master 1.0's scope (arXiv 2506.16499, equations 5 to 7; its released code):
drafts see drafts, improvements their siblings. `phase` is 2.0's first tier (arXiv 2601.10402,
section 3.1): everything up to the first solution, and the open phase; of a closed phase only what
it taught, once that is written down.
"""

from collections.abc import Iterator

from schemas.events import Action
from schemas.settings import Scope
from store.projections import experience, knowledge
from store.projections.experience import Trace


def in_scope(
    known: experience.State,
    taught: knowledge.State,
    *,
    scope: Scope,
    action: Action,
    parent: str | None,
) -> Iterator[Trace]:
    """Yield the judged traces that *action* on *parent* may see, newest first."""
    if action == "debug":
        yield from _chain(known, parent)
    elif scope == "siblings" or action == "draft":
        yield from (each for each in known.children(parent) if each.action == action)
    else:
        for trace in reversed([*known.traces.values()]):
            if trace.node != parent and (not trace.phase or trace.phase not in taught.units):
                yield trace


def _chain(known: experience.State, parent: str | None) -> Iterator[Trace]:
    """Yield the failures that led to *parent*, nearest first; the prompt shows *parent* itself."""
    seen = {parent}
    trace = known.traces.get(parent or "")
    while trace and trace.defective and trace.parent and trace.parent not in seen:
        seen.add(trace.parent)
        trace = known.traces.get(trace.parent)
        if trace and trace.defective:
            yield trace
