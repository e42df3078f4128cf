"""Live tables that were lost, as after a restore from a checkpoint, come back from the log alone."""

from pathlib import Path

import msgspec
import pytest

from ops.past.lines import Kept
from ops.recording.live_tables import LiveTables
from schemas.envelope import Vocabulary
from store.log import Log
from store.tables import Tables

GOLDEN = Path(__file__).parent / "logs" / "wine.jsonl"


@pytest.mark.parametrize("lost", [True, False], ids=["all rows are lost", "all are out of date"])
def test_tables_behind_the_log_are_written_again(tmp_path: Path, *, lost: bool) -> None:
    decode = msgspec.json.Decoder(Kept).decode
    events = [decode(line) for line in GOLDEN.read_text().splitlines()]
    run, last = events[-1].run, events[-1].seq
    taken = events if lost else events[: len(events) // 2]
    with Log.open(tmp_path / "log.duckdb") as log:
        log.append([(event.seq, event) for event in events])
        expected = _told(log, events, run)
        Tables(log).clear()
        if not lost:
            _told(log, taken, run)

        tables = LiveTables(log, Vocabulary())
        behind = tables.behind()
        for scope, seq in behind.items():
            tables.restore(scope, seq)

        assert behind == {run: last, "": last}
        assert {name: Tables(log).read(name, run) for name in expected} == expected
        assert LiveTables(log, Vocabulary()).behind().keys() <= {""}


def _told(log: Log, events: list[Kept], run: str) -> dict[str, dict[str, str]]:
    """Return what live tables say of a run after *events*."""
    tables = LiveTables(log, Vocabulary())
    tables.take(Vocabulary().read(event, event.seq) for event in events)
    tables.write()
    return {name: Tables(log).read(name, run) for name in ("tree", "experience", "ledger")}
