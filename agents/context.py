"""The memory part of every prompt: which tiers are read, what fits, and where it came from. Pure.

Scope as in ML-Master 1.0: a draft sees the earlier drafts, an improvement the earlier improvements
of the same parent, a repair its own chain of failures. To these come the knowledge of closed
phases and, except for repairs, the wisdom that was recalled.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from schemas.events import Action, ContextPart, RecalledWisdom, Tier
from schemas.settings import Memory as Settings
from store.projections import experience, knowledge
from store.projections.experience import Trace

Experience = experience.State
Knowledge = knowledge.State

Counter = Callable[[str], int]
"""Returns how many tokens a text has at most."""

_PLAN, _VERDICT, _ERROR = 700, 400, 300
_BYTES_PER_TOKEN = 3
_SEPARATOR = "\n\n"


class Memory(Struct, frozen=True, kw_only=True):
    """What there is to remember: experience and knowledge of this run, wisdom of earlier ones."""

    experience: Experience = experience.START
    knowledge: Knowledge = knowledge.START
    wisdom: tuple[RecalledWisdom, ...] = ()


class Context(Struct, frozen=True, kw_only=True):
    """What a prompt is given to remember, and where each part came from."""

    memory: str
    wisdom: str
    parts: tuple[ContextPart, ...]


class _Piece(Struct, frozen=True):
    tier: Tier
    reference: str
    text: str


def estimate(text: str) -> int:
    """Return a conservative number of tokens: a third of the UTF-8 bytes, rounded up."""
    return -(-len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN)


def build(
    memory: Memory,
    *,
    action: Action,
    parent: str | None,
    settings: Settings,
    count: Counter = estimate,
) -> Context:
    """Return what a prompt for *action* on *parent* remembers, within the budget as *count* counts.

    Of what does not fit, the least telling is left out: wisdom and knowledge are few and come
    first, then the newest experience.
    """
    chosen: list[_Piece] = []
    for piece in _candidates(memory, action, parent, settings):
        if count("".join(_texts([*chosen, piece]))) <= settings.budget_tokens:
            chosen.append(piece)
    text, told = _texts(chosen)
    parts = (
        ContextPart(tier=each.tier, reference=each.reference, tokens=count(each.text))
        for each in chosen
    )
    return Context(memory=text, wisdom=told, parts=tuple(parts))


def trajectories(
    traces: Iterable[Trace], budget_tokens: int, count: Counter = estimate
) -> tuple[str, tuple[str, ...]]:
    """Return what traces tell within a budget, the first ones first, and the nodes it rests on."""
    told, nodes = "", list[str]()
    for trace in traces:
        longer = f"{told}{_SEPARATOR if told else ''}{described(trace)}"
        if count(longer) <= budget_tokens:
            told = longer
            nodes.append(trace.node)
    return told, tuple(nodes)


def described(trace: Trace) -> str:
    """Return what was tried at a node and what came of it, without its program."""
    origin = f"{trace.action} of {trace.parent}" if trace.parent else trace.action
    lines = [f"## {trace.node} ({origin})", f"Plan: {_cut(trace.plan, _PLAN)}"]
    if trace.defective:
        lines.append("It failed; another approach may not.")
        if trace.why or trace.tail:
            lines.append(f"Error: {_end(trace.why or trace.tail, _ERROR)}")
    else:
        lines.append(f"Validation score: {trace.metric:g}")
    if trace.analysis:
        lines.append(f"Result: {_cut(trace.analysis, _VERDICT)}")
    return "\n".join(lines)


def _candidates(
    memory: Memory, action: Action, parent: str | None, settings: Settings
) -> Iterator[_Piece]:
    """Yield what may be remembered, most telling first; no tier may crowd out the others."""
    characters = settings.budget_tokens * _BYTES_PER_TOKEN // 2
    if settings.wisdom and action != "debug":
        for entry in memory.wisdom:
            yield _Piece("wisdom", entry.run, _cut(entry.text, characters // len(memory.wisdom)))
    if settings.knowledge and action != "debug":
        for unit in knowledge.newest_first(memory.knowledge):
            text = f"## What phase {unit.phase} taught\n{_cut(unit.summary, characters // 2)}"
            yield _Piece("knowledge", str(unit.phase), text)
    if settings.experience:
        for trace in _in_scope(memory.experience, action, parent):
            yield _Piece("experience", trace.node, described(trace))


def _in_scope(known: Experience, action: Action, parent: str | None) -> Iterator[Trace]:
    """Yield the traces that *action* on *parent* may see, newest first."""
    if action == "debug":
        yield from _chain(known, parent)
        return
    yield from (trace for trace in known.children(parent) if trace.action == action)


def _chain(known: Experience, parent: str | None) -> Iterator[Trace]:
    """Yield the failures that led to *parent*, nearest first; the prompt shows *parent* itself."""
    seen = {parent}
    trace = known.traces.get(parent or "")
    while trace and trace.defective and trace.parent and trace.parent not in seen:
        seen.add(trace.parent)
        trace = known.traces.get(trace.parent)
        if trace and trace.defective:
            yield trace


def _texts(pieces: Sequence[_Piece]) -> tuple[str, str]:
    """Return the memory and the wisdom: oldest experience first, as a story is told."""
    told = [each.text for each in pieces if each.tier == "wisdom"]
    units = [each.text for each in pieces if each.tier == "knowledge"]
    tried = [each.text for each in pieces if each.tier == "experience"]
    return _SEPARATOR.join([*reversed(units), *reversed(tried)]), _SEPARATOR.join(told)


def _cut(text: str, length: int) -> str:
    text = text.strip()
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _end(text: str, length: int) -> str:
    text = text.strip()
    return text if len(text) <= length else f"…{text[-length + 1 :]}"
