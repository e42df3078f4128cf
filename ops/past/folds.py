"""All folds of a run rebuilt from the log, and compared with what the live tables hold. Asks the log.

Rows are compared by their digests, taken by the log in one statement: of a system that is at work,
the tables are compared with the log up to the event that they rest on.
"""

import hashlib
from collections.abc import Mapping
from time import perf_counter
from typing import Any

import msgspec
from msgspec import Struct

from ops.past.access import Records
from ops.past.difference import apart, short
from ops.recording.live_tables import OF_A_RUN, OF_THE_LOG, encoded
from schemas.envelope import Vocabulary
from store.projections.folds import ACROSS_RUNS
from store.projections.projection import Projection

Rows = Mapping[tuple[str, str], str]
"""By projection and key, the row's JSON, or its digest."""

_MANY = 1_000_000
_TRIES = 3


class Comparison(Struct, frozen=True, kw_only=True):
    """What a rebuilding found; `difference` is empty when all rows are the same."""

    events: int
    rows: int
    seconds: float
    difference: str


class Rebuilding:
    """The folds of one run and those across runs, each up to its own event."""

    def __init__(self, run: str, until: Mapping[str, int]) -> None:
        self._run = run
        self._until = until
        self._states = {each.name: each.start for each in (*OF_A_RUN, *OF_THE_LOG)}
        self._followers: dict[type, list[Projection[Any]]] = {}
        for projection in (*OF_A_RUN, *OF_THE_LOG):
            for kind in projection.follows:
                self._followers.setdefault(kind, []).append(projection)

    @property
    def types(self) -> list[str]:
        """The names of the types that any fold follows."""
        return sorted(kind.__name__ for kind in self._followers)

    def take(self, event: Any) -> None:
        """Fold the next event of the log."""
        for projection in self._followers.get(type(event.data), ()):
            mine = projection.across_runs or event.run == self._run
            if mine and event.seq <= self._until.get(projection.name, event.seq):
                before = self._states[projection.name]
                self._states[projection.name] = projection.apply(before, event)

    @property
    def rows(self) -> Rows:
        """What the tables should hold."""
        return {
            (projection.name, key): row
            for projection in (*OF_A_RUN, *OF_THE_LOG)
            for key, row in encoded(projection.rows(self._states[projection.name])).items()
        }


async def compare(log: Records, run: str) -> Comparison:
    """Rebuild the folds of *run* and compare them row by row with the live tables."""
    tries = _TRIES if log.bus else 1
    while True:
        tries -= 1
        found = await _compare(log, run)
        if not tries or not found.difference:
            return found


async def _compare(log: Records, run: str) -> Comparison:
    live, until = await _live(log, run)
    started = perf_counter()
    rebuilding = Rebuilding(run, until if log.bus else {})
    events = 0
    # Runs are read apart: what folds across runs follow is little of a log.
    for wanted, projections in ((run, OF_A_RUN), (None, OF_THE_LOG)):
        types = {kind.__name__ for each in projections for kind in each.follows}
        async for event in log.recorded(Vocabulary(), run=wanted, types=types):
            rebuilding.take(event)
            events += 1
    rebuilt = rebuilding.rows
    return Comparison(
        events=events,
        rows=len(rebuilt),
        seconds=perf_counter() - started,
        difference=await _difference(log, run, live, rebuilt),
    )


async def _live(log: Records, run: str) -> tuple[Rows, Mapping[str, int]]:
    """Return the digest of every live row, and the event that each table rests on."""
    found = await log.sql(
        "select projection, run, key, seq, md5(data) from projections "  # noqa: S608 - quoted
        f"where run in ({_quoted(run)}, {_quoted(ACROSS_RUNS)})",
        limit=_MANY,
    )
    rests: dict[str, int] = {}
    newest = {run: 0, ACROSS_RUNS: 0}
    for projection, scope, _, seq, _ in found.rows:
        rests[projection] = max(seq, rests.get(projection, 0))
        newest[scope] = max(seq, newest[scope])
    # A table without rows had none either when its neighbours were written last.
    until = {each.name: rests.get(each.name, newest[run]) for each in OF_A_RUN}
    until |= {each.name: rests.get(each.name, newest[ACROSS_RUNS]) for each in OF_THE_LOG}
    return {(projection, key): digest for projection, _, key, _, digest in found.rows}, until


async def _difference(log: Records, run: str, live: Rows, rebuilt: Rows) -> str:
    """Return the first difference in words, or nothing."""
    for name in sorted(live.keys() | rebuilt.keys()):
        row = rebuilt.get(name)
        digest = hashlib.md5(row.encode(), usedforsecurity=False).hexdigest() if row else None
        if live.get(name) == digest:
            continue
        where = f"{name[0]} {name[1]}"
        if row is None:
            return f"{where}: the live table has a row that the log does not give"
        if name not in live:
            return f"{where}: the log gives a row that the live table lacks: {short(row)}"
        table = await log.sql(
            f"select data from projections where projection = {_quoted(name[0])} "  # noqa: S608 - quoted
            f"and key = {_quoted(name[1])} and run in ({_quoted(run)}, {_quoted(ACROSS_RUNS)})"
        )
        held = table.rows[0][0] if table.rows else "null"
        place, one, other = apart(msgspec.json.decode(held), msgspec.json.decode(row))
        return f"{where}: {place} is {one} in the live table, {other} by the log"
    return ""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
