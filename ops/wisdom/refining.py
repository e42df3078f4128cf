"""Asking a model once more what runs taught, where none had answered: through the curator. Does I/O."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

import anyio
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from agents import curator
from agents.role import fold
from bus.connection import Bus
from bus.work import follow
from ops.past.access import Records
from ops.runs import conduct
from ops.wisdom.shelf import chosen, shelf
from ops.wisdom.speaking import speaking
from schemas.envelope import Vocabulary, subject_of
from schemas.events import Event, ModelAnswered, ModelAsked, WisdomDistilled
from schemas.settings import Settings
from store.projections.wisdom import Entry

Said = TypeVar("Said", bound=Event)

_ENTRY_SECONDS = 15.0


class Refined(Struct, frozen=True, kw_only=True):
    """What came of one question; `why` is why no model was asked, or why it is still mechanical."""

    run: str
    why: str = ""
    mechanical: bool = False


async def refine(
    home: Path, url: str | None, names: Sequence[str], settings: Settings
) -> AsyncIterator[Refined]:
    """Ask about these runs, or about all whose entry is mechanical, and yield what comes of each.

    Waits for as long as the model takes. Imported entries stay as they are.
    """
    async with speaking(home, url, settings=settings) as log:
        state = await shelf(log)
        wanted = [chosen(state, name) for name in names] or [*state.entries]
        for run in wanted:
            entry = state.entries.get(run)
            if entry is None:
                yield Refined(run=run, why="it is withdrawn")
            elif entry.mechanical and not entry.origin:
                yield await _refined(log, entry, settings)
            elif names:
                why = "it is imported" if entry.origin else "a model wrote it"
                yield Refined(run=run, why=why)


async def _refined(log: Records, entry: Entry, settings: Settings) -> Refined:
    bus, run = log.running("asking a model"), entry.run
    follows = sorted(each.__name__ for each in curator.role.follows | {ModelAsked})
    past = [each async for each in log.recorded(Vocabulary(), run=run, types=follows)]
    question = curator.asked(fold(curator.role, past))
    if question is None:
        return Refined(run=run, why="nothing of it was graded", mechanical=True)
    asked = [each.data for each in past if isinstance(each.data, ModelAsked)]
    tried = [curator.attempt(each.call) for each in asked if each.purpose == question.purpose]
    number = 1 + max(entry.attempt, *tried, 0)
    call = f"{question.call}-{number}"
    await conduct.say(bus, run, replace(question, call=call, options=settings.model))
    answer = await _said(bus, run, ModelAnswered, f"{curator.NAME}.{call}")
    if answer.outcome == "failed":
        return Refined(run=run, why=answer.why, mechanical=True)
    with anyio.move_on_after(_ENTRY_SECONDS):
        await _said(bus, run, WisdomDistilled, str(number))
        await conduct.log_complete(bus)
        return Refined(run=run)
    return Refined(run=run, why="the answer says nothing of models", mechanical=True)


async def _said(bus: Bus, run: str, kind: type[Said], key: str) -> Said:
    """Return the event of this type and key as soon as it is recorded."""
    async with aclosing(follow(bus, [subject_of(kind, run, key)])) as events:
        async for _, envelope in events:
            return msgspec.json.decode(envelope.data, type=kind)
    raise AssertionError("the stream is followed for ever")
