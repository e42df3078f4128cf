"""A real run, kept: what it decided is decided again, and its folds give the rows they gave then."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from agents.role import discover
from ops.past import lines
from ops.past.decisions import Outline, differences
from ops.past.folds import Rebuilding
from ops.past.moment import Moment
from schemas.envelope import Recorded, Vocabulary

LOG = Path(__file__).parent / "logs" / "wine.jsonl"
ROWS = LOG.with_suffix(".rows.json")
RENEW = (
    "if this is meant, keep a new run: FLOWSTONE_HOME=/tmp/flowstone flowstone run package:wine "
    "--name wine --nodes 4 --set executor.slots=1 --set search.lookahead=1 "
    "--set search.max_lookahead=1 --set search.drafts=2 --set search.phase_nodes=2; then flowstone log wine --json > tests/past/logs/wine.jsonl (with "
    "the host's name replaced), and tests/past/logs/wine.rows.json from the rows shown here: "
)
LONGEST = 100
Rows = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def events() -> list[Recorded[Any]]:
    return [*lines.read(LOG.read_text().splitlines(), Vocabulary())]


def test_every_decision_comes_out_the_same(events: list[Recorded[Any]]) -> None:
    roles = [*discover()]
    found = [str(each) for each in differences(roles, lambda: events)]
    assert not found, RENEW + "; ".join(found)
    outline = Outline(roles)
    decided = [role.name for event in events if (role := outline.decider(event))]
    assert {name: decided.count(name) for name in decided} == {
        "planner": 9,
        "coder": 12,
        "curator": 4,
    }


def test_a_run_from_before_runs_were_closed_has_nobody_to_close_it(
    events: list[Recorded[Any]],
) -> None:
    started = next(event.data for event in events if event.type == "RunStarted")
    assert started.settings.closing.steps == ()


def test_a_reply_that_was_changed_afterwards_is_found(events: list[Recorded[Any]]) -> None:
    at = next(n for n, event in enumerate(events) if event.type == "SolutionWritten")
    forged = replace(events[at], data=replace(events[at].data, code="print('better')"))
    tampered = [*events[:at], forged, *events[at + 1 :]]
    found = [*differences([*discover()], lambda: tampered)]
    assert (found[0].role, found[0].seq, found[0].type) == ("coder", forged.seq, "SolutionWritten")
    assert found[0].why.startswith("code is recorded as ")


def test_the_folds_give_the_rows_that_they_gave(events: list[Recorded[Any]]) -> None:
    rebuilding = Rebuilding("wine", {})
    for event in events:
        rebuilding.take(event)
    rows: Rows = {}
    for (projection, key), row in rebuilding.rows.items():
        rows.setdefault(projection, {})[key] = _shortened(json.loads(row))
    kept: Rows = json.loads(ROWS.read_text())
    assert {name: set(of_one) for name, of_one in rows.items()} == {
        name: set(of_one) for name, of_one in kept.items()
    }
    # Rows may have gained fields since.
    known = {
        projection: {
            key: {field: rows[projection][key][field] for field in row}
            for key, row in of_projection.items()
        }
        for projection, of_projection in kept.items()
    }
    assert known == kept, RENEW + json.dumps(rows)


def test_a_moment_of_the_past_is_told(events: list[Recorded[Any]]) -> None:
    then = Moment("wine")
    for event in _until(events, "SolutionGraded", "n2"):
        then.take(event)
    told = [*then.lines()]
    assert told[0].startswith("wine after event ")
    assert "SolutionGraded n2" in told[0]
    assert "nodes      2 proposed, 0 under way, 2 graded, 0 of them buggy" in told
    assert told[-2:] == ["n1 draft: 0.079433 *", "n2 draft: 0.09077"]
    assert [*Moment("wine").lines()] == ["wine: nothing had happened yet"]


def test_no_machine_is_named(events: list[Recorded[Any]]) -> None:
    assert {event.source.split("/")[2] for event in events} == {"machine"}
    assert LOG.stat().st_size < 300_000
    for place in ("/home/", "/root/", "/work/", "/usr/"):
        assert place not in LOG.read_text()


def _until(events: list[Recorded[Any]], kind: str, key: str) -> Iterator[Recorded[Any]]:
    for event in events:
        yield event
        if (event.type, event.key) == (kind, key):
            return


def _shortened(row: dict[str, Any]) -> dict[str, Any]:
    """Return *row* with long texts and lists cut: their beginnings tell them apart well enough."""
    return {
        field: value[:LONGEST] if isinstance(value, str | list) else value
        for field, value in row.items()
    }
