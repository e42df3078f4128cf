"""A run as a file tells it, ready for the log. Structs only."""

from msgspec import Struct

from schemas.envelope import Envelope


class Imported(Struct, frozen=True, kw_only=True):
    """One run's events in order, RunImported first.

    `places` are the sequence numbers that they had where they happened, to which their `seen`
    refers; empty where they had none.
    """

    run: str
    events: tuple[Envelope, ...]
    places: tuple[int, ...] = ()
