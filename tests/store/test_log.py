"""The log keeps every event once, in order, byte for byte, and notices any change."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from schemas.envelope import Envelope, Unknown, Unreadable, Vocabulary
from schemas.events import ALL, Event
from store.chain import COLUMNS
from store.failures import LogConflict, LogUnavailable
from store.log import Log
from store.query import query
from tests.store.envelopes import batch, envelopes, histories, numbered

LAW = settings(max_examples=15, deadline=None)


def same(left: Envelope, right: Envelope) -> bool:
    """Compare by what is kept, the data byte for byte."""
    return replace(left, data=Raw(b"0")) == replace(right, data=Raw(b"0")) and bytes(
        left.data
    ) == bytes(right.data)


@LAW
@given(histories, st.data())
def test_what_goes_in_comes_out_byte_for_byte_in_order(
    history: list[tuple[int, Envelope]], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(history)))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "log.duckdb"
        with Log.open(path) as log:
            assert log.append(history[:cut]) == cut
            assert log.append(history[cut:]) == len(history) - cut
            before = log.position()
        with Log.open(path) as log:
            assert log.position() == before
            found = list(log.read())
            assert [seq for seq, _ in found] == [seq for seq, _ in history]
            assert all(
                same(kept, sent) for (_, kept), (_, sent) in zip(found, history, strict=True)
            )
            assert log.verify() is None


@LAW
@given(histories, st.data())
def test_appending_any_prefix_again_changes_nothing(
    history: list[tuple[int, Envelope]], data: st.DataObject
) -> None:
    prefix = history[: data.draw(st.integers(0, len(history)))]
    with TemporaryDirectory() as folder, Log.open(Path(folder) / "log.duckdb") as log:
        log.append(history)
        before = log.position()
        assert log.append(prefix) == 0
        assert log.position() == before
        assert len(list(log.read())) == len(history)


_CHANGES = {
    "stream": "'private'",
    "seq": "seq + 1000",
    "id": "uuid()",
    "cause": "uuid()",
    "time": "time + interval 1 microsecond",
    "seen": "seen + 1",
    "schema": "schema + 1",
    "hash": "from_hex('00')",
}


@LAW
@given(st.lists(envelopes(), min_size=1, max_size=6), st.data())
def test_any_change_to_any_stored_event_is_found(
    events: list[Envelope], data: st.DataObject
) -> None:
    column = data.draw(st.sampled_from([*COLUMNS, "hash"]))
    seq = data.draw(st.integers(1, len(events)))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "log.duckdb"
        with Log.open(path) as log:
            log.append(list(enumerate(events, 1)))
            held = (
                log.cursor()
                .execute(f"select {column} from events where seq = ?", [seq])  # noqa: S608 - our names
                .fetchone()
            )
        assert held
        change = _CHANGES.get(column)
        if change is None:
            at = data.draw(st.integers(0, max(len(held[0]) - 1, 0)))
            change = f"'{_flipped(held[0], at)}'"
        with duckdb.connect(path) as tampering:
            tampering.execute(f"update events set {column} = {change} where seq = ?", [seq])  # noqa: S608
        with Log.open(path) as log:
            broken = log.verify()
        assert broken is not None


def _flipped(text: str, at: int) -> str:
    """Return *text* with one character changed, quoted for SQL."""
    changed = text[:at] + ("#" if text[at : at + 1] != "#" else "!") + text[at + 1 :]
    return changed.replace("'", "''")


def test_the_first_broken_event_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log.duckdb"
    with Log.open(path) as log:
        log.append(batch(1, 5, run="a"))
        log.append(batch(6, 9, run="b"))
    with duckdb.connect(path) as tampering:
        tampering.execute("update events set data = '{}' where seq = 7")
    with Log.open(path) as log:
        broken = log.verify()
    assert broken is not None
    assert (broken.run, broken.seq) == ("b", 7)


def test_a_removed_event_is_found(tmp_path: Path) -> None:
    path = tmp_path / "log.duckdb"
    with Log.open(path) as log:
        log.append(batch(1, 5))
    with duckdb.connect(path) as tampering:
        tampering.execute("delete from events where seq = 3")
    with Log.open(path) as log:
        broken = log.verify()
    assert broken is not None
    assert broken.seq == 4


def test_another_event_at_a_recorded_place_is_a_conflict(tmp_path: Path) -> None:
    with Log.open(tmp_path / "log.duckdb") as log:
        log.append(batch(1, 3))
        with pytest.raises(LogConflict, match="public event 2"):
            log.append([(2, numbered(9)), (4, numbered(4))])
        assert log.head() == 3


def test_an_event_that_would_not_come_back_is_refused_whole(tmp_path: Path) -> None:
    with Log.open(tmp_path / "log.duckdb") as log:
        for bad in (
            replace(numbered(2), data=Raw(b'"\xff"')),
            replace(numbered(2), seen=2**63),
            replace(numbered(2), run="other"),
        ):
            with pytest.raises(Unreadable, match="public event 2"):
                log.append([(1, numbered(1)), (2, bad)])
        assert log.head() == 0


def test_streams_and_runs_keep_their_own_order(tmp_path: Path) -> None:
    with Log.open(tmp_path / "log.duckdb") as log:
        log.append(batch(1, 3, run="a"))
        log.append([(1, numbered(1, run="a", stream="private"))], "private")
        log.append(batch(4, 5, run="b"))
        assert (log.head(), log.head("private")) == (5, 1)
        assert [envelope.private for _, envelope in log.read(stream="private")] == [True]
        assert [seq for seq, _ in log.read(run="a", after=1)] == [2, 3]
        assert [seq for seq, _ in log.read(until=4, limit=2, after=1)] == [2, 3]
        assert [seq for seq, _ in log.read(types={"Nothing"})] == []
        assert [(span.run, span.first, span.last, span.events) for span in log.runs()] == [
            ("a", 1, 3, 3),
            ("b", 4, 5, 2),
        ]
        assert log.verify() is None


@LAW
@given(st.lists(st.one_of(envelopes(), st.sampled_from(batch(1, 4)).map(lambda each: each[1]))))
def test_folds_are_given_what_the_vocabulary_reads(events: list[Envelope]) -> None:
    class Written(Event, frozen=True, kw_only=True):
        node: str = ""

    Written.__name__ = "SolutionWritten"
    vocabulary = Vocabulary([*(each for each in ALL if each.__name__ != Written.__name__), Written])
    with TemporaryDirectory() as folder, Log.open(Path(folder) / "log.duckdb") as log:
        log.append(list(enumerate(events, 1)))
        expected = [vocabulary.read(envelope, seq) for seq, envelope in log.read()]
        found = list(log.recorded(vocabulary))
    for left, right in zip(found, expected, strict=True):
        if isinstance(right.data, Unknown):
            assert isinstance(left.data, Unknown)
            assert bytes(left.data.data) == bytes(right.data.data)
            left, right = replace(left, data=None), replace(right, data=None)  # noqa: PLW2901
        assert left == right


def test_two_writers_are_one_too_many(
    tmp_path: Path, in_a_subprocess: Callable[[str], str]
) -> None:
    path = tmp_path / "log.duckdb"
    with Log.open(path):
        said = in_a_subprocess(
            "from pathlib import Path; from store.log import Log; from store.failures import *\n"
            f"try: Log.open(Path({str(path)!r}))\n"
            "except LogUnavailable as error: print(error)"
        )
    assert "is in use by another process" in said


def test_a_log_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(LogUnavailable, match="there is no log yet"):
        Log.open(tmp_path / "log.duckdb", read_only=True)


def test_a_closed_log_reads_without_writing(tmp_path: Path) -> None:
    path = tmp_path / "log.duckdb"
    with Log.open(path) as log:
        log.append(batch(1, 3))
    with Log.open(path, read_only=True) as log:
        assert len(list(log.read())) == 3
        with pytest.raises(LogUnavailable, match="cannot be written"):
            log.append(batch(4, 4))


def test_everything_but_events_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "log.duckdb"
    with Log.open(path) as log:
        log.append(batch(1, 3))
    with duckdb.connect(path) as dropping:
        for view in ("nodes", "experience", "knowledge", "wisdom", "ledger", "actors"):
            dropping.execute(f"drop view {view}")
        dropping.execute("drop table meta")
        dropping.execute("drop table projections")
    with Log.open(path) as log:
        assert log.head() == 3
        assert log.cursor().execute("select count(*) from nodes").fetchone() == (0,)


def test_reading_and_asking_go_on_beside_appending(tmp_path: Path) -> None:
    with Log.open(tmp_path / "log.duckdb") as log, ThreadPoolExecutor(3) as pool:
        log.append(batch(1, 5000))
        reading = log.read()
        assert next(reading)[0] == 1

        def ask(_: int) -> int:
            return int(query(log, "select count(*) from events").rows[0][0])

        appended = pool.submit(
            lambda: [log.append(batch(n, n + 49)) for n in range(5001, 6001, 50)]
        )
        counts = list(pool.map(ask, range(20)))
        assert sum(appended.result()) == 1000
        assert all(count % 50 == 0 and 5000 <= count <= 6000 for count in counts)
        assert [seq for seq, _ in reading] == list(range(2, 5001))
        assert log.verify() is None
