"""A solution's output: its head, its tail, and everything up to a limit. Pure."""

CUT_CHARACTERS = 2500
"""Characters of the head and of the tail that an event carries (as ML-Master 1.0 does)."""
WHOLE_CHARACTERS = 5100
"""Up to this length the output is not cut: the head is all of it."""

_WIDEST = 4  # bytes of one character in UTF-8


class Output:
    """Takes any number of bytes, keeps a bounded part of them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._first = bytearray()
        self._last = bytearray()
        self.size = 0

    def add(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self.size += len(chunk)
        room = max(self._limit, WHOLE_CHARACTERS * _WIDEST) - len(self._first)
        if room > 0:
            self._first += chunk[:room]
        self._last += chunk[-CUT_CHARACTERS * _WIDEST :]
        del self._last[: -CUT_CHARACTERS * _WIDEST]

    @property
    def excerpt(self) -> tuple[str, str]:
        """The head and the tail as text; the tail is empty when the head is everything."""
        if self.size == len(self._first):
            whole = _text(self._first)
            if len(whole) <= WHOLE_CHARACTERS:
                return whole, ""
        head = _text(self._first[: CUT_CHARACTERS * _WIDEST])[:CUT_CHARACTERS]
        return head, _text(self._last)[-CUT_CHARACTERS:]

    @property
    def last_line(self) -> str:
        """The last line that is not blank."""
        return _text(self._last).rstrip().rpartition("\n")[2].strip()

    @property
    def content(self) -> bytes:
        """Everything up to the limit; a last line says how much was dropped."""
        kept = bytes(self._first[: self._limit])
        dropped = self.size - len(kept)
        return kept + b"\n[%d further bytes were dropped]\n" % dropped if dropped else kept


def _text(content: bytes | bytearray) -> str:
    """Return text that any reader can take: no broken UTF-8, no NUL."""
    return content.decode("utf-8", errors="replace").replace("\0", "\ufffd")
