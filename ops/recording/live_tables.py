"""What the folds say now, beside the log for SQL, rewritten where it changed. Writes the log file."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from schemas.envelope import Recorded, Vocabulary
from store.log import Log
from store.projections import PROJECTIONS
from store.projections.folds import ACROSS_RUNS, Folds
from store.tables import Tables

_encode = msgspec.json.Encoder(enc_hook=str, order="deterministic").encode

OF_A_RUN = tuple(each for each in PROJECTIONS.values() if not each.across_runs)
OF_THE_LOG = tuple(each for each in PROJECTIONS.values() if each.across_runs)
_FOLDED = frozenset(kind.__name__ for each in OF_A_RUN for kind in each.follows)
"""The types by which a run's own folds change; of a run without any there are no tables."""


def encoded(rows: Mapping[str, Struct]) -> dict[str, str]:
    """Return rows as the live tables hold them."""
    return {key: _encode(row).decode() for key, row in rows.items()}


class LiveTables:
    """The folds of the runs that something happens in, and their tables."""

    def __init__(self, log: Log, vocabulary: Vocabulary) -> None:
        self._log = log
        self._vocabulary = vocabulary
        self._tables = Tables(log)
        self._folds: dict[str, Folds] = {}
        self._written: dict[tuple[str, str], Mapping[str, Struct]] = {}
        self._changed: dict[str, int] = {}

    def take(self, events: Iterable[Recorded[Any]]) -> None:
        """Fold events that the log holds already; a run new to us is folded from its beginning."""
        for event in events:
            for scope in (event.run, ACROSS_RUNS):
                if scope in self._folds:
                    self._folds[scope].apply(event)
                elif scope == ACROSS_RUNS or event.type in _FOLDED:
                    self._folds[scope] = self._rebuilt(scope, event.seq)
                else:
                    continue
                self._changed[scope] = event.seq

    def state(self, projection: str, run: str) -> Any:
        """Return the state of a projection in *run*."""
        folds = self._folds.get(run)
        return folds.state(projection, run) if folds else PROJECTIONS[projection].start

    def write(self) -> None:
        """Bring the tables up to date with what was taken since the last time."""
        changed, self._changed = self._changed, {}
        for scope, seq in changed.items():
            for projection in OF_THE_LOG if scope == ACROSS_RUNS else OF_A_RUN:
                state = self._folds[scope].state(projection.name, scope)
                rows = dict(projection.rows(state))
                before = self._written.get((projection.name, scope))
                if before is None:
                    before = {}
                    stale = self._tables.read(projection.name, scope).keys() - rows.keys()
                else:
                    stale = before.keys() - rows.keys()
                new = {key: row for key, row in rows.items() if before.get(key) is not row}
                self._tables.write(
                    projection.name, scope, {**encoded(new), **dict.fromkeys(stale)}, seq
                )
                self._written[projection.name, scope] = rows

    def behind(self) -> dict[str, int]:
        """Return the runs whose tables are older than their newest event, with that event's seq."""
        newest = {span.run: span.last for span in self._log.runs(having=_FOLDED)} | {
            ACROSS_RUNS: self._log.head()
        }
        return {scope: seq for scope, seq in newest.items() if self._tables.head(scope) < seq}

    def restore(self, scope: str, seq: int) -> None:
        """Write the tables of a run that nothing may happen in any more, as of the event *seq*."""
        if scope in self._folds:
            return
        folds = self._rebuilt(scope, seq)
        for projection in OF_THE_LOG if scope == ACROSS_RUNS else OF_A_RUN:
            rows = encoded(projection.rows(folds.state(projection.name, scope)))
            gone = self._tables.read(projection.name, scope).keys() - rows.keys()
            self._tables.write(projection.name, scope, {**rows, **dict.fromkeys(gone)}, seq)

    def _rebuilt(self, scope: str, until: int) -> Folds:
        projections = OF_THE_LOG if scope == ACROSS_RUNS else OF_A_RUN
        folds = Folds(projections)
        types = {kind.__name__ for each in projections for kind in each.follows}
        run = None if scope == ACROSS_RUNS else scope
        for event in self._log.facts(self._vocabulary, run=run, types=types, until=until):
            folds.apply(event)
        return folds
