"""Building a prompt's memory: wisdom, knowledge, then experience, within the budget. Pure."""

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from agents.context.scope import in_scope
from agents.context.selection import select
from agents.context.tokens import BYTES_PER_TOKEN, SEPARATOR, Counter, Purse, estimate
from agents.context.wording import cut, described
from agents.prompts import plan
from schemas.events import Action, ContextPart, PhasePlanned, RecalledWisdom, Tier
from schemas.settings import Memory as Settings
from schemas.settings import Scope
from store.projections import experience, knowledge
from store.projections.experience import Trace

Experience = experience.State
Knowledge = knowledge.State


_WISDOM = 600
"""Characters that every piece of wisdom is given, where there is any."""


class Memory(Struct, frozen=True, kw_only=True):
    """What there is to remember: experience, plans and knowledge of this run, wisdom of earlier ones."""

    experience: Experience = experience.START
    plans: tuple[PhasePlanned, ...] = ()
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
    tokens: int = 0


def build(
    memory: Memory,
    *,
    action: Action,
    parent: str | None,
    settings: Settings,
    scope: Scope = "siblings",
    lower_is_better: bool = False,
    count: Counter = estimate,
) -> Context:
    """Return what a prompt for *action* on *parent* remembers, within the budget as *count* counts.

    Wisdom and knowledge come first, being few; the newest plan and lesson first of those. What
    they leave is experience's, and half of the budget at the least.
    """
    asked = _Asked(action, parent, scope, lower_is_better)
    purse = Purse(settings.budget_tokens // 2, count)
    older = [*_bought(_lessons(memory, asked, settings), purse)]
    purse.left += settings.budget_tokens - settings.budget_tokens // 2
    newer = [*_experience(memory, asked, purse)] if "experience" in settings.tiers else []
    pieces = [*older, *newer]
    told = [each.text for each in older if each.tier == "wisdom"]
    units = [each.text for each in older if each.tier != "wisdom"]
    tried = [each.text for each in newer]
    return Context(
        memory=SEPARATOR.join([*reversed(units), *reversed(tried)]),
        wisdom=SEPARATOR.join(told),
        parts=tuple(
            ContextPart(tier=each.tier, reference=each.reference, tokens=each.tokens)
            for each in pieces
        ),
    )


def trajectories(
    traces: Iterable[Trace], budget_tokens: int, count: Counter = estimate
) -> tuple[str, tuple[str, ...]]:
    """Return what traces tell within a budget, the first ones first, and the nodes it rests on."""
    told, purse = dict[str, str](), Purse(budget_tokens, count)
    for trace in traces:
        text = described(trace)
        if purse.buy(text) is not None:
            told[trace.node] = text
    return SEPARATOR.join(told.values()), tuple(told)


class _Asked(Struct, frozen=True):
    action: Action
    parent: str | None
    scope: Scope
    lower_is_better: bool


def _bought(pieces: Iterable[_Piece], purse: Purse) -> Iterator[_Piece]:
    for piece in pieces:
        tokens = purse.buy(piece.text)
        if tokens is not None:
            yield replace(piece, tokens=tokens)


def _lessons(memory: Memory, asked: _Asked, settings: Settings) -> Iterator[_Piece]:
    """Yield wisdom, plans and knowledge, the most telling first; no one may crowd out the others."""
    if asked.action == "debug":
        return
    characters = settings.budget_tokens * BYTES_PER_TOKEN // 4
    if "wisdom" in settings.tiers:
        # Of many, the nearest: a line of each would teach nothing.
        nearest = memory.wisdom[: max(1, characters // _WISDOM)]
        for entry in nearest:
            yield _Piece("wisdom", entry.run, cut(entry.text, max(1, characters // len(nearest))))
    plans = {each.phase: each for each in memory.plans if each.directions}
    units = memory.knowledge.units if "knowledge" in settings.tiers else {}
    for phase in sorted({*units, *(plans if asked.scope == "phase" else ())}, reverse=True):
        if phase in units:
            taught = cut(units[phase].summary, max(1, characters // 2))
            yield _Piece("knowledge", str(phase), f"## What phase {phase} taught\n{taught}")
        if asked.scope == "phase" and phase in plans:
            text = plan.remembered(phase, plans[phase].directions, "")
            yield _Piece("experience", f"plan-{phase}", text)


def _experience(memory: Memory, asked: _Asked, purse: Purse) -> Iterator[_Piece]:
    """Yield the traces in scope that fit, newest first."""
    known = memory.experience
    traces = [
        *in_scope(
            known,
            memory.knowledge,
            scope=asked.scope,
            action=asked.action,
            parent=asked.parent,
        )
    ]
    above = {trace.parent for trace in traces if trace.parent}
    scores = {name: trace.metric for name in above if (trace := known.trace(name))}
    for told in select(traces, scores, lower_is_better=asked.lower_is_better, purse=purse):
        yield _Piece("experience", told.trace.node, told.text, told.tokens)
