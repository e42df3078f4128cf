"""Taking back what a run taught: one event in that run, and a look at who has used it. Does I/O."""

from pathlib import Path

from msgspec import Struct

from bus.connection import last_sequence
from ops.errors import Problem
from ops.past.access import LOG, Records
from ops.past.runs import meant, runs
from ops.runs import conduct
from ops.wisdom.shelf import chosen, shelf
from ops.wisdom.speaking import speaking
from ops.wisdom.uses import Followed, Use, Uses
from schemas.envelope import Vocabulary
from schemas.events import WisdomWithdrawn


class Recall(Struct, frozen=True, kw_only=True):
    """What came of a recall.

    `withdrawn` are the runs that were not withdrawn before, `uses` the prompts that carried what
    they taught, `derived` other runs whose wisdom rests on it, `at_work` runs that go on with it.
    """

    run: str
    withdrawn: tuple[str, ...]
    uses: tuple[Use, ...]
    derived: tuple[str, ...]
    at_work: tuple[str, ...]


async def recall(home: Path, url: str | None, name: str, why: str, *, derived: bool) -> Recall:
    """Withdraw all that a run taught; with *derived* also of the runs whose wisdom rests on it.

    Raises Problem when there is no such run.
    """
    _check(home, url)
    async with speaking(home, url) as log:
        known = await runs(log)
        state = await shelf(log)
        names = {each.run: None for each in known} | dict.fromkeys(
            [*state.entries, *state.withdrawn]
        )
        run = meant(name, [*names])
        uses, resting = await _uses(log, {run})
        wanted = [run, *(resting if derived else ())]
        new = [
            each
            for each in wanted
            if each not in state.withdrawn or not state.withdrawn[each].knowledge
        ]
        for each in new:
            reason = why if each == run else f"rests on what {run} taught: {why}"
            await _withdraw(log, each, reason, knowledge=True)
        users = {use.run for use in uses}
        return Recall(
            run=run,
            withdrawn=tuple(new),
            uses=uses,
            derived=tuple(resting),
            at_work=tuple(each.run for each in known if each.run in users and not each.finished),
        )


async def forget(home: Path, url: str | None, names: tuple[str, ...], why: str) -> list[str]:
    """Withdraw single entries and return whose; raises Problem when there is no such entry."""
    _check(home, url)
    async with speaking(home, url) as log:
        state = await shelf(log)
        found = [run for name in names if (run := chosen(state, name)) not in state.withdrawn]
        for run in found:
            await _withdraw(log, run, why, knowledge=False)
    return found


async def _withdraw(log: Records, run: str, why: str, *, knowledge: bool) -> None:
    bus = log.running("withdrawing wisdom")
    said = WisdomWithdrawn(n=await last_sequence(bus), why=why, knowledge=knowledge)
    await conduct.say(bus, run, said)
    await conduct.log_complete(bus)  # whoever asks the log next is told of it


async def _uses(log: Records, of: set[str]) -> tuple[tuple[Use, ...], list[str]]:
    """Return the prompts that carried what these runs taught, and the runs that rest on it."""
    followed, found = Uses(of), list[Use]()
    types = [each.__name__ for each in Followed.__args__]
    async for event in log.recorded(Vocabulary(), types=types):
        found += followed.take(event)
    return tuple(found), sorted(followed.derived)


def _check(home: Path, url: str | None) -> None:
    """Raise Problem where there is nothing to withdraw: no home is made for that."""
    if url is None and not (home / LOG).exists():
        raise Problem("there is no log yet", where=str(home), remedy="start a run first")
