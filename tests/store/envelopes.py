"""Envelopes for the store's tests, and strategies that draw them."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import msgspec
from hypothesis import strategies as st
from msgspec import Raw

from schemas.envelope import PREFIX, PRIVATE_PREFIX, Envelope
from store.chain import Stream

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)
_token = st.text("abcXYZ019_-", min_size=1, max_size=5)
_zones = st.sampled_from(
    [UTC, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=8))]
)


def numbered(
    n: int, *, run: str = "run", stream: Stream = "public", data: bytes = b"{}"
) -> Envelope:
    """Return the *n*th event of a run."""
    prefix = PREFIX if stream == "public" else PRIVATE_PREFIX
    return Envelope(
        id=UUID(int=n),
        source="flowstone://test",
        type="SolutionWritten",
        time=BEGINNING + timedelta(seconds=n),
        subject=f"{prefix}.{run}.SolutionWritten.n{n}",
        run=run,
        cause=UUID(int=n - 1) if n > 1 else None,
        seen=n - 1,
        data=Raw(data),
    )


def batch(first: int, last: int, *, run: str = "run") -> list[tuple[int, Envelope]]:
    """Return events *first* to *last* of a run with their seq."""
    return [(n, numbered(n, run=run, data=b'{"node":"n%d"}' % n)) for n in range(first, last + 1)]


@st.composite
def envelopes(draw: st.DrawFn) -> Envelope:
    """Draw any envelope that the public stream may carry, also of types that nobody knows."""
    run, type_, key = draw(_token), draw(_token), draw(_token)
    return Envelope(
        id=draw(st.uuids()),
        source=draw(st.text(max_size=10)),
        type=type_,
        time=draw(st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=_zones)),  # noqa: DTZ001 - the strategy adds the zone
        subject=f"{PREFIX}.{run}.{type_}.{key}",
        run=run,
        cause=draw(st.none() | st.uuids()),
        seen=draw(st.integers(0, 2**63 - 1)),
        schema=draw(st.integers(1, 9)),
        data=Raw(msgspec.json.encode(draw(_json))),
    )


histories = st.lists(envelopes(), max_size=12).map(lambda drawn: list(enumerate(drawn, 1)))
