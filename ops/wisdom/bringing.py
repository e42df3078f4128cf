"""Bringing wisdom in: pairs out of folders and files, lines of other homes, past runs. Does I/O."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from agents import curator
from agents.role import fold
from ops.errors import Problem
from ops.past.access import Records
from ops.past.runs import chosen
from ops.runs import conduct
from ops.wisdom import lines, pairs
from ops.wisdom.lines import Line
from ops.wisdom.pairs import Pair
from ops.wisdom.shelf import shelf
from ops.wisdom.speaking import speaking
from schemas.envelope import Vocabulary
from schemas.events import WisdomDistilled
from store.projections import wisdom


class Brought(Struct, frozen=True, kw_only=True):
    """What came of it: the runs that entries were recorded under, and how many were known."""

    new: tuple[str, ...]
    known: int
    skipped: tuple[str, ...]


async def bring(
    home: Path, url: str | None, sources: Sequence[Path], names: Sequence[str]
) -> Brought:
    """Record what *sources* and the past runs of these names teach, each once for ever.

    Raises Problem for what cannot be read; nothing is recorded then.
    """
    read = [each for source in sources for each in _read(source)]
    skipped = tuple(each for each in read if isinstance(each, str))
    found = [each for each in read if not isinstance(each, str)]
    if not found and not names:
        raise Problem(
            "; ".join(skipped[:1]) or "there is nothing in it",
            where=", ".join(map(str, sources)),
            remedy=f"give folders NAME/{pairs.DESCRIPTIONS[0]} with NAME/{pairs.SOLUTION}, or lines"
            " of `flowstone wisdom export`",
        )
    async with speaking(home, url) as log:
        state = await shelf(log)
        entries = {
            **{_name(each): _entry(each) for each in found if not _is_known(each, state)},
            **dict([each for name in names if (each := await _of_run(log, name, state))]),
        }
        bus = log.running("importing wisdom")
        new = [run for run, entry in entries.items() if await conduct.say(bus, run, entry)]
        await conduct.log_complete(bus)
    return Brought(new=tuple(new), known=len(found) + len(names) - len(new), skipped=skipped)


def _read(source: Path) -> Iterator[Pair | Line | str]:
    """Yield what a folder or a file holds; raises Problem."""
    try:
        if source.is_dir():
            yield from pairs.pairs(source)
        else:
            yield from lines.read(source.read_text(encoding="utf-8").splitlines())
    except OSError as error:
        what = error.strerror or str(error)
        raise Problem(what, where=str(source), remedy="name a folder or a file") from None
    except ValueError as error:
        remedy = "give lines as `flowstone wisdom export` writes them, or with task, description, solution"
        raise Problem(str(error), where=str(source), remedy=remedy) from None


def _name(found: Pair | Line) -> str:
    return found.run if isinstance(found, Pair) else found.name


def _entry(found: Pair | Line) -> WisdomDistilled:
    return pairs.wisdom_of(found) if isinstance(found, Pair) else lines.wisdom_of(found)


def _is_known(found: Pair | Line, state: wisdom.State) -> bool:
    """Return whether the log has it, withdrawn or not, or has the run that a line was made from."""
    names = {_name(found)} | ({found.run} if isinstance(found, Line) else set())
    return not names.isdisjoint({*state.entries, *state.withdrawn})


async def _of_run(
    log: Records, name: str, state: wisdom.State
) -> tuple[str, WisdomDistilled] | None:
    """Return what a past run taught, put together without a model; None where that is known."""
    run = await chosen(log, name)
    if run.ending is None:
        raise Problem(
            f"{run.run} has not ended", remedy=f"go on with it: flowstone resume {run.run}"
        )
    if run.run in state.entries or run.run in state.withdrawn:
        return None
    follows = sorted(each.__name__ for each in curator.role.follows)
    past = [each async for each in log.recorded(Vocabulary(), run=run.run, types=follows)]
    entry = curator.distilled(fold(curator.role, past))
    if entry is None:
        raise Problem(f"no solution of {run.run} was graded: it teaches nothing")
    return run.run, entry
